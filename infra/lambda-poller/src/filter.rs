//! Filter criteria: which records a function gets, by their values.

use serde_json::{Map, Number, Value};

/// The most filters that AWS permits, after an increase of the quota.
const FILTERS_LIMIT: usize = 10;
/// How deep a pattern may be nested.
const DEPTH_LIMIT: usize = 32;

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub(crate) struct PatternError {
    /// Where in the pattern, such as `value.session.duration`.
    pub(crate) path: String,
    /// What is wrong there.
    pub(crate) reason: String,
}

/// The filters of a mapping: a record passes if one of them matches, or if there are none.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Filters(Vec<Filter>);

/// What one filter says about values.
#[derive(Debug, Clone, PartialEq)]
enum Filter {
    /// Nothing.
    Any,
    /// Values that are JSON objects.
    Json(Fields),
    /// Values that are no JSON objects.
    Text(Vec<Rule>),
}

/// All must hold.
#[derive(Debug, Clone, PartialEq)]
struct Fields {
    named: Vec<(String, Test)>,
    /// One of them must hold; nothing is said if there are none.
    alternatives: Vec<Self>,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Nested(Fields),
    OneOf(Vec<Rule>),
}

#[derive(Debug, Clone, PartialEq)]
enum Rule {
    Equals(Value),
    EqualsIgnoreCase(String),
    Prefix(String),
    PrefixIgnoreCase(String),
    Suffix(String),
    SuffixIgnoreCase(String),
    AnythingBut(Vec<Value>),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filters {
    /// Reads patterns, such as `{"value": {"device": [{"prefix": "AB"}]}}`.
    ///
    /// # Errors
    /// A pattern is not in AWS's syntax, or there are too many.
    pub(crate) fn read<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, PatternError> {
        let filters: Result<Vec<Filter>, PatternError> =
            patterns.into_iter().map(read_filter).collect();
        let filters = filters?;
        if filters.len() > FILTERS_LIMIT {
            return fault("Filters", format!("AWS permits {FILTERS_LIMIT} at most"));
        }
        Ok(Self(filters))
    }

    /// Whether a record with this value passes.
    #[must_use]
    pub(crate) fn pass(&self, value: Option<&[u8]>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let object = || value.and_then(|value| serde_json::from_slice(value).ok());
        let object: Option<Map<String, Value>> = object();
        self.0.iter().any(|filter| match (filter, &object, value) {
            (Filter::Any, _, _) => true,
            (Filter::Json(fields), Some(object), _) => fields.hold(object),
            (Filter::Text(rules), None, Some(value)) => {
                let text = Value::String(String::from_utf8_lossy(value).into_owned());
                one_holds(rules, Some(&text))
            }
            // AWS drops values whose form is not the pattern's.
            (Filter::Json(_) | Filter::Text(_), _, _) => false,
        })
    }
}

impl Fields {
    fn hold(&self, object: &Map<String, Value>) -> bool {
        self.named.iter().all(|(name, test)| test.holds(object.get(name)))
            && (self.alternatives.is_empty()
                || self.alternatives.iter().any(|fields| fields.hold(object)))
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::OneOf(rules), value) => one_holds(rules, value),
            (Self::Nested(fields), Some(Value::Object(object))) => fields.hold(object),
            (Self::Nested(fields), Some(Value::Array(items))) => {
                items.iter().any(|item| item.as_object().is_some_and(|object| fields.hold(object)))
            }
            // What is absent can only be what should not exist.
            (Self::Nested(fields), _) => fields.hold(&Map::new()),
        }
    }
}

fn one_holds(rules: &[Rule], value: Option<&Value>) -> bool {
    rules.iter().any(|rule| match value {
        Some(Value::Array(items)) => match rule {
            Rule::Exists(wanted) => *wanted != items.is_empty(),
            _ => items.iter().any(|item| rule.holds(Some(item))),
        },
        value => rule.holds(value),
    })
}

impl Rule {
    fn holds(&self, value: Option<&Value>) -> bool {
        // Comparisons are for leaves: an object is as good as absent.
        let value = value.filter(|value| !value.is_object());
        let text = value.and_then(Value::as_str);
        let ends = |wanted: &str, end: fn(&str, usize) -> Option<&str>| {
            text.and_then(|text| end(text, wanted.len()))
                .is_some_and(|part| lower(part) == lower(wanted))
        };
        match self {
            Self::Equals(wanted) => value == Some(wanted),
            Self::EqualsIgnoreCase(wanted) => text.is_some_and(|text| lower(text) == lower(wanted)),
            Self::Prefix(wanted) => text.is_some_and(|text| text.starts_with(wanted)),
            Self::Suffix(wanted) => text.is_some_and(|text| text.ends_with(wanted)),
            Self::PrefixIgnoreCase(wanted) => ends(wanted, |text, length| text.get(..length)),
            Self::SuffixIgnoreCase(wanted) => {
                ends(wanted, |text, length| text.get(text.len().checked_sub(length)?..))
            }
            Self::AnythingBut(unwanted) => value.is_some_and(|value| !unwanted.contains(value)),
            Self::Numeric(bounds) => value.and_then(Value::as_f64).is_some_and(|number| {
                bounds.iter().all(|(comparison, bound)| comparison.holds(number, *bound))
            }),
            Self::Exists(wanted) => *wanted == value.is_some(),
        }
    }
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Equal => (number - bound).abs() < f64::EPSILON,
            Self::Less => number < bound,
            Self::LessOrEqual => number <= bound,
            Self::Greater => number > bound,
            Self::GreaterOrEqual => number >= bound,
        }
    }
}

fn fault<T>(path: &str, reason: impl Into<String>) -> Result<T, PatternError> {
    Err(PatternError { path: path.to_owned(), reason: reason.into() })
}

fn read_filter(pattern: &str) -> Result<Filter, PatternError> {
    let pattern: Map<String, Value> = match serde_json::from_str(pattern) {
        Ok(pattern) => pattern,
        Err(error) => return fault("Pattern", format!("must be a JSON object: {error}")),
    };
    if let Some(other) = pattern.keys().find(|name| *name != "value") {
        return fault(other, "Kafka mappings can only filter on `value`");
    }
    match pattern.get("value") {
        None => Ok(Filter::Any),
        Some(Value::Object(fields)) => read_fields(fields, "value", 1).map(Filter::Json),
        Some(Value::Array(rules)) => read_rules(rules, "value").map(Filter::Text),
        Some(_) => fault("value", "must be an object of fields or a list of rules"),
    }
}

fn read_fields(
    fields: &Map<String, Value>,
    path: &str,
    depth: usize,
) -> Result<Fields, PatternError> {
    if depth > DEPTH_LIMIT {
        return fault(path, "is nested too deeply");
    }
    if fields.is_empty() {
        return fault(path, "must not be empty");
    }
    let mut read = Fields { named: vec![], alternatives: vec![] };
    for (name, test) in fields {
        let path = format!("{path}.{name}");
        match test {
            Value::Array(alternatives) if name == "$or" => {
                for alternative in alternatives {
                    let Value::Object(fields) = alternative else {
                        return fault(&path, "must be a list of objects");
                    };
                    read.alternatives.push(read_fields(fields, &path, depth + 1)?);
                }
            }
            Value::Object(fields) => {
                let nested = Test::Nested(read_fields(fields, &path, depth + 1)?);
                read.named.push((name.clone(), nested));
            }
            Value::Array(rules) => {
                read.named.push((name.clone(), Test::OneOf(read_rules(rules, &path)?)));
            }
            _ => return fault(&path, "must be an object of fields or a list of rules"),
        }
    }
    Ok(read)
}

fn read_rules(rules: &[Value], path: &str) -> Result<Vec<Rule>, PatternError> {
    if rules.is_empty() {
        return fault(path, "must not be empty");
    }
    rules.iter().map(|rule| read_rule(rule, path)).collect()
}

fn read_rule(rule: &Value, path: &str) -> Result<Rule, PatternError> {
    let comparison = match rule {
        Value::Object(comparison) => comparison,
        Value::Array(_) => return fault(path, "must not have a list in a list"),
        leaf => return Ok(Rule::Equals(leaf.clone())),
    };
    let mut parts = comparison.iter();
    let (Some((name, operand)), None) = (parts.next(), parts.next()) else {
        return fault(path, "a rule must have exactly one comparison");
    };
    let text = || operand.as_str().map(str::to_owned);
    let ignoring_case = || operand.get("equals-ignore-case")?.as_str().map(str::to_owned);
    let rule = match name.as_str() {
        "prefix" => {
            text().map(Rule::Prefix).or_else(|| ignoring_case().map(Rule::PrefixIgnoreCase))
        }
        "suffix" => {
            text().map(Rule::Suffix).or_else(|| ignoring_case().map(Rule::SuffixIgnoreCase))
        }
        "equals-ignore-case" => text().map(Rule::EqualsIgnoreCase),
        "exists" => operand.as_bool().map(Rule::Exists),
        "anything-but" => unwanted(operand).map(Rule::AnythingBut),
        "numeric" => numeric(operand).map(Rule::Numeric),
        other => return fault(path, format!("`{other}` is no comparison that Lambda knows")),
    };
    rule.map_or_else(|| fault(path, format!("`{name}` does not take {operand}")), Ok)
}

/// A string, a number, or a list of such.
fn unwanted(operand: &Value) -> Option<Vec<Value>> {
    let leaves = match operand {
        Value::Array(leaves) => leaves.clone(),
        leaf => vec![leaf.clone()],
    };
    let is_leaf = |leaf: &Value| leaf.is_string() || leaf.is_number();
    (!leaves.is_empty() && leaves.iter().all(is_leaf)).then_some(leaves)
}

/// Such as `[">", 0, "<=", 5]`.
fn numeric(operand: &Value) -> Option<Vec<(Comparison, f64)>> {
    let parts = operand.as_array()?;
    if parts.is_empty() || parts.len() > 4 || parts.len() % 2 != 0 {
        return None;
    }
    let bound = |pair: &[Value]| {
        let comparison = match pair.first()?.as_str()? {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        };
        Some((comparison, pair.get(1)?.as_number().and_then(Number::as_f64)?))
    };
    parts.chunks(2).map(bound).collect()
}

#[cfg(test)]
mod tests;
