//! How calls of Python's own functions and methods are put in words: `{}`, `{0}` and `{1}` are arguments, `{o}` is the
//! object.

/// What Python's own functions give back; `{}` is the argument.
pub(crate) const OF_ONE: [(&str, &str); 25] = [
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
pub(crate) const OF_NONE: [(&str, &str); 8] = [
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
pub(crate) const OF_TWO: [(&str, &str); 11] = [
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
pub(crate) const METHODS: [(&str, usize, &str); 32] = [
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
pub(crate) const DONE: [(&str, usize, &str); 19] = [
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

/// Fills a text in one pass: what is filled in may contain braces, too.
pub(crate) fn filled(text: &str, object: &str, args: &[String]) -> String {
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
