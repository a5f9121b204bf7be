//! Text that is not Python: what is wrong, found from its words; a repair is tried before it is claimed.

mod assignments;
mod brackets;
mod calls;
mod case;
mod characters;
mod check;
mod compiled;
mod comprehensions;
mod definitions;
mod foreign;
mod headers;
mod imports;
mod indentation;
mod misspelled;
mod operators;
mod strings;
#[cfg(test)]
mod tests;
mod token;

use case::{Case, Fault};
use check::Check;

use crate::{
    failure::{Advice, Failure, Rule, advice, by_rules},
    source,
};

/// The longest text that is looked into: what a program may have in a course. Each trial reads all of it.
const MAX_BYTES: usize = 64 << 10;
/// The order matters: what makes others look wrong comes first, what fits much comes last.
fn checks() -> impl Iterator<Item = Check> {
    let groups: [&[Check]; 21] = [
        &foreign::PASTED,
        &calls::PRINT,
        &strings::CHECKS,
        &operators::FOREIGN,
        &characters::CHECKS,
        &headers::ELSE_IF,
        &foreign::DECLARATION,
        &misspelled::FIRST,
        &foreign::CHECKS,
        &operators::SIGNS,
        &comprehensions::FIRST,
        &brackets::CHECKS,
        &headers::CHECKS,
        &imports::CHECKS,
        &definitions::CHECKS,
        &operators::VALUES,
        &headers::COLON,
        &assignments::CHECKS,
        &comprehensions::CHECKS,
        &calls::CHECKS,
        &misspelled::LAST,
    ];
    groups.into_iter().flatten().copied()
}

pub(crate) fn advise(failure: &Failure<'_>) -> Option<Advice> {
    if !failure.is("SyntaxError") {
        return None;
    }
    let is_short = failure.source.len() <= MAX_BYTES && !failure.source.trim().is_empty();
    let found = if is_short { look(failure) } else { None };
    found
        .or_else(|| without_program(failure))
        .or_else(|| by_rules(&RULES, failure))
        .or_else(|| lost(failure))
}

/// Looks into the program.
fn look(failure: &Failure<'_>) -> Option<Advice> {
    let case = Case::new(failure.source, failure.line, failure.message);
    let line = failure.line.unwrap_or_else(|| case.error.map_or(1, |error| case.line_of(error)));
    let is_indentation = matches!(failure.kind, "IndentationError" | "TabError");
    let indented =
        if is_indentation { indentation::check(&case, failure.kind, line) } else { None };
    let found = indented.or_else(|| first_fault(&case)).or_else(|| {
        let suspects = case.suspects();
        let mut words = suspects.iter().map(|statement| case.words(*statement));
        words.find_map(|words| compiled::check(&case, words, line))
    })?;
    let second = second_fault(&case, &found);
    let mut advice = found.advice;
    advice.place = Some(case.place(&found.at));
    if let Some(second) = second {
        advice.what = format!("{} {}", advice.what, second.advice.what);
    }
    Some(advice)
}

/// The first cause around the place that the parser cannot read.
fn first_fault(case: &Case<'_>) -> Option<Fault> {
    case.error?;
    let suspects = case.suspects();
    let words = suspects.iter().map(|statement| case.words(*statement));
    words
        .filter(|words| !words.is_empty())
        .find_map(|words| checks().find_map(|check| check(case, words)))
}

/// Another cause in the same line, which shows when the first is repaired.
fn second_fault(case: &Case<'_>, first: &Fault) -> Option<Fault> {
    let repaired = case.edited(&first.repair);
    let rest = Case::new(&repaired, None, "");
    // Either the parser comes further, or it stopped before the first cause and still does.
    let is_before = rest.error == case.error && case.error < Some(first.at.start);
    if first.repair.is_empty() || !(is_before || case.helps(&first.repair)) {
        return None;
    }
    let line = case.line_of(first.at.start);
    // What it quotes must be the student's own text: the repaired line is not for them.
    let is_own = |second: &Fault| {
        second.advice.what.split('`').skip(1).step_by(2).all(|quoted| case.source.contains(quoted))
    };
    first_fault(&rest).filter(|second| {
        let is_same_line = rest.line_of(second.at.start) == line;
        is_same_line && second.advice.rule != first.advice.rule && is_own(second)
    })
}

/// What the message alone tells.
fn without_program(failure: &Failure<'_>) -> Option<Advice> {
    let place = failure.place();
    if let Some(fault) = compiled::by_message(failure.message, &place) {
        return Some(fault.advice);
    }
    let quote = failure.message.chars().find(|c| "“”‘’„«»‹›".contains(*c));
    if let Some(quote) = quote.filter(|_| failure.message.contains("invalid character")) {
        return advice(
            "syntax.curly_quotes",
            format!("There is a curly quote {quote} on {place}, probably copied from a document."),
            "Python knows only the straight quotes \" and '.",
            "Which characters in that line should be straight quotes?",
        );
    }
    by_rules(&INDENTATION, failure)
}

/// What Python's message tells if its cause was not found in the program, or there is no program.
const RULES: [Rule; 11] = [
    Rule {
        rule: "syntax.print",
        parts: &["in call to 'print'", "in call to 'exec'"],
        what: "`print` on {place} has no parentheses around what it prints.",
        why: "print is a function; only in Python 2 was it written without parentheses.",
        hint: "What belongs inside the parentheses?",
    },
    Rule {
        rule: "syntax.invisible",
        parts: &["non-printable", "invalid character"],
        what: "there is a character on {place} that Python cannot read: {message}.",
        why: "Text that is copied from a web page can contain spaces and dashes that look right but are different characters.",
        hint: "Delete that character and type it again.",
    },
    Rule {
        rule: "syntax.null",
        parts: &["null bytes"],
        what: "there is a zero character in your program.",
        why: "That is not text; perhaps it is not the file that you meant.",
        hint: "Is this really the text of your program?",
    },
    Rule {
        rule: "syntax.unclosed",
        parts: &["was never closed", "unexpected EOF"],
        what: "a bracket that opens on {place} is never closed.",
        why: "Python reads on to the end of the program, looking for the closing bracket.",
        hint: "Count the brackets on that line. Where should the missing one be?",
    },
    Rule {
        rule: "syntax.unterminated_text",
        parts: &["unterminated"],
        what: "a string that begins on {place} has no closing quote.",
        why: "A string ends with the same quotes that it begins with; only one in triple quotes may go on for several lines.",
        hint: "Where should the string end?",
    },
    Rule {
        rule: "syntax.colon",
        parts: &["expected ':'", "forgot a comma or ':'"],
        what: "a colon is missing on {place}: `{text}`.",
        why: "A line with if, elif, else, for, while, def or class ends with a colon, and an indented block follows.",
        hint: "What belongs at the end of that line?",
    },
    Rule {
        rule: "syntax.assignment",
        parts: &["Maybe you meant '=='", "cannot assign to"],
        what: "on {place} there is a single = where Python does not allow one: `{text}`.",
        why: "A single = gives a name a value; two = compare.",
        hint: "Do you want to give something a value here, or to compare two values?",
    },
    Rule {
        rule: "syntax.comma",
        parts: &["forgot a comma"],
        what: "two things are next to each other on {place} with nothing between them.",
        why: "Items and arguments are separated by commas.",
        hint: "What belongs between the two?",
    },
    Rule {
        rule: "syntax.outside",
        parts: &["outside function", "outside loop", "not properly in loop"],
        what: "{message} on {place}.",
        why: "return belongs inside a function; break and continue belong inside a loop.",
        hint: "Is the line indented as far as the block that it belongs to?",
    },
    Rule {
        rule: "syntax.nesting",
        parts: &["too many nested", "too complex", "too many statically nested"],
        what: "brackets or blocks are nested too deeply on {place}.",
        why: "Python has a limit for that, and the limit for human readers is even lower.",
        hint: "Can part of it become a function?",
    },
    Rule {
        rule: "syntax.keyword",
        parts: &["keyword argument repeated", "positional argument follows"],
        what: "the arguments of the call on {place} are given in a way that Python does not allow.",
        why: "Python says: {message}.",
        hint: "Which arguments have a name, and where in the call are they?",
    },
];

fn lost(failure: &Failure<'_>) -> Option<Advice> {
    let before = failure.line.and_then(|line| line.checked_sub(1));
    let before = before.map_or("", |line| source::line(failure.source, line)).trim();
    let is_open =
        before.ends_with('\\') || before.matches('(').count() > before.matches(')').count();
    let hint = if is_open {
        "The line before it is not finished: what is missing at its end?"
    } else if failure.text().is_empty() {
        "Look at the line that Python names and at the end of the line before: brackets, quotes, colons, operators."
    } else {
        "Look at the marked place and at the end of the line before: brackets, quotes, colons, operators."
    };
    let shown = match failure.text() {
        "" => String::new(),
        text => format!(": `{text}`"),
    };
    let what = format!("Python does not understand {}{shown}.", failure.place());
    advice("syntax.invalid", what, format!("Python says: {}.", failure.message), hint)
}

const INDENTATION: [Rule; 4] = [
    Rule {
        rule: "indentation.tabs",
        parts: &["inconsistent use of tabs"],
        what: "on {place} tabs and spaces are mixed.",
        why: "They look alike, and Python cannot know how wide a tab is.",
        hint: "Let your editor turn all tabs into spaces.",
    },
    Rule {
        rule: "indentation.missing_block",
        parts: &["expected an indented block"],
        what: "before {place} a line ends with a colon, and no indented line follows.",
        why: "What belongs to if, for, while, def or class is indented below it.",
        hint: "Which lines should be inside it?",
    },
    Rule {
        rule: "indentation.unexpected",
        parts: &["unexpected indent"],
        what: "{place} begins further to the right than the line before it.",
        why: "Only lines that belong to a block are indented.",
        hint: "Which line above does it belong to?",
    },
    Rule {
        rule: "indentation.mismatch",
        parts: &["unindent does not match"],
        what: "{place} does not line up with any block above it.",
        why: "All lines of a block are indented by the same amount.",
        hint: "Which block does the line belong to?",
    },
];
