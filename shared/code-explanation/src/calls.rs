//! Calls in words: of Python's own functions and methods, and of the program's.

use ruff_python_ast::{Comprehension, Expr, ExprCall};

use crate::{value::code, words::Words};

/// What Python's own functions give back; `{}` is the argument.
const OF_ONE: [(&str, &str); 25] = [
    ("len", "the length of {}"),
    ("int", "{} as a whole number"),
    ("float", "{} as a decimal number"),
    ("str", "{} as a text"),
    ("bool", "{} as `True` or `False`"),
    ("list", "a new list with the items of {}"),
    ("tuple", "a tuple with the items of {}"),
    ("set", "a set with the items of {}, each only once"),
    ("dict", "a new dictionary made from {}"),
    ("sum", "the sum of {}"),
    ("max", "the largest of {}"),
    ("min", "the smallest of {}"),
    ("abs", "{} without its sign"),
    ("round", "{} rounded to a whole number"),
    ("sorted", "a new list with the items of {} in order"),
    ("reversed", "{} from back to front"),
    ("enumerate", "the items of {} with their positions"),
    ("range", "the whole numbers from 0 up to, but not including, {}"),
    ("type", "the type of {}"),
    ("input", "what the user types after the text {}"),
    ("any", "`True` if at least one of {} is true, otherwise `False`"),
    ("all", "`True` if all of {} are true, otherwise `False`"),
    ("ord", "the number of the character {}"),
    ("chr", "the character with the number {}"),
    ("next", "the next value of {}"),
];
const OF_NONE: [(&str, &str); 8] = [
    ("input", "what the user types"),
    ("list", "an empty list"),
    ("dict", "an empty dictionary"),
    ("set", "an empty set"),
    ("tuple", "an empty tuple"),
    ("str", "an empty text"),
    ("int", "0"),
    ("float", "0.0"),
];
/// `{0}` and `{1}` are the arguments.
const OF_TWO: [(&str, &str); 11] = [
    ("range", "the whole numbers from {0} up to, but not including, {1}"),
    ("round", "{0} rounded to {1} places"),
    ("max", "the larger of {0} and {1}"),
    ("min", "the smaller of {0} and {1}"),
    ("zip", "the items of {0} and {1} in pairs"),
    ("isinstance", "whether {0} is of the type {1}"),
    ("map", "the results of calling {0} with each item of {1}"),
    ("filter", "those items of {1} for which {0} is true"),
    ("pow", "{0} to the power of {1}"),
    ("divmod", "the whole quotient and the remainder of {0} divided by {1}"),
    ("sum", "the sum of {0}, counted from {1}"),
];
/// What methods give back; `{o}` is the object.
const METHODS: [(&str, usize, &str); 32] = [
    ("upper", 0, "{o} in capital letters"),
    ("lower", 0, "{o} in small letters"),
    ("title", 0, "{o} with a capital letter at the beginning of each word"),
    ("capitalize", 0, "{o} with a capital letter at the beginning"),
    ("strip", 0, "{o} without the spaces and line ends around it"),
    ("lstrip", 0, "{o} without the spaces at its beginning"),
    ("rstrip", 0, "{o} without the spaces and line ends at its end"),
    ("split", 0, "the list of the words in {o}"),
    ("split", 1, "the list of the parts of {o} between each {0}"),
    ("splitlines", 0, "the list of the lines of {o}"),
    ("join", 1, "the texts of {0} in one text, with {o} between them"),
    ("replace", 2, "{o} with {1} in place of each {0}"),
    ("startswith", 1, "whether {o} begins with {0}"),
    ("endswith", 1, "whether {o} ends with {0}"),
    ("isdigit", 0, "whether {o} consists of digits"),
    ("isalpha", 0, "whether {o} consists of letters"),
    ("isalnum", 0, "whether {o} consists of letters and digits"),
    ("isupper", 0, "whether the letters of {o} are capital letters"),
    ("islower", 0, "whether the letters of {o} are small letters"),
    ("isspace", 0, "whether {o} consists of spaces"),
    ("count", 1, "how often {0} is in {o}"),
    ("index", 1, "the position of the first {0} in {o}"),
    ("find", 1, "the position of {0} in {o} (-1 if it is not there)"),
    ("items", 0, "the keys of {o} with their values"),
    ("keys", 0, "the keys of {o}"),
    ("values", 0, "the values of {o}"),
    ("get", 1, "the value of {0} in {o} (`None` if it is not there)"),
    ("get", 2, "the value of {0} in {o} ({1} if it is not there)"),
    ("copy", 0, "a copy of {o}"),
    ("pop", 0, "what is taken out of {o} by `pop`"),
    ("read", 0, "the whole text of {o}"),
    ("readlines", 0, "the list of the lines of {o}"),
];
/// What methods do.
const DONE: [(&str, usize, &str); 19] = [
    ("append", 1, "adds {0} at the end of {o}"),
    ("add", 1, "adds {0} to {o}"),
    ("extend", 1, "adds all items of {0} at the end of {o}"),
    ("insert", 2, "puts {1} into {o} at position {0}"),
    ("remove", 1, "removes {0} from {o}"),
    ("discard", 1, "removes {0} from {o}, if it is there"),
    ("pop", 0, "takes something out of {o} (the last item, if {o} is a list)"),
    ("pop", 1, "takes out of {o} what is at {0}"),
    ("clear", 0, "empties {o}"),
    ("sort", 0, "puts the items of {o} in order, in {o} itself"),
    ("reverse", 0, "turns {o} round, in {o} itself"),
    ("update", 1, "adds the content of {0} to {o}"),
    ("write", 1, "writes {0} into {o}"),
    ("close", 0, "closes {o}"),
    (
        "strip",
        0,
        "works out {o} without the spaces around it, and drops the result: {o} stays as it is",
    ),
    ("upper", 0, "works out {o} in capital letters, and drops the result: {o} stays as it is"),
    ("lower", 0, "works out {o} in small letters, and drops the result: {o} stays as it is"),
    (
        "replace",
        2,
        "works out {o} with {1} in place of {0}, and drops the result: {o} stays as it is",
    ),
    ("setdefault", 2, "gives {0} the value {1} in {o}, if it has none yet"),
];

/// What a call gives back, as a noun.
pub(crate) fn value(words: Words<'_>, call: &ExprCall) -> String {
    known(words, call).unwrap_or_else(|| of_program(words, call))
}

/// When the result of a call is true.
pub(crate) fn condition(words: Words<'_>, call: &ExprCall) -> String {
    match known(words, call).and_then(|text| text.strip_prefix("whether ").map(str::to_owned)) {
        Some(clause) => clause,
        None => format!("the result of {} is true", words.quote(call)),
    }
}

/// What a call does that stands alone, as a verb with its objects.
pub(crate) fn done(words: Words<'_>, call: &ExprCall) -> String {
    if let Some(text) = method(words, call, &DONE) {
        return text;
    }
    match call.func.as_ref() {
        Expr::Name(name) if name.id.as_str() == "print" && words.names.is_pythons("print") => {
            print(words, call)
        }
        Expr::Name(name) if name.id.as_str() == "input" && words.names.is_pythons("input") => {
            format!("waits until the user presses Enter ({})", words.quote(call))
        }
        _ => format!("calls {}", words.quote(call)),
    }
}

fn known(words: Words<'_>, call: &ExprCall) -> Option<String> {
    if let Expr::Name(name) = call.func.as_ref() {
        let name = name.id.as_str();
        if !call.arguments.keywords.is_empty() || !words.names.is_pythons(name) {
            return None;
        }
        let find = |list: &[(&str, &'static str)]| {
            list.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
        };
        let args = &call.arguments.args;
        if args.iter().any(Expr::is_starred_expr) {
            return None;
        }
        return match &**args {
            [Expr::Generator(made)] if matches!(name, "any" | "all" | "sum") => {
                of_each(words, name, &made.elt, &made.generators).or_else(|| {
                    find(&OF_ONE).map(|text| text.replace("{}", &words.operand(&args[0])))
                })
            }
            [] => find(&OF_NONE).map(str::to_owned),
            [one] => find(&OF_ONE).map(|text| text.replace("{}", &words.operand(one))),
            [one, two] => {
                let two = words.operand(two);
                find(&OF_TWO).map(|text| filled(text, "", &[words.operand(one), two]))
            }
            [from, to, step] if name == "range" => {
                let way = if crate::words::whole(step)? > 0 { "up" } else { "down" };
                let [from, to, step] = [from, to, step].map(|arg| words.operand(arg));
                Some(format!(
                    "the whole numbers from {from} {way} to, but not including, {to}, in steps of {step}"
                ))
            }
            _ => None,
        };
    }
    method(words, call, &METHODS)
}

/// `any(x > 2 for x in xs)`, `all(…)`, and `sum(…)` of conditions, which counts.
fn of_each(
    words: Words<'_>,
    name: &str,
    element: &Expr,
    generators: &[Comprehension],
) -> Option<String> {
    let [made] = generators else { return None };
    if !made.ifs.is_empty() {
        return None;
    }
    let (item, items) = (words.quote(&made.target), words.operand(&made.iter));
    let condition = words.condition(element);
    match name {
        "any" => Some(format!(
            "`True` if, for at least one {item} in {items}, {condition}; otherwise `False`"
        )),
        "all" => {
            Some(format!("`True` if, for every {item} in {items}, {condition}; otherwise `False`"))
        }
        _ if element.is_compare_expr() => {
            Some(format!("the number of those {item} in {items} for which {condition}"))
        }
        _ => None,
    }
}

fn method(words: Words<'_>, call: &ExprCall, list: &[(&str, usize, &str)]) -> Option<String> {
    let attribute = call.func.as_attribute_expr()?;
    let name = attribute.attr.as_str();
    let object = &*attribute.value;
    let is_module = object.as_name_expr().is_some_and(|object| {
        let name = object.id.as_str();
        words.names.modules.contains_key(name) || words.names.imported.contains_key(name)
    });
    let args = &call.arguments.args;
    let is_plain = call.arguments.keywords.is_empty() && !args.iter().any(Expr::is_starred_expr);
    if is_module || !is_plain || words.names.has_method(name) {
        return None;
    }
    let (_, _, text) =
        list.iter().find(|(known, count, _)| *known == name && *count == args.len())?;
    let args: Vec<String> = args.iter().map(|arg| words.operand(arg)).collect();
    Some(filled(text, &words.operand(object), &args))
}

/// Fills a text in one pass: what is filled in may contain braces, too.
fn filled(text: &str, object: &str, args: &[String]) -> String {
    let mut parts = text.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (key, rest) = part.split_once('}').unwrap_or(("", part));
        match key {
            "0" => filled.push_str(args.first().map_or("", String::as_str)),
            "1" => filled.push_str(args.get(1).map_or("", String::as_str)),
            _ => filled.push_str(object),
        }
        filled.push_str(rest);
    }
    filled
}

fn of_program(words: Words<'_>, call: &ExprCall) -> String {
    match call.func.as_ref() {
        Expr::Name(name) if words.names.class(name.id.as_str()).is_some() => {
            format!("a new {} object, made by {}", code(name.id.as_str()), words.quote(call))
        }
        Expr::Name(name) if words.names.function(name.id.as_str()).is_some() => {
            format!("what {} gives back", words.quote(call))
        }
        _ => format!("the result of {}", words.quote(call)),
    }
}

fn print(words: Words<'_>, call: &ExprCall) -> String {
    let args = &call.arguments.args;
    let keyword = |name: &str| {
        let mut keywords = call.arguments.keywords.iter();
        keywords.find(|keyword| keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == name))
    };
    let shown: Vec<String> = args
        .iter()
        .map(|arg| match arg {
            Expr::Starred(star) => format!("all items of {}", words.quote(&*star.value)),
            _ => words.value(arg),
        })
        .collect();
    let mut text = match shown.split_last() {
        None => "prints an empty line".to_owned(),
        Some((one, [])) => format!("prints {one}"),
        Some((last, others)) => format!("prints {} and {last}", others.join(", ")),
    };
    if let Some(sep) = keyword("sep") {
        text.push_str(&format!(", with {} between them", words.quote(&sep.value)));
    } else if shown.len() > 1 {
        text.push_str(", with a space between them");
    }
    if let Some(end) = keyword("end") {
        text.push_str(&format!(
            ", and ends with {} instead of a new line",
            words.quote(&end.value)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use analysis::Program;

    use crate::{names::Names, words::Words};

    fn value(text: &str) -> String {
        let program = Program::read(text).expect("it is Python");
        let names = Names::of(&program);
        let statement = program.body().last().and_then(|stmt| stmt.as_expr_stmt()).unwrap();
        Words::new(&program, &names).value(&statement.value)
    }

    #[test]
    fn expressions_are_put_in_words() {
        for (text, words) in [
            ("len(x)", "the length of `x`"),
            ("int(input('n? '))", "what the user types after the text `'n? '` as a whole number"),
            ("x[::-1]", "`x` from back to front"),
            ("x[:3]", "the first 3 of `x`"),
            ("', '.join(names)", "the texts of `names` in one text, with `', '` between them"),
            (
                "[n * n for n in range(9) if n % 2 == 0]",
                "a list of `n * n` for each `n` in the whole numbers from 0 up to, but not including, `9`, if `n` divided by `2` leaves nothing over (`n % 2`)",
            ),
            (
                "a < b and c in d",
                "`True` or `False`: whether `a` is less than `b` and `c` is in `d`",
            ),
            (
                "all(x > 0 for x in xs)",
                "`True` if, for every `x` in `xs`, `x` is greater than `0`; otherwise `False`",
            ),
            ("sum(n * 2 for n in ns)", "the sum of `n * 2` for each `n` in `ns`"),
            (
                "lambda a: a + 1",
                "a small function without a name that takes `a` and gives back `a + 1`",
            ),
            ("d.get(k, '{o}')", "the value of `k` in `d` (`'{o}'` if it is not there)"),
        ] {
            assert_eq!(value(text), words, "{text}");
        }
    }

    #[test]
    fn a_name_that_the_program_has_taken_is_not_pythons() {
        assert_eq!(value("def len(x): return 3\nlen(x)"), "what `len(x)` gives back");
        assert_eq!(value("import os\nos.remove('a')"), "the result of `os.remove('a')`");
    }
}
