//! Which lines of a text begin inside a string of several lines: what stands there is no prompt and no sentence.

/// For each line, whether it begins inside a triple-quoted string that ends later. One pass: a quote that never ends
/// is taken back.
pub(crate) fn inside(lines: &[&str]) -> Vec<bool> {
    let mut inside = vec![false; lines.len()];
    let mut open: Option<(&str, usize)> = None;
    for (number, line) in lines.iter().enumerate() {
        let mut rest = *line;
        if open.is_none() && line.trim_start().starts_with(">>>") {
            continue;
        }
        loop {
            if let Some((quote, began)) = open {
                let Some(end) = rest.find(quote) else { break };
                inside[began + 1..=number].fill(true);
                open = None;
                rest = &rest[end + quote.len()..];
            } else {
                let Some((quote, after)) = next_quote(rest) else { break };
                rest = after;
                open = Some((quote, number));
            }
        }
    }
    inside
}

/// The next triple quote outside of strings and comments, and what follows it.
fn next_quote(text: &str) -> Option<(&'static str, &str)> {
    let mut rest = text;
    loop {
        let at = rest.find(['"', '\'', '#'])?;
        rest = &rest[at..];
        for quote in ["\"\"\"", "'''"] {
            if let Some(after) = rest.strip_prefix(quote) {
                return Some((quote, after));
            }
        }
        let quote = rest.chars().next()?;
        if quote == '#' {
            return None;
        }
        let after = &rest[1..];
        // A string on one line, or an apostrophe.
        rest = after.find(quote).map_or(after, |end| &after[end + 1..]);
        if rest.len() == after.len() && !after.contains(quote) {
            // Nothing ends here: the other kind of quote may still begin a string.
            let other = if quote == '"' { "'''" } else { "\"\"\"" };
            let begin = after.find(other)?;
            return Some((if quote == '"' { "'''" } else { "\"\"\"" }, &after[begin + 3..]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn a_docstring_is_a_string_and_a_lone_quote_is_none() {
        let lines = ["def f():", "    \"\"\"Says.", "    >>> f()", "    \"\"\"", "    return 1"];
        assert_eq!(inside(&lines), [false, false, true, true, false]);
        assert_eq!(inside(&["I don't know \"\"\" this", "or that"]), [false, false]);
        assert_eq!(inside(&["x = '#' # \"\"\"", "y", "\"\"\""]), [false, false, false]);
    }
}
