//! Python values on the host, and their equality.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// Most comparisons for two values: some ten times what the longest values need whose items can be sorted. Beyond it
/// they are not equal.
const MAX_COMPARED: usize = 400_000;
/// Hexadecimal digits of an integer that is larger than any floating-point number.
const DIGITS_OF_FLOAT: usize = 256;
/// How far apart two floating-point results may be, relative to the larger, as in `math.isclose`.
const RELATIVE_TOLERANCE: f64 = 1e-9;
/// What counts as zero next to zero, where nothing is relatively close.
const ABSOLUTE_TOLERANCE: f64 = 1e-12;

/// A value with its type, as the guest's `values.py` writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// In hexadecimal.
    Int(String),
    /// As Python writes it: `1.5`, `inf`, `nan`.
    Float(String),
    /// As Python writes it.
    Complex(String),
    /// Text.
    Str(String),
    /// In hexadecimal.
    Bytes(String),
    /// A list.
    List(Vec<Self>),
    /// A tuple.
    Tuple(Vec<Self>),
    /// A set or frozen set, in no order.
    Set(Vec<Self>),
    /// Keys and values, in no order.
    Dict(Vec<(Self, Self)>),
    /// Anything else, by its text.
    Other {
        /// The name of its class.
        kind: String,
        /// As Python writes it.
        text: String,
    },
}

impl Value {
    /// Whether Python would call both equal; but a number is never a boolean, and floating-point
    /// results that differ in the last digits are the same answer.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        self.same(other, &mut Left(MAX_COMPARED))
    }

    fn same(&self, other: &Self, left: &mut Left) -> bool {
        if !left.take(1) {
            return false;
        }
        match (self, other) {
            (Self::Float(_), Self::Float(_) | Self::Int(_)) | (Self::Int(_), Self::Float(_)) => {
                match (self.number(), other.number()) {
                    (Some(one), Some(two)) => close(one, two),
                    _ => false,
                }
            }
            (Self::List(one), Self::List(two)) | (Self::Tuple(one), Self::Tuple(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(a, b)| a.same(b, left))
            }
            (Self::Set(one), Self::Set(two)) => same_items(one, two, |item| item, Self::same, left),
            (Self::Dict(one), Self::Dict(two)) => {
                let both = |a: &(Self, Self), b: &(Self, Self), left: &mut Left| {
                    a.0.same(&b.0, left) && a.1.same(&b.1, left)
                };
                same_items(one, two, |item| &item.0, both, left)
            }
            _ => self == other,
        }
    }

    /// The key by which items of unordered collections are sorted: numbers by size, then all else by its text, with
    /// sets sorted.
    fn key(&self) -> Key {
        match self.number() {
            Some(number) => Key::Number(number),
            None => Key::Text(self.text()),
        }
    }

    fn text(&self) -> String {
        let in_order = |mut texts: Vec<String>| {
            texts.sort_unstable();
            texts.join(",")
        };
        let pair = |(key, value): &(Self, Self)| format!("{}:{}", key.text(), value.text());
        let all = |items: &[Self]| -> Vec<String> { items.iter().map(Self::text).collect() };
        match self {
            Self::List(items) => format!("[{}]", all(items).join(",")),
            Self::Tuple(items) => format!("({})", all(items).join(",")),
            Self::Set(items) => format!("{{{}}}", in_order(all(items))),
            Self::Dict(items) => format!("{{:{}}}", in_order(items.iter().map(pair).collect())),
            // `2` and `2.0` are the same key.
            Self::Int(_) | Self::Float(_) => {
                self.number().map_or_else(|| format!("{self:?}"), |number| number.to_string())
            }
            _ => format!("{self:?}"),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Float(text) => text.parse().ok(),
            Self::Int(text) => {
                let (sign, digits) = match text.strip_prefix('-') {
                    Some(digits) => (-1.0, digits),
                    None => (1.0, text.as_str()),
                };
                if digits.len() > DIGITS_OF_FLOAT {
                    return Some(sign * f64::INFINITY);
                }
                let digit = |value: f64, c: char| Some(value * 16.0 + f64::from(c.to_digit(16)?));
                digits.chars().try_fold(0.0, digit).map(|value| sign * value)
            }
            _ => None,
        }
    }
}

/// A value as a string that holds its JSON.
pub(crate) mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de, ser};

    use super::Value;

    pub(crate) fn serialize<S: Serializer>(value: &Value, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&serde_json::to_string(value).map_err(ser::Error::custom)?)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
        serde_json::from_str(&String::deserialize(from)?).map_err(de::Error::custom)
    }
}

fn close(one: f64, two: f64) -> bool {
    if one == two || (one.is_nan() && two.is_nan()) {
        return true;
    }
    let scale = one.abs().max(two.abs());
    scale.is_finite() && (one - two).abs() <= (RELATIVE_TOLERANCE * scale).max(ABSOLUTE_TOLERANCE)
}

/// The remaining comparisons.
struct Left(usize);

impl Left {
    /// Takes this many; `false` if there are not enough.
    const fn take(&mut self, count: usize) -> bool {
        let enough = self.0 >= count;
        self.0 = self.0.saturating_sub(count);
        enough
    }
}

/// See [`Value::key`].
#[derive(Debug, PartialEq)]
enum Key {
    Number(f64),
    Text(String),
}

impl Key {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => one.total_cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

/// Whether each item of one has an equal of its own in the other. Both are sorted first, which puts nearly all of them
/// next to their equals: comparing all pairs would keep a core busy for minutes.
fn same_items<T>(
    one: &[T],
    two: &[T],
    by: impl Fn(&T) -> &Value,
    same: impl Fn(&T, &T, &mut Left) -> bool,
    left: &mut Left,
) -> bool {
    // Sorting is work, too.
    if one.len() != two.len() || !left.take(one.len()) {
        return false;
    }
    let in_order = |items: &[T]| -> Vec<usize> {
        let mut keys: Vec<(Key, usize)> =
            items.iter().enumerate().map(|(at, item)| (by(item).key(), at)).collect();
        keys.sort_by(|a, b| a.0.compare(&b.0));
        keys.into_iter().map(|(_, at)| at).collect()
    };
    let pairs = in_order(one).into_iter().zip(in_order(two));
    let pairs = pairs.filter_map(|(a, b)| one.get(a).zip(two.get(b)));
    // Only items with numbers that differ in the last digits are not next to their equals.
    let apart: Vec<(&T, &T)> = pairs.filter(|(a, b)| !same(a, b, left)).collect();
    let mut others: Vec<&T> = apart.iter().map(|(_, b)| *b).collect();
    apart.iter().all(|(item, _)| {
        let found = others.iter().position(|candidate| same(item, candidate, left));
        found.map(|position| others.swap_remove(position)).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::Value;

    fn value(json: &str) -> Value {
        serde_json::from_str(json).expect("a value")
    }

    #[test]
    fn the_largest_sets_are_compared_at_once() {
        let set = |items: &mut dyn Iterator<Item = String>| {
            value(&format!(r#"{{"set":[{}]}}"#, items.collect::<Vec<_>>().join(",")))
        };
        let int = |n: u32| format!(r#"{{"int":"{n:x}"}}"#);
        let float = |n: u32| format!(r#"{{"float":"{n}.0000000000001"}}"#);
        let pair = |n: u32| format!(r#"{{"tuple":[{{"str":"a"}},{{"float":"{n}.5"}}]}}"#);
        let far = |n: u32| format!(r#"{{"tuple":[{{"str":"b"}},{{"float":"{n}.5"}}]}}"#);
        let inner = |n: u32| format!(r#"{{"set":[{{"int":"{n:x}"}},{{"str":"é"}}]}}"#);
        let turned = |n: u32| format!(r#"{{"set":[{{"str":"é"}},{{"int":"{n:x}"}}]}}"#);
        let started = std::time::Instant::now();
        let up = set(&mut (0..19_000).map(int));
        assert!(up.equals(&set(&mut (0..19_000).rev().map(int))));
        assert!(up.equals(&set(&mut (0..19_000).rev().map(float))));
        assert!(!up.equals(&set(&mut (1..19_001).map(int))));
        assert!(!up.equals(&set(&mut (1..19_001).map(float))));
        let pairs = set(&mut (0..6_000).map(pair));
        assert!(pairs.equals(&set(&mut (0..6_000).rev().map(pair))));
        assert!(!pairs.equals(&set(&mut (0..6_000).map(far))));
        let sets = set(&mut (0..6_000).map(inner));
        assert!(sets.equals(&set(&mut (0..6_000).rev().map(turned))));
        // Comparing all pairs took a minute.
        assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    }

    #[test]
    fn values_are_compared_as_python_would_and_types_as_a_teacher_would() {
        let equal = [
            (r#"{"int":"2"}"#, r#"{"float":"2.0"}"#),
            (r#"{"float":"0.30000000000000004"}"#, r#"{"float":"0.3"}"#),
            (r#"{"float":"nan"}"#, r#"{"float":"nan"}"#),
            (r#"{"set":[{"int":"1"},{"int":"2"}]}"#, r#"{"set":[{"int":"2"},{"int":"1"}]}"#),
            (
                r#"{"dict":[[{"str":"a"},"none"],[{"str":"b"},{"bool":true}]]}"#,
                r#"{"dict":[[{"str":"b"},{"bool":true}],[{"str":"a"},"none"]]}"#,
            ),
            (r#"{"int":"-ff"}"#, r#"{"float":"-255.0"}"#),
        ];
        for (one, two) in equal {
            assert!(value(one).equals(&value(two)), "{one} = {two}");
        }
        let different = [
            (r#"{"int":"1"}"#, r#"{"bool":true}"#),
            (r#"{"int":"5"}"#, r#"{"str":"5"}"#),
            (r#"{"list":[{"int":"1"}]}"#, r#"{"tuple":[{"int":"1"}]}"#),
            (r#"{"list":[{"int":"1"}]}"#, r#"{"list":[{"int":"1"},{"int":"1"}]}"#),
            (r#"{"float":"0.31"}"#, r#"{"float":"0.3"}"#),
            (r#"{"float":"inf"}"#, r#"{"float":"1e308"}"#),
            (r#"{"set":[{"int":"1"},{"int":"2"}]}"#, r#"{"set":[{"int":"1"},{"int":"3"}]}"#),
        ];
        for (one, two) in different {
            assert!(!value(one).equals(&value(two)), "{one} ≠ {two}");
        }
    }
}
