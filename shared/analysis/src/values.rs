//! Values and calls inside other texts, such as `f(5)` and `[1, 2]` in a sentence.

use ruff_python_ast::Expr;

/// The longest value or call that is read, in bytes: a paragraph of text, or a table of numbers.
const MAX_BYTES: usize = 1_000;

/// The value at the beginning of a text: a number, a string, `True`, `False`, `None`, or a collection of such.
#[must_use]
pub fn value_at(text: &str) -> Option<&str> {
    let end = match text.chars().next()? {
        '[' | '{' | '(' => closed(text)?,
        '"' | '\'' => quoted(text)?,
        'T' | 'F' | 'N' => text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()),
        first if first.is_ascii_digit() || matches!(first, '-' | '.') => number(text)?,
        _ => return None,
    };
    let value = text.get(..end)?;
    expression(value).is_some_and(|expression| is_value(&expression)).then_some(value)
}

/// The call of a function with values at the beginning of a text, such as `f(5, "x")`; some names are values, too.
#[must_use]
pub fn call_at<'a>(text: &'a str, function: &str, names: &[&str]) -> Option<&'a str> {
    let rest = text.strip_prefix(function)?;
    let call = text.get(..function.len() + rest.starts_with('(').then(|| closed(rest))??)?;
    let is_given = |expression: &Expr| {
        let name = expression.as_name_expr().map(|name| name.id.as_str());
        is_value(expression) || name.is_some_and(|name| names.contains(&name))
    };
    let is_plain = |expression: &Expr| {
        expression.as_call_expr().is_some_and(|call| {
            call.arguments.args.iter().all(is_given)
                && call
                    .arguments
                    .keywords
                    .iter()
                    .all(|keyword| keyword.arg.is_some() && is_given(&keyword.value))
        })
    };
    expression(call).filter(is_plain).map(|_| call)
}

fn expression(text: &str) -> Option<Expr> {
    if text.len() > MAX_BYTES || text.contains('\n') {
        return None;
    }
    Some(*ruff_python_parser::parse_expression(text).ok()?.into_syntax().body)
}

fn is_value(expression: &Expr) -> bool {
    match expression {
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::BooleanLiteral(_)
        | Expr::NoneLiteral(_) => true,
        Expr::UnaryOp(unary) => unary.operand.is_number_literal_expr(),
        Expr::List(list) => list.elts.iter().all(is_value),
        Expr::Tuple(tuple) => tuple.elts.iter().all(is_value),
        Expr::Set(set) => set.elts.iter().all(is_value),
        Expr::Dict(dict) => dict
            .items
            .iter()
            .all(|item| item.key.as_ref().is_some_and(is_value) && is_value(&item.value)),
        _ => false,
    }
}

/// The end of what the bracket at the beginning opens.
fn closed(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len().min(MAX_BYTES) {
        let rest = text.get(at..)?;
        let next = rest.chars().next()?;
        match next {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth = depth.checked_sub(1)?,
            '"' | '\'' => {
                at += quoted(rest)?;
                continue;
            }
            '\n' => return None,
            _ => {}
        }
        at += next.len_utf8();
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// The end of the string that begins a text.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut is_escaped = false;
    for (at, next) in text.char_indices().skip(1).take(MAX_BYTES) {
        match next {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '\n' => return None,
            next if next == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The end of the number that begins a text; a full stop after it ends the sentence.
fn number(text: &str) -> Option<usize> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '_');
    let rest = unsigned.trim_start_matches(of_number);
    let end = text[..text.len() - rest.len()].trim_end_matches('.').len();
    // `3rd` and `5x` are no numbers.
    let is_whole = !rest.starts_with(|c: char| c.is_alphanumeric());
    (is_whole && end > text.len() - unsigned.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::{call_at, value_at};

    #[test]
    fn values_are_found_where_a_sentence_goes_on() {
        for (text, value) in [
            ("5.", Some("5")),
            ("-3.5, but", Some("-3.5")),
            ("[1, [2, 'a]']] and", Some("[1, [2, 'a]']]")),
            ("'it\\'s'!", Some("'it\\'s'")),
            ("{'a': 1}", Some("{'a': 1}")),
            ("None?", Some("None")),
            ("Nothing", None),
            ("3rd", None),
            ("[x, 1]", None),
            ("[1, 2", None),
            ("", None),
        ] {
            assert_eq!(value_at(text), value, "{text}");
        }
    }

    #[test]
    fn calls_are_found_if_all_they_are_given_is_values() {
        assert_eq!(call_at("f(5, k=[1]) gives", "f", &[]), Some("f(5, k=[1])"));
        for text in ["f(x)", "f", "f(5", "g(5)", "f (5)", "f(**{})"] {
            assert_eq!(call_at(text, "f", &["b"]), None, "{text}");
        }
    }

    #[test]
    fn deep_and_long_texts_are_no_values() {
        for text in ["[".repeat(10_000), "(".repeat(64 << 10), format!("'{}'", "é".repeat(9_999))]
        {
            assert_eq!((value_at(&text), call_at(&format!("f{text}"), "f", &[])), (None, None));
        }
    }
}
