//! How Python writes a value of a trace, short.

use std::collections::BTreeMap;

use domain::trace::{TraceKind, TraceObject, TraceValue};

/// Most items of a list that are shown: so many are read at a glance.
const ITEMS: usize = 6;
/// Lists in lists that are shown.
const DEPTH: usize = 3;
/// Most characters of a text.
const TEXT: usize = 40;
/// Most characters of a value: a line.
const VALUE: usize = 80;

/// The objects that values refer to.
pub(crate) type Heap = BTreeMap<String, TraceObject>;

/// The value as Python writes it, `…` for what is left out.
pub(crate) fn shown(value: &TraceValue, heap: &Heap) -> String {
    cut(&write(value, heap, DEPTH), VALUE)
}

/// The beginning of a text.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A text as code in a sentence.
pub(crate) fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

fn write(value: &TraceValue, heap: &Heap, depth: usize) -> String {
    match value {
        TraceValue::None => "None".to_owned(),
        TraceValue::Bool(true) => "True".to_owned(),
        TraceValue::Bool(false) => "False".to_owned(),
        TraceValue::Integer(number) => number.to_string(),
        TraceValue::Float(number) => float(*number),
        TraceValue::String(text) => quoted(text),
        TraceValue::Text { text } => cut(&text.replace('\n', " "), TEXT),
        TraceValue::Object { r#ref } => match heap.get(&r#ref.to_string()) {
            Some(held) if depth > 0 => object(held, heap, depth - 1),
            _ => "…".to_owned(),
        },
    }
}

/// Python changes to powers of ten at other sizes than Rust.
fn float(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{number:e}");
        return match text.split_once("e-") {
            Some((digits, power)) => format!("{digits}e-{power:0>2}"),
            None => text.replacen('e', "e+", 1),
        };
    }
    format!("{number:?}")
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut written = String::from(quote);
    for char in cut(text, TEXT).chars() {
        match char {
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            '\\' => written.push_str("\\\\"),
            _ if char == quote => written.extend(['\\', char]),
            _ if char.is_control() => written.push('…'),
            _ => written.push(char),
        }
    }
    written.push(quote);
    written
}

fn object(object: &TraceObject, heap: &Heap, depth: usize) -> String {
    let items = object.items.as_deref().unwrap_or_default();
    let mut parts: Vec<String> =
        items.iter().take(ITEMS).map(|item| write(item, heap, depth)).collect();
    let entries = object.entries.as_deref().unwrap_or_default();
    let entry = |[key, value]: &[TraceValue; 2]| {
        format!("{}: {}", write(key, heap, depth), write(value, heap, depth))
    };
    parts.extend(entries.iter().take(ITEMS).map(entry));
    let length = object.length.and_then(|length| usize::try_from(length).ok());
    if length.unwrap_or(items.len() + entries.len()) > parts.len() {
        parts.push("…".to_owned());
    }
    let list = parts.join(", ");
    match object.kind {
        TraceKind::List => format!("[{list}]"),
        TraceKind::Tuple if parts.len() == 1 => format!("({list},)"),
        TraceKind::Tuple => format!("({list})"),
        TraceKind::Set if parts.is_empty() => "set()".to_owned(),
        TraceKind::Set | TraceKind::Dict => format!("{{{list}}}"),
        TraceKind::FrozenSet => format!("frozenset({{{list}}})"),
        TraceKind::Function | TraceKind::Class => {
            format!("<{} {}>", object.kind.as_str(), object.name.as_deref().unwrap_or_default())
        }
        TraceKind::Instance | TraceKind::More => format!("<{} object>", object.class),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Heap, shown};

    #[test]
    fn values_are_written_as_python_writes_them() {
        let heap: Heap = serde_json::from_value(json!({
            "1": { "type": "list", "kind": "list", "length": 9, "items": [1, 2, 3, 4, 5, 6, 7, 8, 9] },
            "2": { "type": "dict", "kind": "dict", "length": 1, "entries": [["a", { "ref": 3 }]] },
            "3": { "type": "tuple", "kind": "tuple", "length": 1, "items": [true] },
            "4": { "type": "list", "kind": "list", "length": 1, "items": [{ "ref": 4 }] },
        }))
        .unwrap();
        for (value, expected) in [
            (json!(null), "None"),
            (json!(2.0), "2.0"),
            (json!(1e22), "1e+22"),
            (json!(0.00001), "1e-05"),
            (json!("it's\n"), "\"it's\\n\""),
            (json!({ "ref": 1 }), "[1, 2, 3, 4, 5, 6, …]"),
            (json!({ "ref": 2 }), "{'a': (True,)}"),
            (json!({ "ref": 4 }), "[[[…]]]"),
        ] {
            let value = serde_json::from_value(value).unwrap();
            assert_eq!(shown(&value, &heap), expected);
        }
    }
}
