//! Programs that can be read and still make no sense to Python: it says so itself, and the message is certain.

use super::{
    case::{Case, Fault},
    token::Token,
};
use crate::failure::quoted;

/// A message's part, and what to say: `{name}` and `{place}` are filled in.
struct Said {
    part: &'static str,
    rule: &'static str,
    what: &'static str,
    why: &'static str,
    hint: &'static str,
}

const fn said(
    part: &'static str,
    rule: &'static str,
    what: &'static str,
    why: &'static str,
    hint: &'static str,
) -> Said {
    Said { part, rule, what, why, hint }
}

const LINE_BELONGS: &str = "Is the line indented as far as the block that it belongs to?";
const BOUND: &str =
    "A name in a function is either its own or an outer one, from the first line to the last.";

const MESSAGES: [Said; 46] = [
    said(
        "comprehension inner loop cannot",
        "syntax.walrus_comprehension",
        "`:=` on {place} gives a name a value, and the same comprehension does so, too.",
        "In a comprehension the name after for gets each item; nothing else may change it.",
        "Do you need a second name?",
    ),
    said(
        "parentheses around the comprehension target",
        "syntax.comprehension_tuple",
        "The comprehension on {place} makes several values for each item, without parentheses around them.",
        "Python reads a comma there as the end of the value; a pair of values is one value only in parentheses.",
        "Which values belong together?",
    ),
    said(
        "positional argument follows keyword",
        "syntax.positional_after_keyword",
        "In the call on {place} an argument without a name follows one with a name.",
        "Python gives the arguments without a name to the first parameters, so they come first.",
        "Which arguments have a name, and where in the call are they?",
    ),
    said(
        "keyword argument repeated",
        "syntax.keyword_repeated",
        "In the call on {place} an argument is given twice by the same name.",
        "Each parameter gets one value, so its name occurs once in a call.",
        "Which of the two values do you want?",
    ),
    said(
        "Generator expression must be parenthesized",
        "syntax.generator_parentheses",
        "In the call on {place} a comprehension is not the only argument.",
        "Without parentheses of its own, Python cannot see where it ends and the next argument begins.",
        "Where does the comprehension begin and end?",
    ),
    said(
        "must occur at the beginning",
        "syntax.future_late",
        "The import from `__future__` on {place} comes too late.",
        "It changes how the file is read, so it must be the first statement of the file.",
        "Do you need that line at all?",
    ),
    said(
        "not a chance",
        "syntax.future_unknown",
        "`braces` on {place} is a joke of Python's makers: there will be none.",
        "In Python a block begins with a colon, and its lines are indented.",
        "Do you need that line at all?",
    ),
    said(
        "future feature",
        "syntax.future_unknown",
        "The import on {place} asks `__future__` for something that it does not have.",
        "That module only switches on features of later versions, and it knows just a few names.",
        "Do you need that line at all?",
    ),
    said(
        "'return' outside function",
        "syntax.outside",
        "The `return` on {place} is not inside a function.",
        "`return` ends a function and gives back its result.",
        LINE_BELONGS,
    ),
    said(
        "'yield' outside function",
        "syntax.outside",
        "The `yield` on {place} is not inside a function.",
        "`yield` hands out one value of a function after the other.",
        LINE_BELONGS,
    ),
    said(
        "'break' outside loop",
        "syntax.outside",
        "The `break` on {place} is not inside a loop.",
        "`break` leaves a loop, so there must be a for or while around it, in the same function.",
        LINE_BELONGS,
    ),
    said(
        "not properly in loop",
        "syntax.outside",
        "The `continue` on {place} is not inside a loop.",
        "`continue` goes on with the next item of a loop, so there must be a for or while around it, in the same function.",
        LINE_BELONGS,
    ),
    said(
        "'await' outside",
        "syntax.outside",
        "The `await` on {place} is not inside an `async def`.",
        "Only a function that begins with async def can wait for others.",
        LINE_BELONGS,
    ),
    said(
        "outside async function",
        "syntax.outside",
        "What begins with `async` on {place} is not inside an `async def`.",
        "Only a function that begins with async def can wait for others.",
        LINE_BELONGS,
    ),
    said(
        "outside function",
        "syntax.outside",
        "A statement on {place} belongs inside a function.",
        "Only a function has a result to give.",
        LINE_BELONGS,
    ),
    said(
        "in generator",
        "syntax.outside",
        "A `return` with a value stands on {place} in an asynchronous generator.",
        "Such a function gives its values with yield.",
        "How should the values come out?",
    ),
    said(
        "is used prior to global",
        "syntax.global_late",
        "`{name}` is used before the `global` on {place}.",
        BOUND,
        "Where in the function should that line be?",
    ),
    said(
        "is assigned to before global",
        "syntax.global_late",
        "`{name}` gets a value before the `global` on {place}.",
        BOUND,
        "Where in the function should that line be?",
    ),
    said(
        "is used prior to nonlocal",
        "syntax.global_late",
        "`{name}` is used before the `nonlocal` on {place}.",
        BOUND,
        "Where in the function should that line be?",
    ),
    said(
        "is assigned to before nonlocal",
        "syntax.global_late",
        "`{name}` gets a value before the `nonlocal` on {place}.",
        BOUND,
        "Where in the function should that line be?",
    ),
    said(
        "is parameter and",
        "syntax.global_parameter",
        "`{name}` is a parameter, and {place} says that it is an outer name.",
        BOUND,
        "Should the value come from the call or from outside?",
    ),
    said(
        "is nonlocal and global",
        "syntax.global_and_nonlocal",
        "`{name}` is both `global` and `nonlocal` on {place}.",
        "global means the name of the whole program, nonlocal one of the function around it.",
        "Which of the two do you need?",
    ),
    said(
        "no binding for nonlocal",
        "syntax.nonlocal_missing",
        "No function around the one on {place} has a `{name}`.",
        "`nonlocal` means a name of an outer function; a name of the whole program is `global`.",
        "Where does that name get its first value?",
    ),
    said(
        "nonlocal declaration not allowed",
        "syntax.nonlocal_missing",
        "The `nonlocal` on {place} is not inside a function.",
        "`nonlocal` means a name of an outer function, so there must be two functions around it.",
        "Do you need that line at all?",
    ),
    said(
        "annotated name",
        "syntax.global_annotated",
        "`{name}` has a type on {place}, and it is declared `global` or `nonlocal`.",
        "The type of an outer name stands where it gets its first value, outside of the function.",
        "Do you need the type on that line?",
    ),
    said(
        "cannot rebind comprehension",
        "syntax.walrus_comprehension",
        "`:=` on {place} gives `{name}` a value, and the comprehension does the same.",
        "In a comprehension the name after for gets each item; nothing else may change it.",
        "Do you need a second name?",
    ),
    said(
        "assignment expression within a comprehension",
        "syntax.walrus_comprehension",
        "`:=` stands on {place} in a comprehension where Python does not allow it.",
        "In a class, and in the part after in, a comprehension cannot give a name a value.",
        "Can it get its value on the line before?",
    ),
    said(
        "cannot be used in a comprehension iterable",
        "syntax.walrus_comprehension",
        "`:=` stands on {place} in the items of a comprehension.",
        "What comes after in is worked out before the first item.",
        "Can it get its value on the line before?",
    ),
    said(
        "multiple exception types must be",
        "syntax.except_parentheses",
        "The exceptions on {place} have no parentheses around them.",
        "With `as`, several classes of exceptions stand in one pair of parentheses.",
        "Where do the parentheses begin and end?",
    ),
    said(
        "default 'except:' must be last",
        "syntax.except_order",
        "The `except` without a class on {place} is not the last one.",
        "It catches everything, so those after it would never be reached.",
        "In which order should they be?",
    ),
    said(
        "starred",
        "syntax.star",
        "The star on {place} stands where it cannot take a value apart.",
        "A `*` before a value works in a call, a list, a tuple or a set, or once on the left of an assignment.",
        "What should the star do there?",
    ),
    said(
        "two starred",
        "syntax.star",
        "There are two stars on the left side on {place}.",
        "One name with a star collects all that is left, so there can be only one.",
        "Which of the two names should collect the rest?",
    ),
    said(
        "unpacking",
        "syntax.star",
        "The star on {place} stands where it cannot take a value apart.",
        "A `*` before a value works in a call, a list, a tuple or a set.",
        "What should the star do there?",
    ),
    said(
        "makes remaining patterns unreachable",
        "syntax.case_order",
        "The `case` on {place} fits every value, so those after it are never reached.",
        "A plain name or _ in a case fits everything and gets the value; it does not compare.",
        "Which value should that case compare with?",
    ),
    said(
        "cannot mix bytes and nonbytes",
        "syntax.bytes",
        "On {place} a string with b and one without stand next to each other.",
        "Two strings next to each other become one, and bytes and text do not mix.",
        "Do you need bytes at all?",
    ),
    said(
        "duplicate argument",
        "syntax.parameter_repeated",
        "The parameter `{name}` occurs twice in the function on {place}.",
        "Each parameter is a name of its own, else Python could not tell them apart.",
        "What do the two stand for?",
    ),
    said(
        "too many statically nested",
        "syntax.nesting",
        "Blocks are nested too deeply on {place}.",
        "Python allows 20 blocks inside each other, and the limit for human readers is even lower.",
        "Can part of it become a function?",
    ),
    said(
        "cannot assign to __debug__",
        "syntax.assign_constant",
        "`__debug__` on {place} cannot get a value.",
        "It is a fixed value of Python itself.",
        "What else could you call it?",
    ),
    said(
        "illegal expression for augmented",
        "syntax.augmented_target",
        "Several names stand on the left of an operator like += on {place}.",
        "Such an operator changes one name at a time.",
        "How does it look with one line for each name?",
    ),
    said(
        "can be annotated",
        "syntax.annotation",
        "More than one name gets a type on {place}.",
        "A type, written behind a colon, belongs to a single name.",
        "Is the colon meant as something else, such as the beginning of a block?",
    ),
    said(
        "illegal target for annotation",
        "syntax.annotation",
        "On {place} a colon follows something that cannot have a type.",
        "Outside of headers, brackets and lambdas, a colon behind a name says which type it has.",
        "Should the line begin a block, or is the colon too much?",
    ),
    said(
        "no longer supported",
        "syntax.python2",
        "{place} is written for an older Python: {message}.",
        "Some forms of Python 2 are gone.",
        "How is it written today?",
    ),
    said(
        "null bytes",
        "syntax.null",
        "There is a zero character in your program.",
        "That is not text; perhaps it is not the file that you meant.",
        "Is this really the text of your program?",
    ),
    said(
        "encoding",
        "syntax.encoding",
        "Python cannot tell which characters {place} and its file are made of.",
        "A file is read as UTF-8, unless its first line says something else that is true.",
        "With which encoding did your editor save it?",
    ),
    said(
        "utf-8' codec can't decode",
        "syntax.encoding",
        "The program has bytes in it that are not text in UTF-8.",
        "A file is read as UTF-8, unless its first line says something else that is true.",
        "With which encoding did your editor save it?",
    ),
    said(
        "too complex",
        "syntax.nesting",
        "Brackets or blocks are nested too deeply on {place}.",
        "Python has a limit for that, and the limit for human readers is even lower.",
        "Can part of it become a function?",
    ),
];

/// What Python says about a program, in words for beginners.
pub(super) fn check(case: &Case<'_>, words: &[Token<'_>], line: u32) -> Option<Fault> {
    let fault = by_message(case.message, &format!("line {line}"))?;
    let marked = |word: &&Token<'_>| {
        let is_on_line = word.line <= line && line <= word.last_line();
        is_on_line && fault.advice.what.contains(&format!("`{}`", word.text))
    };
    let at = words.iter().rfind(marked).or_else(|| words.iter().find(|word| word.line == line))?;
    Some(Fault { at: at.start..at.end(), ..fault })
}

/// The same without a program to look into.
pub(super) fn by_message(message: &str, place: &str) -> Option<Fault> {
    let said = MESSAGES.iter().find(|said| message.contains(said.part))?;
    let name = quoted(message).unwrap_or("the name");
    let what = said.what.replace("{place}", place).replace("{name}", name);
    let what = crate::failure::capital(&what.replace("{message}", message));
    Some(Fault::new(said.rule, 0..0, what, said.why, said.hint))
}
