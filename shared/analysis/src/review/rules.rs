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
pub const RULES: [Rule; 45] = [
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
    static ALL: [Rule; 45] = RULES;
    ALL.iter().find(|rule| rule.name == name).expect("checks name rules of the catalogue")
}
