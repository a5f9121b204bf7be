//! The catalogue of what can be found.

use serde::{Deserialize, Serialize};

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The program does not do what it says.
    Error,
    /// It works, and will cause trouble some day.
    Advice,
    /// It works, and can be simpler.
    Style,
}

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its stable name.
    pub name: &'static str,
    /// Its severity.
    pub severity: Severity,
    /// Why it matters.
    pub why: &'static str,
}

const fn error(name: &'static str, why: &'static str) -> Rule {
    Rule { name, severity: Severity::Error, why }
}

const fn advice(name: &'static str, why: &'static str) -> Rule {
    Rule { name, severity: Severity::Advice, why }
}

const fn style(name: &'static str, why: &'static str) -> Rule {
    Rule { name, severity: Severity::Style, why }
}

/// Every kind of finding.
pub const RULES: [Rule; 118] = [
    error("syntax", "None of the program runs until Python can read all of it."),
    error("undefined_name", "A name that never gets a value ends the program with a NameError."),
    error(
        "prints_instead_of_returns",
        "print shows a value to a person; only return hands it to the program.",
    ),
    error(
        "local_before_value",
        "An assignment makes a name local in the whole function, so there is no value to add to.",
    ),
    error("no_effect", "The line calculates something and throws it away."),
    error("named_not_called", "Without parentheses a function is only named, and does not run."),
    error("in_place_result", "Methods that change their list return None."),
    error(
        "text_result_dropped",
        "Text never changes: the method returns a new text, which you have to store.",
    ),
    error(
        "or_with_value",
        "Python reads it as two conditions, and a value that is not empty counts as true.",
    ),
    error(
        "changed_while_looping",
        "When items are removed, the rest move up, and the loop skips some.",
    ),
    error("off_by_one", "The last position is the length minus one."),
    error("endless_loop", "If nothing changes the condition, the loop never ends."),
    error(
        "first_round_return",
        "The function ends in the first iteration, so it never looks at the other items.",
    ),
    error("parameter_overwritten", "The value that the caller passed is lost."),
    error(
        "is_with_value",
        "`is` checks whether two things are the same object; `==` checks whether they are equal.",
    ),
    error(
        "keyword_as_name",
        "Words such as class, for and return have a meaning of their own in every program.",
    ),
    error(
        "missing_parentheses",
        "A function is called by its name with parentheses after it, even if it gets one thing or nothing.",
    ),
    error("missing_def", "Without `def` in front of it, a name with parentheses is a call."),
    error(
        "equals_in_condition",
        "One sign gives a name a value, two ask whether things are equal.",
    ),
    error("condition_after_else", "An else runs whenever no condition above it holds."),
    error(
        "result_not_stored",
        "A value that a function gives back is gone unless the line that calls it stores it: `x = f(...)`.",
    ),
    error("value_not_returned", "The last line of a function is not its result by itself."),
    error(
        "nothing_returned",
        "Names inside a function vanish when it ends; only what it returns is left.",
    ),
    error("endless_recursion", "A function that calls itself needs a case in which it does not."),
    error(
        "same_arguments",
        "Parameters do not change by themselves: each call must be given a smaller problem.",
    ),
    error(
        "init_returns_value",
        "The object exists before `__init__` begins; Python hands it out by itself.",
    ),
    error("init_misspelled", "It takes two underscores on both sides: `__init__`."),
    error("text_method_prints", "Python calls it to get a text, and prints that text itself."),
    error(
        "attribute_never_set",
        "An object only has what some line has given it, most often `self.x = ...` in `__init__`.",
    ),
    error("shared_rows", "`*` repeats the same row; a comprehension makes a new one for each."),
    error(
        "lost_in_swap",
        "Two names are swapped with `a, b = b, a`, or with a third name that keeps one of the values.",
    ),
    error("never_true", "With `and`, both sides must hold for the same value at the same time."),
    error("always_true", "With `or`, one side is enough, and here one always holds."),
    error(
        "value_as_condition",
        "Each side of `and` and `or` is a condition of its own, and any text that is not empty counts as true.",
    ),
    error(
        "overwritten_by_next_if",
        "Separate ifs are all tried, one after the other; of `if` and `elif` only the first that holds is.",
    ),
    error(
        "zero_first",
        "`range(n)` gives 0, 1, 2, ... up to n - 1; `range(1, n + 1)` gives 1 to n.",
    ),
    error("reset_in_loop", "What is to grow over all iterations has to begin before the loop."),
    error("colon_for_equals", "`name: type` is a note for readers; Python stores nothing."),
    error("doubled_sign", "Two signs in a row are the number itself."),
    error(
        "loops_over_number",
        "A loop goes through a list, a text or a range, and a number is only one thing.",
    ),
    error("keys_without_values", "Going through a dictionary gives its keys."),
    error(
        "mixed_sum",
        "Python adds numbers to numbers and joins text with text; str() and int() convert.",
    ),
    error(
        "never_equal",
        "Text and numbers are never equal, even if they look the same; int() or str() converts one of them.",
    ),
    error("fixed_item_set", "Text and tuples stay as they are; make a new one, or use a list."),
    error(
        "division_as_position",
        "`/` gives a float even where nothing is left over: 4 / 2 is 2.0.",
    ),
    error("no_such_method", "Which methods a value has depends on its kind."),
    error(
        "item_as_index",
        "`for x in items` gives the items; `for i in range(len(items))` gives the positions.",
    ),
    error("except_or", "`except (ValueError, TypeError)` catches both."),
    error("pop_of_value", "pop removes what is at a position and gives it back."),
    error("no_length", "`len` counts the items of a list or the characters of a text."),
    error("method_on_class", "A method works on one object, which stands before the dot."),
    advice("missing_super", "A class with an `__init__` of its own does not run that of its base."),
    advice(
        "sql_from_text",
        "Whoever types a value decides what the database does: this is SQL injection.",
    ),
    advice(
        "shell_from_text",
        "Whoever types a value decides what is run; a list of arguments has no such effect.",
    ),
    advice(
        "globals_everywhere",
        "Any function can change them at any time, so none can be read or tested alone.",
    ),
    advice(
        "recursion_as_loop",
        "Each call waits for the next one, and after about 1,000 Python gives up; `while` starts again without that.",
    ),
    advice("only_prints", "print shows a value to a person; only return hands it to the program."),
    advice("name_promises_bool", "Readers believe names, and write code that trusts them."),
    advice("repeated_number", "If it changes one day, one of the places will be forgotten."),
    advice("repeated_line", "What is written once is changed once."),
    advice(
        "numbered_lines",
        "Lines that differ only in a number are what loops and lists are for.",
    ),
    advice(
        "result_dropped",
        "A function that only gives a value back does nothing else: store the value, return it or print it.",
    ),
    advice(
        "print_gives_none",
        "To show a value and to hand it on are two things: print does the first, return the second.",
    ),
    advice("alias_changed", "`=` gives a thing one more name; `.copy()` makes a second thing."),
    advice(
        "shared_attribute",
        "What stands in the class is made once for all objects; `self.x = ...` in `__init__` makes one for each.",
    ),
    advice("missing_self", "Python hands the object to a method as its first argument."),
    advice("if_used_as_loop", "`if` decides once; only `while` and `for` repeat."),
    advice("may_not_run", "`or` and `and` stop as soon as the answer is certain."),
    advice("pass_skips_nothing", "`pass` only fills a place where Python wants a line."),
    advice(
        "never_caught",
        "The first `except` that fits takes the error; so the most special one comes first.",
    ),
    advice("first_item_skipped", "Positions begin with 0."),
    advice("only_last_kept", "`=` replaces; to collect, add to what is there."),
    advice("smallest_begins_at_zero", "A search for the smallest begins with the first item."),
    advice("sign_after_equals", "`+=` and `-=` are signs of their own, with the `=` at the end."),
    advice("quoted_name", "Python never looks into a text for names."),
    advice("product_first", "`*` and `/` come before `+` and `-`, whatever the spaces are like."),
    advice("caret_as_power", "2 ^ 3 is 1 in Python, and 2 ** 3 is 8."),
    advice("forgotten_f", "Only an f-string fills in values: f\"Hello {name}\"."),
    advice("second_item_first", "Positions begin with 0."),
    advice(
        "last_item_skipped",
        "`range(n)` already ends with n - 1, so the length itself is the right end.",
    ),
    advice(
        "loop_name_taken",
        "A loop has no names of its own: its name is one of the code around it.",
    ),
    advice(
        "not_global",
        "A name that a function assigns is its own. Return the new value and store it outside.",
    ),
    advice(
        "missing_return",
        "A path that ends without return gives None, and the caller does not notice.",
    ),
    advice("unreachable", "Nothing after return, break, continue or raise runs."),
    advice(
        "may_skip_items",
        "When items are removed, the rest move up. The loop is only right if it never needs the items that it skips.",
    ),
    advice(
        "may_go_too_far",
        "The last position is the length minus one. The loop is only right if it always stops before that.",
    ),
    advice(
        "loop_runs_once",
        "A loop that never comes to its second item does not need to be a loop.",
    ),
    advice("unused_value", "A line that only names or compares things changes nothing."),
    advice(
        "maybe_no_value",
        "On the path that skips the assignment the name does not exist, and the program ends with an error.",
    ),
    advice("mutable_default", "A default is created once and shared by all calls."),
    advice("input_as_number", "input() returns text, and text and numbers do not mix."),
    advice("broad_except", "It also catches mistakes that you did not think of, and hides them."),
    advice(
        "silent_except",
        "The error is gone, and the program goes on with values that were never set.",
    ),
    advice(
        "shadowed_builtin",
        "From here on the name no longer means what it means everywhere else.",
    ),
    advice(
        "loop_name_reassigned",
        "The next iteration gives the name its next item, so the change is lost.",
    ),
    advice("answers_written_down", "The function knows some inputs by heart, and no others."),
    advice(
        "file_left_open",
        "A file that is not closed may lose what was written; `with` closes it in every case.",
    ),
    advice("runs_text_as_code", "Whoever writes the text decides what your program does."),
    advice(
        "text_built_in_loop",
        "Each + copies the whole text; collect the parts in a list and join them once.",
    ),
    style("counted_by_hand", "Nothing can be forgotten that does not have to be written."),
    style("return_with_parentheses", "Parentheses after a word look like a call."),
    style("needless_conversion", "A value that is already of this kind does not change."),
    style(
        "separate_ifs",
        "Separate ifs are all tried; of `if` and `elif` only the first that holds is.",
    ),
    style("else_without_break", "The else of a loop runs unless a `break` has left the loop."),
    style("needless_line", "The program does the same without it, and is shorter to read."),
    style("self_assignment", "The line changes nothing; if it should, one side is the wrong name."),
    style("compares_to_bool", "The condition is already true or false."),
    style("compares_to_none", "There is only one None, and `is None` checks for exactly that."),
    style("returns_bool", "The condition already is the answer."),
    style("else_after_return", "After a return the else is not needed, and the code moves left."),
    style("unused_variable", "A reader will look for where it is used, and find nothing."),
    style("unused_import", "A reader will look for where it is used, and find nothing."),
    style("index_loop", "A loop over the items themselves says the same in fewer words."),
    style(
        "mergeable_if",
        "One condition with `and` says the same with one level less of indentation.",
    ),
    style("too_long", "A part with a name of its own is easier to read, test and reuse."),
    style(
        "too_deep",
        "Deep nesting is hard to follow; return early, or move the inner part into a function.",
    ),
    style(
        "name_style",
        "Python programs write variables and functions in lower case with underscores, and classes in CapitalWords (PEP 8).",
    ),
    style("ambiguous_name", "In many fonts, l, O and I look like 1 and 0."),
];

/// The rule of this name.
pub(super) fn rule(name: &str) -> &'static Rule {
    static ALL: [Rule; 118] = RULES;
    ALL.iter().find(|rule| rule.name == name).expect("checks name rules of the catalogue")
}
