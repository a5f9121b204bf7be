//! Exceptions that a beginner's program ends with.

use crate::{
    attributes,
    failure::{Advice, Ending, Failure, Rule, Variable, advice, by_rules, quoted},
    limits, names, source, texts, type_error,
};

pub(crate) fn advise(failure: &Failure<'_>) -> Option<Advice> {
    if let Some(mark) = texts::byte_order_mark(failure) {
        return Some(mark);
    }
    match failure.kind {
        "NameError" => names::unknown(failure),
        "UnboundLocalError" => names::unbound_local(failure),
        "IndexError" => index_error(failure),
        "KeyError" => key_error(failure),
        "TypeError" => type_error::advise(failure),
        "ValueError" => value_error(failure),
        "AttributeError" => attributes::advise(failure),
        "ZeroDivisionError" => zero_division(failure),
        "EOFError" => end_of_input(failure),
        "FileNotFoundError" | "IsADirectoryError" | "NotADirectoryError" => file_error(failure),
        "OverflowError" => advice(
            "overflow_error",
            format!("On {} a number is too large for this operation.", failure.place()),
            "Python's integers can be as large as you like, but floats, sizes and repetitions have a limit: at most 2 billion items here.",
            "How large is the number? Does it have to be that large?",
        ),
        "UnicodeEncodeError" => texts::encode(failure),
        "UnicodeDecodeError" => texts::decode(failure),
        "JSONDecodeError" => texts::json(failure),
        "RuntimeError" => by_rules(&RUNTIME, failure),
        "StopIteration" => advice(
            "stop_iteration",
            format!("On {} next() asks for another item, and there is none left.", failure.place()),
            "A for loop stops by itself after the last item; next() ends the program with StopIteration instead.",
            "How many items are there, and how often is next() called?",
        ),
        // A pasted report: in the sandbox a run ends with its limit instead.
        "RecursionError" => limits::advise(&Failure { ending: Ending::Recursion, ..*failure }),
        "AssertionError" => advice(
            "assertion_error",
            format!("The assertion on {} is not true: `{}`.", failure.place(), failure.text()),
            "`assert` stops the program as soon as its condition is False.",
            "Print the values on both sides. Which one is not what you expect?",
        ),
        "KeyboardInterrupt" | "GeneratorExit" => None,
        _ if failure.is("OSError") => os_error(failure),
        _ => None,
    }
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

const RUNTIME: [Rule; 6] = [
    Rule {
        rule: "runtime_error.changed_size",
        parts: &[
            "changed size during iteration",
            "keys changed during iteration",
            "mutated during iteration",
        ],
        what: "the loop on {place} goes through a collection whose size changes while it runs.",
        why: "When items are added or removed, Python cannot know which one comes next: {message}.",
        hint: "Which line in the loop adds or removes something? Could the loop go through a copy, or collect the changes first?",
    },
    Rule {
        rule: "runtime_error.generator",
        parts: &["generator raised StopIteration"],
        what: "a generator on {place} calls next() when there is nothing left.",
        why: "Inside a generator a StopIteration would look like its own end, so Python turns it into a RuntimeError.",
        hint: "What should the generator do when the inner items are used up?",
    },
    Rule {
        rule: "runtime_error.raise",
        parts: &["No active exception to re-raise", "No active exception to reraise"],
        what: "a `raise` without an exception stands on {place}, and no exception is being handled there.",
        why: "`raise` alone passes on the exception that an except block has caught.",
        hint: "Is the line inside an except block? If not, which exception should it raise?",
    },
    Rule {
        rule: "runtime_error.super",
        parts: &["super(): no arguments", "__class__ cell not found", "super(): no current frame"],
        what: "`super()` on {place} is not inside a method with a first parameter.",
        why: "`super()` finds the class and the object by the method that it stands in.",
        hint: "Is the function indented into its class, and does it have self?",
    },
    Rule {
        rule: "runtime_error.event_loop",
        parts: &["event loop is already running", "cannot be called from a running event loop"],
        what: "on {place} an event loop is started while one is running.",
        why: "There is one event loop for the whole program; inside it, other coroutines are awaited.",
        hint: "Is that line already inside an async def?",
    },
    Rule {
        rule: "runtime_error.reuse",
        parts: &["cannot reuse already awaited", "threads can only be started once"],
        what: "on {place} something is started a second time that works only once.",
        why: "Python says: {message}.",
        hint: "Which line starts it first, and can you make a new one instead?",
    },
];
