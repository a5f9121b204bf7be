//! Names that have no value.

use analysis::{Program, Unset};

use crate::{
    absent::KNOWN,
    failure::{Advice, Failure, advice, one, quoted},
    source,
};

/// Names that beginners expect without an import, and the module that has each.
const OF_MODULES: [(&str, &str); 40] = [
    ("sqrt", "math"),
    ("pi", "math"),
    ("ceil", "math"),
    ("floor", "math"),
    ("factorial", "math"),
    ("sin", "math"),
    ("cos", "math"),
    ("tan", "math"),
    ("log", "math"),
    ("gcd", "math"),
    ("isclose", "math"),
    ("radians", "math"),
    ("randint", "random"),
    ("choice", "random"),
    ("shuffle", "random"),
    ("sample", "random"),
    ("uniform", "random"),
    ("randrange", "random"),
    ("sleep", "time"),
    ("perf_counter", "time"),
    ("timedelta", "datetime"),
    ("date", "datetime"),
    ("Counter", "collections"),
    ("defaultdict", "collections"),
    ("deque", "collections"),
    ("OrderedDict", "collections"),
    ("namedtuple", "collections"),
    ("reduce", "functools"),
    ("lru_cache", "functools"),
    ("partial", "functools"),
    ("deepcopy", "copy"),
    ("Enum", "enum"),
    ("dataclass", "dataclasses"),
    ("Decimal", "decimal"),
    ("Fraction", "fractions"),
    ("Path", "pathlib"),
    ("permutations", "itertools"),
    ("combinations", "itertools"),
    ("mean", "statistics"),
    ("median", "statistics"),
];

/// Words of other languages, and Python's for the same.
const OF_LANGUAGES: [(&str, &str); 8] = [
    ("true", "True"),
    ("false", "False"),
    ("TRUE", "True"),
    ("FALSE", "False"),
    ("null", "None"),
    ("nil", "None"),
    ("none", "None"),
    ("NULL", "None"),
];

/// The least similarity of a name that may be meant.
const NEAR: f64 = 0.75;

/// Advice on a `NameError`.
pub(crate) fn unknown(failure: &Failure<'_>) -> Option<Advice> {
    let name = quoted(failure.message)?;
    let place = failure.place();
    if failure.message.contains("free variable") {
        return advice(
            "unbound_local.outer",
            format!(
                "`{name}` has no value yet on {place}: the function around gives it one only later, or not at all."
            ),
            "An inner function reads the names of the outer one at the moment when it is called.",
            "Which line of the outer function gives the name its value, and has it run by then?",
        );
    }
    let what = format!("Python does not know the name `{name}` on {place}.");
    let program = Program::read(failure.source).ok();
    if let Some(found) = program.as_ref().and_then(|program| not_yet(failure, program, name)) {
        return Some(found);
    }
    if let Some(found) = of_another_alphabet(failure, name, &what) {
        return Some(found);
    }
    if let Some((_, python)) = OF_LANGUAGES.iter().find(|(word, _)| *word == name) {
        return advice(
            "name_error.constant",
            format!("{what} Python has a `{python}`."),
            "Python writes its three fixed values with a capital letter: True, False and None.",
            "Which of the three do you mean?",
        );
    }
    if failure.message.contains("Did you mean: 'self.")
        || failure.source.contains(&format!("self.{name}"))
    {
        return advice(
            "name_error.self",
            format!("{what} There is a `self.{name}`."),
            "What belongs to an object is reached through the object, inside its methods, too.",
            format!("Whose `{name}` do you mean on that line?"),
        );
    }
    let owner =
        program.as_ref().zip(failure.line).and_then(|(program, line)| program.owner(name, line));
    if let Some(owner) = owner {
        return advice(
            "name_error.scope",
            format!("{what} The `{name}` in `{owner}` belongs to that function alone."),
            "A name that gets its value inside a function exists only there, and only while the function runs.",
            format!(
                "How can the value of `{name}` get out of `{owner}`, or into the place where you need it?"
            ),
        );
    }
    if let Some(found) = imported(failure, name, &what) {
        return Some(found);
    }
    let told =
        failure.message.split_once("Did you mean: '").and_then(|(_, rest)| rest.split('\'').next());
    if let Some(meant) = told.map(str::to_owned).or_else(|| near(program.as_ref()?, name)) {
        return advice(
            "name_error.typo",
            format!("{what} There is {}.", one(&meant)),
            "A name must be written the same way each time, capital letters included.",
            format!("Compare `{name}` with the line where you gave the value its name."),
        );
    }
    advice(
        "name_error.unknown",
        what,
        "A name exists only after a line has given it a value, and a string needs quotes around it.",
        format!("Where should `{name}` get its value? Or did you mean the string \"{name}\"?"),
    )
}

/// The program gives the name a value, and that line has not run.
fn not_yet(failure: &Failure<'_>, program: &Program<'_>, name: &str) -> Option<Advice> {
    let line = failure.line?;
    let what = format!("Python does not know the name `{name}` on {}.", failure.place());
    if let Some(why) = program.why_unbound(name, line).filter(|why| *why != Unset::Later) {
        return path(failure, name, why);
    }
    let given = program.first_given(name)?;
    if given > line {
        return advice(
            "name_error.too_early",
            what,
            format!(
                "`{name}` gets its value further down, on line {given}, and Python works from top to bottom."
            ),
            "Which of the two lines must come first?",
        );
    }
    None
}

/// A module, or a name of one, without its import.
fn imported(failure: &Failure<'_>, name: &str, what: &str) -> Option<Advice> {
    let told = failure.message.split_once("Did you forget to import '");
    let told = told.and_then(|(_, module)| module.split('\'').next());
    if let Some(module) = told.or_else(|| KNOWN.contains(&name).then_some(name)) {
        return advice(
            "name_error.import",
            what,
            format!("`{module}` is a module, and a module is known only after an import."),
            "What belongs at the top of your program?",
        );
    }
    let (_, module) = OF_MODULES.iter().find(|(known, _)| *known == name)?;
    let is_imported = source::has_line(failure.source, &format!("import {module}"));
    let hint = if is_imported {
        format!("How do you reach a name of `{module}` after that import?")
    } else {
        "What belongs at the top of your program?".to_owned()
    };
    advice(
        "name_error.import",
        format!("{what} The module `{module}` has a `{name}`."),
        "The names of a module are known only after an import: alone if you import the name, behind the module's name and a dot if you import the module.",
        hint,
    )
}

/// A name with a letter that only looks like a Latin one.
fn of_another_alphabet(failure: &Failure<'_>, name: &str, what: &str) -> Option<Advice> {
    let has_latin = name.chars().any(|c| c.is_ascii_alphabetic());
    let odd = name.chars().find(|c| matches!(c, 'Ѐ'..='ӿ' | 'Ͱ'..='Ͽ'))?;
    let is_elsewhere = failure.source.chars().filter(|c| *c == odd).count()
        > name.chars().filter(|c| *c == odd).count();
    (has_latin && !is_elsewhere).then(|| {
        advice(
            "name_error.look_alike",
            format!("{what} Its letter `{odd}` (U+{:04X}) belongs to another alphabet.", u32::from(odd)),
            "Some letters of the Greek and the Cyrillic alphabet look like Latin ones, and to Python they are different.",
            "Type the name again, with the keyboard that you use for the rest of the program.",
        )
    })?
}

/// The name of the program that is most like this one.
fn near(program: &Program<'_>, name: &str) -> Option<String> {
    let known = program.assigned_names().into_iter().map(|known| {
        (strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase()), known)
    });
    let near = known.filter(|(likeness, known)| *likeness >= NEAR && *known != name);
    near.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, known)| known.to_owned())
}

/// Advice on an `UnboundLocalError`.
pub(crate) fn unbound_local(failure: &Failure<'_>) -> Option<Advice> {
    let name = quoted(failure.message)?;
    let program = Program::read(failure.source).ok();
    let why = program
        .as_ref()
        .zip(failure.line)
        .and_then(|(program, line)| program.why_unbound(name, line));
    if let Some(found) =
        why.filter(|why| *why != Unset::Later).and_then(|why| path(failure, name, why))
    {
        return Some(found);
    }
    let function = failure.function.unwrap_or("the function");
    if failure.source.contains(&format!("self.{name}")) {
        return advice(
            "unbound_local.self",
            format!(
                "`{name}` has no value yet on {}, inside `{function}`. There is a `self.{name}`.",
                failure.place()
            ),
            format!(
                "`{function}` gives `{name}` a value somewhere, so it is a local name there, separate from the one that belongs to the object."
            ),
            format!("Whose `{name}` do you mean on that line?"),
        );
    }
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

/// The line that gives the name its value is on a path that was not taken.
fn path(failure: &Failure<'_>, name: &str, why: Unset) -> Option<Advice> {
    let what = format!("`{name}` has no value on {}.", failure.place());
    let (rule, why, hint) = match why {
        Unset::Later => return None,
        Unset::Loop(line) => (
            "unbound_local.loop",
            format!(
                "It gets its value only inside the loop on line {line}, and this time that line of the loop did not run: perhaps there was no item at all."
            ),
            format!("What should `{name}` be if the loop never runs?"),
        ),
        Unset::Branch(line) => (
            "unbound_local.branch",
            format!(
                "Only some of the ways through the block on line {line} give it one, and this time another way was taken."
            ),
            format!("What should `{name}` be in the other cases?"),
        ),
        Unset::Attempt(line) => (
            "unbound_local.attempt",
            format!("The `try` on line {line} failed before the line that gives it one."),
            format!("What should `{name}` be if that fails?"),
        ),
        Unset::Deleted(line) => (
            "unbound_local.deleted",
            format!("The `del` on line {line} took its name away."),
            format!("Is `{name}` still needed after that line?"),
        ),
    };
    advice(rule, what, why, hint)
}
