//! YAML and JSON as a tree that knows its lines. `CloudFormation`'s short tags become their long forms.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::Number;

/// How deep a document may be nested: `CloudFormation` itself permits less.
const DEPTH_LIMIT: usize = 64;
/// The most values in a document, also those that come from aliases.
const NODES_LIMIT: usize = 200_000;

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub(crate) struct SyntaxError {
    /// Where.
    pub(crate) line: usize,
    /// What is wrong there.
    pub(crate) reason: String,
}

/// A value, and the line where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// The first is 1; 0 if it comes from no document.
    pub(crate) line: usize,
    /// The value.
    pub(crate) value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Names and values in their order.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// A value from no document.
    #[must_use]
    pub(crate) const fn new(value: Value) -> Self {
        Self { line: 0, value }
    }

    /// A text at this node's line.
    #[must_use]
    pub(crate) fn text(&self, text: impl Into<String>) -> Self {
        Self { line: self.line, value: Value::Text(text.into()) }
    }

    /// A member of a map.
    #[must_use]
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(other, _)| other == name).map(|(_, node)| node)
    }

    /// The members of a map; of anything else none.
    #[must_use]
    pub(crate) fn members(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// The items of a list; of anything else none.
    #[must_use]
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a text, a number or a truth value.
    #[must_use]
    pub(crate) fn as_text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// It is no YAML, or too large.
    pub(crate) fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut builder = Builder::default();
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| SyntaxError {
                line: error.marker().line(),
                reason: error.info().to_owned(),
            })?;
            builder.event(event, span)?;
        }
        Ok(builder.root.unwrap_or_else(|| Self::new(Value::Null)))
    }
}

enum Open {
    List(Vec<Node>),
    /// The members, and the name whose value comes next.
    Map(Vec<(String, Node)>, Option<String>),
}

struct Level {
    open: Open,
    line: usize,
    anchor: usize,
    tag: Option<String>,
}

#[derive(Default)]
struct Builder {
    levels: Vec<Level>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref();
                let is_text = style != ScalarStyle::Plain || tag.is_some_and(is_string);
                let value = if is_text { Value::Text(text.into_owned()) } else { plain(&text) };
                let node = tagged(tag.and_then(function), Node { line, value });
                self.add(node, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(Open::List(vec![]), line, anchor, tag.as_deref())?;
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(Open::Map(vec![], None), line, anchor, tag.as_deref())?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Level { open, line, anchor, tag }) = self.levels.pop() else {
                    return fault(line, "an end without a beginning");
                };
                let value = match open {
                    Open::List(items) => Value::List(items),
                    Open::Map(members, _) => Value::Map(members),
                };
                self.add(tagged(tag, Node { line, value }), anchor)?;
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return fault(line, "an alias of something that is not there");
                };
                self.nodes += count(&node);
                self.add(node, 0)?;
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        open: Open,
        line: usize,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), SyntaxError> {
        if self.levels.len() >= DEPTH_LIMIT {
            return fault(line, "nested too deeply");
        }
        self.levels.push(Level { open, line, anchor, tag: tag.and_then(function) });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), SyntaxError> {
        self.nodes += 1;
        if self.nodes > NODES_LIMIT {
            return fault(node.line, "the document is too large");
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.levels.last_mut().map(|level| &mut level.open) {
            None if self.root.is_none() => self.root = Some(node),
            None => return fault(node.line, "there must be only one document"),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map(members, name)) => match name.take() {
                Some(name) => {
                    if members.iter().any(|(other, _)| *other == name) {
                        return fault(node.line, format!("`{name}` is there twice"));
                    }
                    members.push((name, node));
                }
                None => match node.as_text() {
                    Some(text) => *name = Some(text),
                    None => return fault(node.line, "a name must be a text"),
                },
            },
        }
        Ok(())
    }
}

fn fault<T>(line: usize, reason: impl Into<String>) -> Result<T, SyntaxError> {
    Err(SyntaxError { line, reason: reason.into() })
}

fn count(node: &Node) -> usize {
    let inner = node.items().iter().chain(node.members().iter().map(|(_, member)| member));
    1 + inner.map(count).sum::<usize>()
}

fn is_string(tag: &Tag) -> bool {
    tag.handle == "tag:yaml.org,2002:" && tag.suffix == "str"
}

/// The long name of a short tag: `!Ref` is `Ref`, `!Sub` is `Fn::Sub`.
fn function(tag: &Tag) -> Option<String> {
    (tag.handle == "!" && !tag.suffix.is_empty()).then(|| match tag.suffix.as_str() {
        name @ ("Ref" | "Condition") => name.to_owned(),
        name => format!("Fn::{name}"),
    })
}

fn tagged(function: Option<String>, node: Node) -> Node {
    let Some(function) = function else { return node };
    let line = node.line;
    let argument = match (&node.value, function.as_str()) {
        (Value::Text(path), "Fn::GetAtt") => {
            let parts = path.splitn(2, '.').map(|part| node.text(part)).collect();
            Node { line, value: Value::List(parts) }
        }
        _ => node,
    };
    Node { line, value: Value::Map(vec![(function, argument)]) }
}

/// An unquoted scalar.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    // Account numbers and the like keep their leading zeros.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let number = (!is_padded).then(|| serde_json::from_str(text).ok()).flatten();
    number.map_or_else(|| Value::Text(text.to_owned()), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::{Node, Value};

    #[test]
    fn short_tags_become_functions_and_lines_are_known() {
        let text = "A: !Ref Topic\nB: !Sub '${X}-b'\nC: !GetAtt Cluster.Arn.More\nD:\n  - !If [Prod, 1, '1']\nE: !Join\n  - ','\n  - [a, 0123, true, ~, 2.5]\n";
        let node = Node::parse(text).unwrap();
        let line_of = |name: &str| node.get(name).unwrap().line;
        assert_eq!((line_of("A"), line_of("C"), line_of("D")), (1, 3, 5));
        let reference = node.get("A").unwrap().get("Ref").unwrap();
        assert_eq!(reference.as_text().as_deref(), Some("Topic"));
        let parts = node.get("C").unwrap().get("Fn::GetAtt").unwrap().items();
        assert_eq!(parts[1].as_text().as_deref(), Some("Arn.More"));
        let choice = node.get("D").unwrap().items()[0].get("Fn::If").unwrap().items();
        assert_eq!(choice[1].value, Value::Number(1.into()));
        assert_eq!(choice[2].value, Value::Text("1".to_owned()));
        let list = node.get("E").unwrap().get("Fn::Join").unwrap().items()[1].items();
        assert_eq!(list[1].value, Value::Text("0123".to_owned()));
        assert_eq!((&list[2].value, &list[3].value), (&Value::Bool(true), &Value::Null));
    }

    #[test]
    fn json_and_aliases_can_be_read_too() {
        let node = Node::parse(r#"{"a": [1, {"b": "x"}], "c": null}"#).unwrap();
        assert_eq!(node.get("a").unwrap().items().len(), 2);
        let node = Node::parse("a: &x {b: 1}\nc: *x\n").unwrap();
        assert_eq!(node.get("a").unwrap().get("b"), node.get("c").unwrap().get("b"));
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_line() {
        let reason = |text: &str| Node::parse(text).unwrap_err().to_string();
        assert!(reason("a: 1\nb: [1,\n").starts_with("line "));
        assert_eq!(reason("a: 1\na: 2\n"), "line 2: `a` is there twice");
        assert!(reason(&"[".repeat(100)).contains("nested too deeply"));
        let bomb = (1..20).fold("a0: &a0 [x, x, x, x, x, x]\n".to_owned(), |text, level| {
            let before = level - 1;
            format!("{text}a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]\n")
        });
        assert!(reason(&bomb).contains("too large"));
    }
}
