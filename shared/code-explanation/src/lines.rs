//! Lines in words.

/// First and last line.
pub(crate) type Lines = (u32, u32);

/// "line 3", "lines 3 to 5".
pub(crate) fn in_words((first, last): Lines) -> String {
    if first == last { format!("line {first}") } else { format!("lines {first} to {last}") }
}

/// The ending of a verb whose subject is these lines.
pub(crate) const fn third((first, last): Lines) -> &'static str {
    if first == last { "s" } else { "" }
}

/// A list: "a, b and c".
pub(crate) fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}
