//! Text that is not Python.

use crate::{
    failure::{Advice, Failure, Rule, advice, by_rules, capital},
    source,
};

pub(crate) fn advise(failure: &Failure<'_>) -> Option<Advice> {
    if !failure.is("SyntaxError") {
        return None;
    }
    if failure.kind == "TabError" || failure.kind == "IndentationError" {
        return indentation(failure);
    }
    other_syntax(failure).or_else(|| by_rules(&RULES, failure)).or_else(|| lost(failure))
}

/// What other languages, older Pythons and word processors write.
fn other_syntax(failure: &Failure<'_>) -> Option<Advice> {
    let (message, text, place) = (failure.message, failure.text(), failure.place());
    let curly = text.chars().find(|c| "“”‘’„«»".contains(*c));
    if let Some(quote) = curly.filter(|_| message.contains("invalid character")) {
        return advice(
            "syntax.curly_quotes",
            format!("There is a curly quote {quote} on {place}, probably copied from a document."),
            "Python knows only the straight quotes \" and '.",
            "Which characters in that line should be straight quotes?",
        );
    }
    if message.contains("in call to 'print'") || text.starts_with("print \"") {
        return advice(
            "syntax.print",
            format!("`print` on {place} has no parentheses around what it prints."),
            "print is a function; only in Python 2 was it written without parentheses.",
            "What belongs inside the parentheses?",
        );
    }
    if ["else if", "elseif", "elsif"].iter().any(|word| text.starts_with(word)) {
        return advice(
            "syntax.else_if",
            format!("`else if` on {place} is written differently in Python."),
            "Python has one word for it: elif.",
            "How should the line begin?",
        );
    }
    None
}

const RULES: [Rule; 10] = [
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
    } else {
        "Look at the marked place and at the end of the line before: brackets, quotes, colons, operators."
    };
    let what = format!("Python does not understand {}: `{}`.", failure.place(), failure.text());
    advice("syntax.invalid", what, format!("Python says: {}.", failure.message), hint)
}

fn indentation(failure: &Failure<'_>) -> Option<Advice> {
    by_rules(&INDENTATION, failure).or_else(|| {
        advice(
            "indentation.mismatch",
            format!("{} does not line up with any block above it.", capital(&failure.place())),
            "All lines of a block are indented by the same amount.",
            "Which block does the line belong to?",
        )
    })
}

const INDENTATION: [Rule; 3] = [
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
];
