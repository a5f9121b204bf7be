//! Operations on values of the wrong type.

use analysis::{Lacking, Program};

use crate::{
    attributes::init_name,
    failure::{Advice, Failure, Rule, advice, article, by_rules, none},
    source,
};

pub(crate) fn advise(failure: &Failure<'_>) -> Option<Advice> {
    let message = failure.message;
    let has = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    if message.contains("NoneType") {
        let name = failure.variables.iter().find(|variable| variable.kind == "NoneType");
        return none(failure, name.map(|variable| variable.name.as_str()));
    }
    if has(&[
        "unsupported operand",
        "can only concatenate",
        "must be str, not",
        "not supported between instances",
    ]) {
        return input_is_text(failure).or_else(|| operands(failure));
    }
    if has(&[
        "positional argument",
        "required keyword",
        "unexpected keyword",
        "takes no arguments",
        "multiple values for argument",
    ]) {
        return misspelled_init(failure).or_else(|| arguments(failure));
    }
    not_callable(failure).or_else(|| by_rules(&RULES, failure))
}

/// Text from `input()` that was not converted to a number.
fn input_is_text(failure: &Failure<'_>) -> Option<Advice> {
    let reads = |line: &str, name: &str| {
        let line = line.trim();
        line.starts_with(name)
            && line.contains("input(")
            && !line.contains("int(")
            && !line.contains("float(")
    };
    let mut texts = failure.variables.iter().filter(|variable| variable.kind == "str");
    let read = texts.find(|text| failure.source.lines().any(|line| reads(line, &text.name)))?;
    advice(
        "type_error.input_is_text",
        format!(
            "`{}` is a string (str) on {}, and the other value is not.",
            read.name,
            failure.place()
        ),
        "input() always gives a string, even when somebody types digits.",
        format!("What must happen to `{}` before you can calculate with it?", read.name),
    )
}

fn operands(failure: &Failure<'_>) -> Option<Advice> {
    let values = failure.variables.iter();
    let values = values.filter(|v| v.kind != "builtin_function_or_method" && v.kind != "type");
    let kinds: Vec<String> =
        values.map(|value| format!("`{}` is {}", value.name, article(&value.kind))).collect();
    let found = if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
    advice(
        "type_error.operands",
        format!(
            "On {} your program combines values whose types do not go together{found}.",
            failure.place()
        ),
        "Python can join strings and calculate with numbers, but it does not guess which of the two you mean.",
        "Which value should be converted, and to which type?",
    )
}

fn arguments(failure: &Failure<'_>) -> Option<Advice> {
    let function = failure.message.split('(').next().unwrap_or_default();
    let short = function.rsplit('.').next().unwrap_or(function);
    let defined = source::definition(failure.source, short)
        .map_or_else(String::new, |line| format!(", which is defined on line {line}"));
    let why = if function.contains('.') && failure.message.contains("takes 0 positional") {
        "A method gets its object as its first argument, which is usually called self.".to_owned()
    } else {
        format!("Python says: {}.", failure.message)
    };
    advice(
        "type_error.arguments",
        format!("The call on {} does not fit `{short}`{defined}.", failure.place()),
        why,
        "Compare the call with the parameters, one by one.",
    )
}

/// A class that takes no arguments, although it has something like `__init__`.
fn misspelled_init(failure: &Failure<'_>) -> Option<Advice> {
    let class = failure.message.strip_suffix("() takes no arguments")?;
    let program = Program::read(failure.source).ok()?;
    let Lacking::InitMisspelled(name, line) = program.misspelled_init(class)? else { return None };
    let what =
        format!("`{class}` is called with arguments on {}, and it takes none.", failure.place());
    init_name(class, name, line, what)
}

fn not_callable(failure: &Failure<'_>) -> Option<Advice> {
    let (kind, _) = failure.message.split_once(" object is not callable")?;
    let kind = kind.trim_matches('\'');
    let called = source::names(failure.text())
        .find(|name| failure.variable(name).is_some_and(|variable| variable.kind == kind));
    let name = called.map_or_else(
        || format!("something that is {}", article(kind)),
        |name| format!("`{name}`, which is {},", article(kind)),
    );
    advice(
        "type_error.not_callable",
        format!("On {} {name} is called like a function.", failure.place()),
        "Parentheses after a name call it, and only functions, methods and classes can be called.",
        "Did you give a value the name of a function? Or do you want an item, which needs square brackets?",
    )
}

const RULES: [Rule; 14] = [
    Rule {
        rule: "type_error.no_length",
        parts: &["has no len()"],
        what: "on {place} len() gets {kind}.",
        why: "Only values that have items have a length: strings, lists, dictionaries and so on.",
        hint: "Do you want the number of digits, or of items? Which value has them?",
    },
    Rule {
        rule: "type_error.repeat",
        parts: &["multiply sequence by non-int", "can't multiply sequence"],
        what: "on {place} a string or a list is multiplied by something that is not a whole number.",
        why: "A string or a list times a whole number is repeated; it cannot be repeated half a time, nor by another string.",
        hint: "Should both be numbers? Which of the two comes from input() or from a division?",
    },
    Rule {
        rule: "type_error.sign",
        parts: &["bad operand type for"],
        what: "on {place} a sign or a function for numbers meets {kind}.",
        why: "Python says: {message}.",
        hint: "Which value should be a number there?",
    },
    Rule {
        rule: "type_error.format",
        parts: &["during string formatting", "not enough arguments for format"],
        what: "on {place} the number of % marks in a string does not match the number of values.",
        why: "Each mark such as %s or %d takes one value.",
        hint: "Count the marks and the values.",
    },
    Rule {
        rule: "type_error.unpack",
        parts: &["cannot unpack non-iterable"],
        what: "on {place} several names on the left should share a value that has no items.",
        why: "To unpack means to give each name one item; {message}.",
        hint: "What is on the right, and what did you expect there?",
    },
    Rule {
        rule: "type_error.convert",
        parts: &["argument must be a string"],
        what: "on {place} a value is converted to a number from which that cannot be done.",
        why: "Python says: {message}.",
        hint: "Is it a single value or a collection of values?",
    },
    Rule {
        rule: "type_error.init_returns",
        parts: &["__init__() should return None"],
        what: "on {place} an object is made whose `__init__` returns a value.",
        why: "`__init__` only prepares the new object; the object itself is the result of the call.",
        hint: "What should happen with the value that `__init__` returns?",
    },
    Rule {
        rule: "type_error.unchangeable",
        parts: &["'str' object does not support item", "'tuple' object does not support item"],
        what: "on {place} your program tries to change a part of {kind}.",
        why: "{kind} cannot be changed once it exists.",
        hint: "How can you make a new one instead?",
    },
    Rule {
        rule: "type_error.not_subscriptable",
        parts: &["is not subscriptable", "does not support item assignment"],
        what: "on {place} square brackets follow {kind}.",
        why: "{kind} has no items that square brackets could pick out.",
        hint: "What did you expect there, and which line gave it its value?",
    },
    Rule {
        rule: "type_error.index_type",
        parts: &["indices must be integers"],
        what: "on {place} the index is not a whole number.",
        why: "`for item in items` gives the items themselves, not their indexes.",
        hint: "Is the value in the square brackets an index or an item?",
    },
    Rule {
        rule: "type_error.not_iterable",
        parts: &["is not iterable"],
        what: "on {place} your program tries to go through the items of {kind}.",
        why: "Only values that have items work there: lists, strings, ranges, dictionaries and so on.",
        hint: "If you want to count up to a number, what gives you the numbers?",
    },
    Rule {
        rule: "type_error.unhashable",
        parts: &["unhashable type"],
        what: "on {place} {kind} is used as a key or put into a set.",
        why: "A key must never change, and lists, dictionaries and sets can change.",
        hint: "Which kind of collection cannot change and holds the same items?",
    },
    Rule {
        rule: "type_error.raise",
        parts: &["exceptions must derive from"],
        what: "on {place} your program raises something that is not an exception: exceptions must derive from BaseException.",
        why: "Only exceptions can be raised, such as ValueError(\"…\").",
        hint: "Which exception fits?",
    },
    Rule {
        rule: "type_error.number_wanted",
        parts: &["must be real number", "cannot be interpreted as an integer"],
        what: "on {place} a number is needed, but the value is {kind}.",
        why: "Python says: {message}.",
        hint: "Where does that value come from?",
    },
];
