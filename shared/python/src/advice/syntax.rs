//! Text that is not Python.

use super::{Advice, Failure, source, told};

pub(super) fn advise(failure: &Failure<'_>) -> Option<Advice> {
    if !failure.is("SyntaxError") {
        return None;
    }
    let (message, text) = (failure.message, failure.text());
    let place = failure.place();
    let before = failure
        .line
        .and_then(|line| line.checked_sub(1))
        .map_or("", |line| source::line(failure.source, line))
        .trim();
    if failure.kind == "TabError" || failure.kind == "IndentationError" {
        return indentation(failure);
    }
    if let Some(quote) = text
        .chars()
        .find(|c| "“”‘’„«»".contains(*c))
        .filter(|_| message.contains("invalid character"))
    {
        return told(
            "syntax.curly_quotes",
            format!("There is a curly quote {quote} on {place}, probably copied from a document."),
            "Python knows only the straight quotes \" and '.",
            "Which characters in that line should be straight quotes?",
        );
    }
    if message.contains("non-printable") || message.contains("invalid character") {
        return told(
            "syntax.invisible",
            format!("There is a character on {place} that Python cannot read: {message}."),
            "Text that is copied from a page can have spaces and dashes in it that look right and are others.",
            "Delete that place and type it again.",
        );
    }
    if message.contains("null bytes") {
        return told(
            "syntax.null",
            "There is a zero character in your program.",
            "That is not text; perhaps it is not the file that you meant.",
            "Is this really the text of your program?",
        );
    }
    if message.contains("Missing parentheses in call to 'print'")
        || (text.starts_with("print ") && !text.starts_with("print ("))
    {
        return told(
            "syntax.print",
            format!("`print` on {place} has no brackets around what it prints."),
            "print is a function; it was written without brackets only in Python 2.",
            "What belongs between the brackets?",
        );
    }
    if message.contains("was never closed") || message.contains("unexpected EOF") {
        return told(
            "syntax.unclosed",
            format!("A bracket that opens on {place} is never closed."),
            "Python reads on to the end of the program, looking for the other bracket.",
            "Count the brackets of that line. Where should the missing one be?",
        );
    }
    if message.contains("unterminated") {
        return told(
            "syntax.unterminated_text",
            format!("A text that begins on {place} has no closing quote."),
            "Text begins and ends with the same kind of quote, on one line.",
            "Where should the text end?",
        );
    }
    if message.contains("expected ':'") || message.contains("forgot a comma or ':'") {
        return told(
            "syntax.colon",
            format!("A colon is missing on {place}: `{text}`."),
            "if, elif, else, for, while, def and class end with a colon, and an indented block follows.",
            "Where does that line end?",
        );
    }
    if message.contains("Maybe you meant '=='") || message.contains("cannot assign to") {
        return told(
            "syntax.assignment",
            format!("On {place} a single = stands where it cannot: `{text}`."),
            "A single = gives a name a value; two = compare.",
            "Do you want to give a value here, or to compare?",
        );
    }
    if text.starts_with("else if") || text.starts_with("elseif") || text.starts_with("elsif") {
        return told(
            "syntax.else_if",
            format!(
                "`{}` on {place} is written differently in Python.",
                text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
            ),
            "Python has one word for it: elif.",
            "How is the line to begin?",
        );
    }
    if message.contains("forgot a comma") {
        return told(
            "syntax.comma",
            format!("Two things stand side by side on {place} with nothing between them."),
            "Items and arguments are separated by commas.",
            "What belongs between the two?",
        );
    }
    if message.contains("outside function")
        || message.contains("outside loop")
        || message.contains("not properly in loop")
    {
        return told(
            "syntax.outside",
            format!("{message} on {place}."),
            "return belongs into a function; break and continue belong into a loop.",
            "Is the line indented as far as the block that it belongs to?",
        );
    }
    if message.contains("too many nested") || message.contains("too complex") {
        return told(
            "syntax.nesting",
            format!("Brackets or blocks are nested too deep on {place}."),
            "Python has a limit for that, and people have a lower one.",
            "Can part of it become a function?",
        );
    }
    let open = before.ends_with('\\') || before.matches('(').count() > before.matches(')').count();
    let hint = if open {
        "The line before it is not finished: what is missing at its end?"
    } else {
        "Look at the marked place and at the end of the line before: brackets, quotes, colons, operators."
    };
    told(
        "syntax.invalid",
        format!("Python got lost on {place}: `{text}`."),
        format!("Python says: {message}."),
        hint,
    )
}

fn indentation(failure: &Failure<'_>) -> Option<Advice> {
    let place = failure.place();
    let message = failure.message;
    if failure.kind == "TabError" || message.contains("inconsistent use of tabs") {
        return told(
            "indentation.tabs",
            format!("On {place} tabs and spaces are mixed."),
            "They look alike, and Python cannot know how wide a tab is.",
            "Let your editor turn all tabs into spaces.",
        );
    }
    if message.contains("expected an indented block") {
        return told(
            "indentation.missing_block",
            format!("Before {place} a line ends with a colon, and no indented line follows."),
            "What belongs to if, for, while, def or class is indented below it.",
            "Which lines should happen inside of it?",
        );
    }
    if message.contains("unexpected indent") {
        return told(
            "indentation.unexpected",
            format!("{} begins further to the right than the line before it.", capital(&place)),
            "Only what belongs to a block is indented.",
            "To which line above does it belong?",
        );
    }
    told(
        "indentation.mismatch",
        format!("{} begins at a column where no block begins.", capital(&place)),
        "All lines of a block begin at the same column.",
        "Which block does the line belong to?",
    )
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
