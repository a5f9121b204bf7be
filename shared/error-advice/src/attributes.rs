//! What does not exist behind a dot.

use analysis::{Lacking, Program};

use crate::failure::{Advice, Failure, advice, article, capital, none, one, quoted};

/// Methods that beginners look for in the wrong kind of value, and the kinds that have them.
const METHODS: [(&str, &str); 26] = [
    ("append", "lists"),
    ("extend", "lists"),
    ("insert", "lists"),
    ("sort", "lists"),
    ("reverse", "lists"),
    ("remove", "lists and sets"),
    ("pop", "lists and dictionaries"),
    ("add", "sets"),
    ("update", "dictionaries and sets"),
    ("keys", "dictionaries"),
    ("values", "dictionaries"),
    ("items", "dictionaries"),
    ("get", "dictionaries"),
    ("split", "strings"),
    ("join", "strings"),
    ("strip", "strings"),
    ("upper", "strings"),
    ("lower", "strings"),
    ("replace", "strings"),
    ("startswith", "strings"),
    ("endswith", "strings"),
    ("isdigit", "strings"),
    ("format", "strings"),
    ("find", "strings"),
    ("read", "open files"),
    ("write", "open files"),
];

/// Advice on an `AttributeError`.
pub(crate) fn advise(failure: &Failure<'_>) -> Option<Advice> {
    let message = failure.message;
    if message.contains("'NoneType' object") {
        let name = failure.variables.iter().find(|variable| variable.kind == "NoneType");
        return none(failure, name.map(|variable| variable.name.as_str()));
    }
    let kind = quoted(message)?;
    let attribute =
        message.split("has no attribute '").nth(1).and_then(|rest| rest.split('\'').next())?;
    let is_module = message.contains("module '");
    if let Some(found) = (!is_module).then(|| of_own_class(failure, kind, attribute)).flatten() {
        return Some(found);
    }
    let holder = failure.variables.iter().find(|variable| variable.kind == kind);
    let holder = match holder {
        _ if is_module => format!("The module `{kind}`"),
        _ if message.contains("type object") => format!("The class `{kind}`"),
        Some(variable) => format!("`{}` ({kind})", variable.name),
        None => capital(&article(kind)),
    };
    let suggestion =
        message.split_once("Did you mean: '").and_then(|(_, rest)| rest.split('\'').next());
    let what = match suggestion {
        Some(near) => {
            format!("{holder} has no `{attribute}` on {}; there is {}.", failure.place(), one(near))
        }
        None => format!("{holder} has no `{attribute}` on {}.", failure.place()),
    };
    if message.contains("(consider renaming") || message.contains("partially initialized") {
        return advice(
            "attribute_error.shadowed_module",
            what,
            "One of your own files has the same name as the module, so Python imports yours.",
            "What else could you call your file?",
        );
    }
    let of = METHODS
        .iter()
        .find(|(method, _)| *method == attribute)
        .filter(|_| !is_module && suggestion.is_none());
    if let Some((_, kinds)) = of {
        return advice(
            "attribute_error.of_another_type",
            format!("{what} It is a method of {kinds}."),
            "What can come after the dot depends on the type of the value before it.",
            "Which line gave the value its type, and is it the type that you want there?",
        );
    }
    advice(
        "attribute_error",
        what,
        "What can come after the dot depends on the type of the value before it.",
        "Is the name spelled correctly? Does the value have the type that you think it has?",
    )
}

/// What the program's own class says about it.
fn of_own_class(failure: &Failure<'_>, class: &str, attribute: &str) -> Option<Advice> {
    let program = Program::read(failure.source).ok()?;
    let what = format!("An object of `{class}` has no `{attribute}` on {}.", failure.place());
    match program.lacking(class, attribute)? {
        Lacking::InitMisspelled(name, line) => init_name(class, name, line, what),
        Lacking::BaseNotCalled(base, line) => advice(
            "attribute_error.base_init",
            what,
            format!(
                "`{attribute}` is set by the `__init__` of `{base}`, and the `__init__` of `{class}` on line {line} replaces that one without calling it."
            ),
            format!("How does a method call the same method of its base class, `{base}`?"),
        ),
        Lacking::Local(line) => advice(
            "attribute_error.local",
            what,
            format!(
                "On line {line} `{attribute}` is a name of the method alone, which is gone when the method ends."
            ),
            format!("What must stand before `{attribute}` so that it belongs to the object?"),
        ),
        Lacking::SetBy(method, line) => advice(
            "attribute_error.not_set_yet",
            what,
            format!(
                "The class sets it only on line {line}, in `{method}`, and for this object `{method}` has not done so."
            ),
            format!(
                "Should every `{class}` have `{attribute}` from the beginning? Which method runs first?"
            ),
        ),
    }
}

/// Advice on a misspelled `__init__`.
pub(crate) fn init_name(class: &str, name: &str, line: u32, what: String) -> Option<Advice> {
    advice(
        "class.init_name",
        what,
        format!(
            "The method `{name}` of `{class}` on line {line} looks like the one that Python calls for each new object, but its name is written differently."
        ),
        format!(
            "How many underscores are there before and after the name, and which letters between them? Compare `{name}` with an example."
        ),
    )
}
