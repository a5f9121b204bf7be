//! What the functions of `CloudFormation` come to on this machine.

use std::collections::BTreeMap;

use crate::tree::{Node, Value};

/// How deep functions may be nested.
const DEPTH_LIMIT: usize = 40;

/// The name that takes a property away.
const NO_VALUE: &str = "AWS::NoValue";

/// The parts of a template that functions refer to.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) resources: &'a [(String, Node)],
    pub(super) conditions: Option<&'a Node>,
    pub(super) mappings: Option<&'a Node>,
}

type Resolved = Result<Option<Node>, String>;

impl Scope<'_> {
    /// The value of a node; `None` if a function takes it away.
    pub(super) fn resolve(&self, node: &Node) -> Resolved {
        self.resolve_in(node, 0)
    }

    fn resolve_in(&self, node: &Node, depth: usize) -> Resolved {
        if depth > DEPTH_LIMIT {
            return Err("functions are nested too deeply".to_owned());
        }
        let value = match &node.value {
            Value::Map(members) => {
                if let [(name, argument)] = members.as_slice()
                    && (name == "Ref" || name == "Condition" || name.starts_with("Fn::"))
                {
                    return self.call(name, argument, depth + 1);
                }
                let mut resolved = Vec::new();
                for (name, member) in members {
                    if let Some(member) = self.resolve_in(member, depth + 1)? {
                        resolved.push((name.clone(), member));
                    }
                }
                Value::Map(resolved)
            }
            Value::List(items) => {
                let mut resolved = Vec::new();
                for item in items {
                    resolved.extend(self.resolve_in(item, depth + 1)?);
                }
                Value::List(resolved)
            }
            leaf => leaf.clone(),
        };
        Ok(Some(Node { line: node.line, value }))
    }

    fn call(&self, name: &str, argument: &Node, depth: usize) -> Resolved {
        let at_line = |value| Ok(Some(Node { line: argument.line, value }));
        let text = |text: String| at_line(Value::Text(text));
        match name {
            "Ref" => self.reference(argument),
            "Fn::Sub" => text(self.substitute(argument, depth)?),
            "Fn::GetAtt" => text(self.attribute(argument)?),
            "Fn::Join" => {
                let (separator, list) = self.text_and_list(argument, depth)?;
                let parts: Option<Vec<String>> = list.iter().map(Node::as_text).collect();
                text(parts.ok_or("Fn::Join can only join texts")?.join(&separator))
            }
            "Fn::Split" => {
                let [separator, source] = self.arguments(argument, depth)?;
                let (separator, source) = (text_of(&separator)?, text_of(&source)?);
                let parts = source.split(&separator).map(|part| argument.text(part)).collect();
                at_line(Value::List(parts))
            }
            "Fn::Select" => {
                let [index, list] = self.arguments(argument, depth)?;
                let index: usize = text_of(&index)?.parse().map_err(|_error| "no index")?;
                Ok(Some(list.items().get(index).cloned().ok_or("Fn::Select finds nothing")?))
            }
            "Fn::If" => {
                let [condition, yes, no] = argument.items() else {
                    return Err("Fn::If takes a condition and two values".to_owned());
                };
                let chosen = if self.condition(&text_of(condition)?, depth)? { yes } else { no };
                self.resolve_in(chosen, depth)
            }
            "Fn::FindInMap" => {
                let [map, first, second] = self.arguments(argument, depth)?;
                let (map, first, second) = (text_of(&map)?, text_of(&first)?, text_of(&second)?);
                let found =
                    self.mappings.and_then(|maps| maps.get(&map)?.get(&first)?.get(&second));
                let found = found.ok_or_else(|| format!("{map}.{first}.{second} is in no map"))?;
                Ok(Some(found.clone()))
            }
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Condition" => {
                at_line(Value::Bool(self.truth(name, argument, depth)?))
            }
            "Fn::ImportValue" => {
                Err("the value of another stack is not known here: use a parameter".to_owned())
            }
            other => Err(format!("{other} is not understood: use a parameter")),
        }
    }

    fn arguments<const N: usize>(
        &self,
        argument: &Node,
        depth: usize,
    ) -> Result<[Node; N], String> {
        let items: Vec<Node> = self
            .resolve_in(argument, depth)?
            .map_or_else(Vec::new, |resolved| resolved.items().to_vec());
        let count = items.len();
        items.try_into().map_err(|_items| format!("{count} arguments instead of {N}"))
    }

    fn text_and_list(&self, argument: &Node, depth: usize) -> Result<(String, Vec<Node>), String> {
        let [separator, list] = self.arguments(argument, depth)?;
        Ok((text_of(&separator)?, list.items().to_vec()))
    }

    fn reference(&self, argument: &Node) -> Resolved {
        let name = text_of(argument)?;
        if name == NO_VALUE {
            return Ok(None);
        }
        if let Some(value) = self.parameters.get(&name) {
            return Ok(Some(Node { line: argument.line, value: value.clone() }));
        }
        Ok(Some(argument.text(self.resource(&name, None)?)))
    }

    fn attribute(&self, argument: &Node) -> Result<String, String> {
        let parts: Option<Vec<String>> = argument.items().iter().map(Node::as_text).collect();
        match parts.as_deref() {
            Some([name, attribute]) => self.resource(name, Some(attribute)),
            _ => Err("Fn::GetAtt takes a resource and an attribute".to_owned()),
        }
    }

    /// What stands for a resource that does not exist on this machine.
    fn resource(&self, name: &str, attribute: Option<&str>) -> Result<String, String> {
        let Some((_, resource)) = self.resources.iter().find(|(other, _)| other == name) else {
            return Err(format!(
                "`{name}` is neither a resource nor a parameter with a default: \
                 use --parameter {name}=VALUE"
            ));
        };
        let kind = resource.get("Type").and_then(Node::as_text).unwrap_or_default();
        let (service, path, is_arn_by_reference) = match kind.as_str() {
            "AWS::MSK::Cluster" | "AWS::MSK::ServerlessCluster" => ("kafka", "cluster/", true),
            "AWS::SNS::Topic" => ("sns", "", true),
            "AWS::SQS::Queue" => ("sqs", "", false),
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => ("lambda", "function:", false),
            "AWS::S3::Bucket" if attribute == Some("Arn") => {
                return Ok(format!("arn:aws:s3:::{name}"));
            }
            _ => return Ok(name.to_owned()),
        };
        let is_arn = match attribute {
            Some(attribute) => attribute.ends_with("Arn"),
            None => is_arn_by_reference,
        };
        if !is_arn {
            return Ok(name.to_owned());
        }
        let pseudo = |name: &str| match self.parameters.get(name) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let (region, account) = (pseudo("AWS::Region"), pseudo("AWS::AccountId"));
        let end = if service == "kafka" { "/local" } else { "" };
        Ok(format!("arn:aws:{service}:{region}:{account}:{path}{name}{end}"))
    }

    fn substitute(&self, argument: &Node, depth: usize) -> Result<String, String> {
        let (pattern, own) = match argument.items() {
            [] => (text_of(argument)?, None),
            [pattern, own] => (text_of(pattern)?, Some(own)),
            _ => return Err("Fn::Sub takes a text, or a text and a map".to_owned()),
        };
        let mut text = String::new();
        let mut rest = pattern.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, following) = after.split_once('}').ok_or("`${` without `}`")?;
            text.push_str(before);
            rest = following;
            if let Some(literal) = name.strip_prefix('!') {
                text.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let name = name.trim();
            let value = match own.and_then(|own| own.get(name)) {
                Some(node) => self.resolve_in(node, depth)?,
                None => self.named(name, argument)?,
            };
            let value = value.as_ref().and_then(Node::as_text);
            text.push_str(&value.ok_or_else(|| format!("`{name}` is no text"))?);
        }
        text.push_str(rest);
        Ok(text)
    }

    /// `${Name}` and `${Resource.Attribute}`.
    fn named(&self, name: &str, at: &Node) -> Resolved {
        match name.split_once('.') {
            Some((resource, attribute)) => {
                Ok(Some(at.text(self.resource(resource, Some(attribute))?)))
            }
            None => self.reference(&at.text(name)),
        }
    }

    /// A condition of the template, by its name.
    pub(super) fn condition(&self, name: &str, depth: usize) -> Result<bool, String> {
        let condition = self.conditions.and_then(|conditions| conditions.get(name));
        let condition = condition.ok_or_else(|| format!("there is no condition `{name}`"))?;
        self.is_true(condition, depth + 1)
    }

    fn is_true(&self, node: &Node, depth: usize) -> Result<bool, String> {
        let value = self.resolve_in(node, depth)?.and_then(|value| value.as_text());
        match value.as_deref() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => Err("a condition is neither true nor false".to_owned()),
        }
    }

    fn truth(&self, name: &str, argument: &Node, depth: usize) -> Result<bool, String> {
        let parts = argument.items();
        match name {
            "Condition" => self.condition(&text_of(argument)?, depth),
            "Fn::Equals" => {
                let [left, right] = self.arguments(argument, depth)?;
                Ok(left.as_text() == right.as_text())
            }
            "Fn::Not" => {
                let part = parts.first().ok_or("Fn::Not takes a condition")?;
                Ok(!self.is_true(part, depth)?)
            }
            _ => {
                let truths: Result<Vec<bool>, String> =
                    parts.iter().map(|part| self.is_true(part, depth)).collect();
                let truths = truths?;
                Ok(if name == "Fn::And" {
                    truths.iter().all(|truth| *truth)
                } else {
                    truths.contains(&true)
                })
            }
        }
    }
}

fn text_of(node: &Node) -> Result<String, String> {
    node.as_text().ok_or_else(|| "a text is expected".to_owned())
}
