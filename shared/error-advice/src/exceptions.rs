//! Exceptions that a beginner's program ends with.

use crate::{
    failure::{Advice, Failure, Variable, advice, article, capital, none, quoted},
    source, type_error,
};

pub(crate) fn advise(failure: &Failure<'_>) -> Option<Advice> {
    match failure.kind {
        "NameError" => name_error(failure),
        "UnboundLocalError" => unbound_local(failure),
        "IndexError" => index_error(failure),
        "KeyError" => key_error(failure),
        "TypeError" => type_error::advise(failure),
        "ValueError" => value_error(failure),
        "AttributeError" => attribute_error(failure),
        "ZeroDivisionError" => zero_division(failure),
        "EOFError" => end_of_input(failure),
        "FileNotFoundError" | "IsADirectoryError" | "NotADirectoryError" => file_error(failure),
        "OverflowError" => advice(
            "overflow_error",
            format!("On {} a number is too large for this operation.", failure.place()),
            "Python's integers can be as large as you like, but floats, sizes and repetitions have a limit: at most 2 billion items here.",
            "How large is the number? Does it have to be that large?",
        ),
        "UnicodeEncodeError" => advice(
            "unicode_error.encode",
            format!(
                "On {} your program prints half of a character, which is not possible.",
                failure.place()
            ),
            "\\ud800 to \\udfff are halves of pairs, not complete characters.",
            "Where does that text come from?",
        ),
        "AssertionError" => advice(
            "assertion_error",
            format!("The assertion on {} is not true: `{}`.", failure.place(), failure.text()),
            "`assert` stops the program as soon as its condition is False.",
            "Print the values on both sides. Which one is not what you expect?",
        ),
        "KeyboardInterrupt" | "StopIteration" | "GeneratorExit" => None,
        _ if failure.is("OSError") => os_error(failure),
        _ => None,
    }
}

fn name_error(failure: &Failure<'_>) -> Option<Advice> {
    let name = quoted(failure.message)?;
    let place = failure.place();
    let what = format!("Python does not know the name `{name}` on {place}.");
    let line = failure.line.unwrap_or_default();
    let total = u32::try_from(failure.source.lines().count()).unwrap_or(u32::MAX);
    if source::assigns(failure.source, name, line + 1..=total) {
        return advice(
            "name_error.too_early",
            what,
            format!("`{name}` gets its value further down, and Python works from top to bottom."),
            "Which of the two lines must come first?",
        );
    }
    if let Some((_, suggestion)) = failure.message.split_once("Did you mean: '") {
        let suggestion = suggestion.split('\'').next().unwrap_or_default();
        return advice(
            "name_error.typo",
            format!("{what} There is a `{suggestion}`."),
            "A name must be written the same way each time, capital letters included.",
            format!("Compare `{name}` with the line where you gave the value its name."),
        );
    }
    if let Some((_, module)) = failure.message.split_once("Did you forget to import '") {
        let module = module.split('\'').next().unwrap_or(name);
        return advice(
            "name_error.import",
            what,
            format!("`{module}` is a module, and a module is known only after it is imported."),
            "What belongs at the top of your program?",
        );
    }
    advice(
        "name_error.unknown",
        what,
        "A name exists only after a line has given it a value, and a string needs quotes around it.",
        format!("Where should `{name}` get its value? Or did you mean the string \"{name}\"?"),
    )
}

fn unbound_local(failure: &Failure<'_>) -> Option<Advice> {
    let name = quoted(failure.message)?;
    let function = failure.function.unwrap_or("the function");
    advice(
        "unbound_local",
        format!("`{name}` has no value yet on {}, inside `{function}`.", failure.place()),
        format!(
            "`{function}` gives `{name}` a value somewhere, so inside the function `{name}` is a local name, separate from any `{name}` outside."
        ),
        format!(
            "Should `{name}` start with a value inside `{function}`, or come in as a parameter?"
        ),
    )
}

fn index_error(failure: &Failure<'_>) -> Option<Advice> {
    let (list, index) = subscript(failure.text());
    let holder = list.and_then(|name| failure.variable(name));
    let length = holder.and_then(|variable| variable.length);
    let value = index.and_then(|name| {
        failure
            .variable(name)
            .and_then(|variable| variable.text.clone())
            .or_else(|| name.parse::<i64>().ok().map(|number| number.to_string()))
    });
    if failure.message.starts_with("pop from") {
        return advice(
            "index_error.pop",
            format!("On {} your program takes something out of an empty list.", failure.place()),
            "pop() takes the last item out, and an empty list has none.",
            "When is the list empty, and what should happen then?",
        );
    }
    let what = match (list, length, value) {
        (Some(list), Some(0), _) => {
            format!("`{list}` is empty on {}, so it has no items.", failure.place())
        }
        (Some(list), Some(length), Some(value)) => {
            format!(
                "On {} the index is {value}, and `{list}` has {}: indexes 0 to {}.",
                failure.place(),
                items(length),
                length - 1
            )
        }
        (Some(list), Some(length), None) => {
            format!(
                "On {} the index is outside `{list}`, which has {}: indexes 0 to {}.",
                failure.place(),
                items(length),
                length - 1
            )
        }
        _ => format!("On {} an index is out of range.", failure.place()),
    };
    advice(
        "index_error",
        what,
        "Counting starts at 0, so the last item's index is the length minus one.",
        "Which values does the index take, and what is the last index that exists?",
    )
}

fn items(count: u32) -> String {
    if count == 1 { "1 item".to_owned() } else { format!("{count} items") }
}

/// The name and the index of the first simple `name[index]`.
fn subscript(text: &str) -> (Option<&str>, Option<&str>) {
    let Some((before, after)) = text.split_once('[') else { return (None, None) };
    let name = before
        .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .filter(|name| !name.is_empty());
    (name, after.split_once(']').map(|(index, _)| index.trim()))
}

fn key_error(failure: &Failure<'_>) -> Option<Advice> {
    let (name, _) = subscript(failure.text());
    let holder =
        name.and_then(|name| failure.variable(name)).filter(|variable| variable.kind == "dict");
    let key = failure.message;
    let what = match holder {
        Some(Variable { name, length: Some(0), .. }) => {
            format!("`{name}` is empty on {}, so it has no key {key}.", failure.place())
        }
        Some(Variable { name, text: Some(text), .. }) => {
            format!("`{name}` has no key {key} on {}; it is {text}.", failure.place())
        }
        Some(Variable { name, length: Some(length), .. }) => format!(
            "`{name}` has {length} keys on {}, and {key} is not one of them.",
            failure.place()
        ),
        _ => format!("There is no key {key} on {}.", failure.place()),
    };
    advice(
        "key_error",
        what,
        "A key must have the same spelling and the same type: \"1\" and 1 are two different keys.",
        "Which keys are there at that moment? What should happen when one is missing?",
    )
}

fn value_error(failure: &Failure<'_>) -> Option<Advice> {
    let (message, place) = (failure.message, failure.place());
    if let Some((_, text)) = message
        .split_once("with base 10: ")
        .or_else(|| message.split_once("could not convert string to float: "))
    {
        let why = if text == "''" {
            "The text is empty, so there are no digits in it."
        } else if text.contains('.') && message.contains("int()") {
            "int() reads whole numbers only; text with a decimal point is for float()."
        } else {
            "int() accepts only digits, with a sign in front if you like; float() accepts a decimal point too."
        };
        return advice(
            "value_error.number",
            format!("On {place} your program tries to turn {text} into a number."),
            why,
            "Where does that text come from, and what could somebody type there?",
        );
    }
    if message.contains("to unpack") {
        return advice(
            "value_error.unpack",
            format!(
                "On {place} the number of names on the left does not match the number of values on the right."
            ),
            format!("Python says: {message}."),
            "Print what is on the right. How many items does it have?",
        );
    }
    if message.contains("not in list")
        || message.contains("substring not found")
        || message.contains("x not in")
        || message.contains("not in tuple")
    {
        return advice(
            "value_error.not_found",
            format!("On {place} your program looks for something that is not there."),
            "remove() and index() work only if what they look for is there.",
            "How can you check first whether it is there?",
        );
    }
    if message.starts_with("math domain error")
        || message.contains("expected a nonnegative")
        || message.contains("expected a positive")
    {
        return advice(
            "value_error.domain",
            format!("On {place} a `math` function gets a number that it has no result for."),
            "A square root needs a number that is not below 0, and a logarithm needs one above 0.",
            "Which value does it get? Print it before that line.",
        );
    }
    if message.contains("I/O operation on closed file") {
        return advice(
            "value_error.closed_file",
            format!("On {place} your program uses a file that is already closed."),
            "A file is closed by close(), and at the end of its with block; sys.stdout is a file too.",
            "Is this line still inside the with block?",
        );
    }
    if message.contains("Exceeds the limit") {
        return advice(
            "value_error.digits",
            format!("On {place} your program converts a number with thousands of digits."),
            "That takes a very long time, so Python allows at most 4,300 digits.",
            "Do you need all of the digits?",
        );
    }
    None
}

fn attribute_error(failure: &Failure<'_>) -> Option<Advice> {
    let message = failure.message;
    if message.contains("'NoneType' object") {
        let name = failure.variables.iter().find(|variable| variable.kind == "NoneType");
        return none(failure, name.map(|variable| variable.name.as_str()));
    }
    let kind = quoted(message)?;
    let attribute =
        message.split("has no attribute '").nth(1).and_then(|rest| rest.split('\'').next())?;
    let holder = failure.variables.iter().find(|variable| variable.kind == kind);
    let holder = holder.map_or_else(
        || capital(&article(kind)),
        |variable| format!("`{}` ({kind})", variable.name),
    );
    let suggestion =
        message.split_once("Did you mean: '").and_then(|(_, rest)| rest.split('\'').next());
    let shadowed = message.contains("(consider renaming");
    let what = match suggestion {
        Some(near) => {
            format!("{holder} has no `{attribute}` on {}; there is a `{near}`.", failure.place())
        }
        None => format!("{holder} has no `{attribute}` on {}.", failure.place()),
    };
    if shadowed {
        return advice(
            "attribute_error.shadowed_module",
            what,
            "One of your own files has the same name as the module, so Python imports yours.",
            "What else could you call your file?",
        );
    }
    advice(
        "attribute_error",
        what,
        "What can come after the dot depends on the type of the value before it.",
        "Is the name spelled correctly? Does the value have the type that you think it has?",
    )
}

fn zero_division(failure: &Failure<'_>) -> Option<Advice> {
    let text = failure.text();
    let divisor =
        text.split(['/', '%']).nth(1).and_then(|rest| source::names(rest).next()).filter(|name| {
            failure.variable(name).is_some_and(|variable| {
                variable.text.as_deref() == Some("0")
                    || variable.text.as_deref() == Some("0.0")
                    || variable.length == Some(0)
            })
        });
    let what = match divisor.and_then(|name| failure.variable(name)) {
        Some(Variable { name, length: Some(0), .. }) => format!(
            "`{name}` is empty on {}, so its length is 0, and your program divides by that length.",
            failure.place()
        ),
        Some(Variable { name, .. }) => {
            format!("`{name}` is 0 on {}, and your program divides by it.", failure.place())
        }
        None => format!("On {} your program divides by 0: `{text}`.", failure.place()),
    };
    advice(
        "zero_division",
        what,
        "Dividing by zero has no result.",
        "For which input is it 0, and what should the answer be then?",
    )
}

fn end_of_input(failure: &Failure<'_>) -> Option<Advice> {
    let given = failure.stdin.lines().count();
    let lines = match given {
        0 => "no input was given".to_owned(),
        1 => "one line was given".to_owned(),
        _ => format!("{given} lines were given"),
    };
    advice(
        "end_of_input",
        format!(
            "Your program asks for input on {}, but there is none left: {lines}.",
            failure.place()
        ),
        "Each input() reads one line, and the lines are given before the program starts.",
        "How many times is input() called? Is it inside a loop that runs once too often?",
    )
}

fn file_error(failure: &Failure<'_>) -> Option<Advice> {
    let name = quoted(failure.message).unwrap_or("it");
    advice(
        "file_not_found",
        format!(
            "There is no file `{name}`, which {} needs: only your own files exist here, main.py among them.",
            failure.place()
        ),
        "Your program sees only the files that were sent with it and the files that it creates itself.",
        "Is the name spelled correctly, including its extension? Did you send the file with your program?",
    )
}

fn os_error(failure: &Failure<'_>) -> Option<Advice> {
    let message = failure.message;
    if message.contains("No space left") || message.contains("I/O error") {
        return advice(
            "os_error.space",
            format!("On {} your files need more space than there is.", failure.place()),
            "Your files may use at most 10 MB, and there may be at most 1,000 of them.",
            "Does all of it have to be in files?",
        );
    }
    if message.contains("uota exceeded") {
        return advice(
            "os_error.open_files",
            format!("On {} too many files are open at once.", failure.place()),
            "About 60 files can be open at once, and each stays open until it is closed.",
            "Where are the files closed? What does `with` do about that?",
        );
    }
    if message.contains("name too long") || message.contains("Name too long") {
        return advice(
            "os_error.name",
            format!("On {} a file name is too long.", failure.place()),
            "A name may have at most 255 bytes, and folders can be nested at most 32 deep.",
            "Can you make it shorter?",
        );
    }
    None
}
