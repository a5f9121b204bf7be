//! The mappings in a SAM or `CloudFormation` template.

mod intrinsics;

use std::collections::BTreeMap;

use self::intrinsics::Scope;
use crate::{
    faults::Faults,
    mapping::{Kind, Mapping, Owner, TIMEOUT_SECONDS},
    tree::{Node, Value},
};

/// What `CloudFormation` provides; `--parameter` changes it.
const PSEUDO_PARAMETERS: [(&str, &str); 6] = [
    ("AWS::AccountId", "123456789012"),
    ("AWS::Partition", "aws"),
    ("AWS::Region", "us-east-1"),
    ("AWS::StackId", "arn:aws:cloudformation:us-east-1:123456789012:stack/local/local"),
    ("AWS::StackName", "local"),
    ("AWS::URLSuffix", "amazonaws.com"),
];
/// Properties that are not read, and whose functions need no answer.
const NOT_READ: [&str; 7] = [
    "FunctionName",
    "KmsKeyArn",
    "LoggingConfig",
    "MetricsConfig",
    "ProvisionedPollerConfig",
    "SchemaRegistryConfig",
    "SourceAccessConfigurations",
];

/// How functions of a template are called at the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum FunctionNames {
    /// The binary of functions that cargo-lambda builds, the logical id of others.
    #[default]
    Auto,
    /// The logical id.
    LogicalId,
    /// The property `FunctionName`, else the logical id.
    FunctionName,
}

/// How a template is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// Values of parameters.
    pub(crate) parameters: BTreeMap<String, String>,
    /// How functions are called at the endpoint.
    pub(crate) names: FunctionNames,
    /// Exceptions, by logical id.
    pub(crate) invoke_as: BTreeMap<String, String>,
}

/// Reads the Kafka mappings of a template, in its order. Faults are noted in `faults`.
pub(crate) fn mappings(text: &str, options: &Options, faults: &mut Faults) -> Vec<Mapping> {
    let root = match Node::parse(text) {
        Ok(root) => root,
        Err(error) => {
            faults.add(error.line, "the template", error.reason);
            return Vec::new();
        }
    };
    let Some(resources) = root.get("Resources") else {
        faults.add(0, "the template", "has no Resources");
        return Vec::new();
    };
    let scope = Scope {
        parameters: parameters(&root, options, faults),
        resources: resources.members(),
        conditions: root.get("Conditions"),
        mappings: root.get("Mappings"),
    };
    let globals = root.get("Globals").and_then(|globals| globals.get("Function"));
    let mut template = Template { scope, globals, options, faults, found: Vec::new() };
    for (name, resource) in resources.members() {
        template.read(name, resource);
    }
    template.found
}

fn parameters(root: &Node, options: &Options, faults: &mut Faults) -> BTreeMap<String, Value> {
    let mut parameters: BTreeMap<String, Value> = PSEUDO_PARAMETERS
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::Text((*value).to_owned())))
        .collect();
    let declared = root.get("Parameters").map_or(&[][..], Node::members);
    for (name, declaration) in declared {
        let given = options.parameters.get(name).map(|text| Value::Text(text.clone()));
        let Some(value) =
            given.or_else(|| declaration.get("Default").map(|node| node.value.clone()))
        else {
            continue;
        };
        let kind = declaration.get("Type").and_then(Node::as_text).unwrap_or_default();
        let is_list = kind == "CommaDelimitedList" || kind.starts_with("List<");
        let text = Node::new(value.clone()).as_text().filter(|_| is_list);
        let list = text.map(|text| {
            let parts = text.split(',').map(|part| Node::new(Value::Text(part.trim().to_owned())));
            Value::List(parts.collect())
        });
        parameters.insert(name.clone(), list.unwrap_or(value));
    }
    for (name, value) in &options.parameters {
        let is_declared = declared.iter().any(|(other, _)| other == name);
        if name.starts_with("AWS::") {
            parameters.insert(name.clone(), Value::Text(value.clone()));
        } else if !is_declared {
            faults.add(0, &format!("--parameter {name}"), "the template has no such parameter");
        }
    }
    parameters
}

struct Template<'a> {
    scope: Scope<'a>,
    globals: Option<&'a Node>,
    options: &'a Options,
    faults: &'a mut Faults,
    found: Vec<Mapping>,
}

impl Template<'_> {
    fn read(&mut self, name: &str, resource: &Node) {
        if !self.is_made(&format!("Resources.{name}"), resource) {
            return;
        }
        let properties = resource.get("Properties");
        match (resource.get("Type").and_then(Node::as_text).as_deref(), properties) {
            (Some("AWS::Serverless::Function"), Some(properties)) => {
                let events = properties.get("Events").map_or(&[][..], Node::members);
                for (event_name, event) in events {
                    self.read_event(name, event_name, event);
                }
            }
            (Some("AWS::Lambda::EventSourceMapping"), Some(properties))
                if is_kafka(properties, self.scope.resources) =>
            {
                self.read_resource(name, properties);
            }
            _ => {}
        }
    }

    /// Whether the condition of a resource holds.
    fn is_made(&mut self, path: &str, resource: &Node) -> bool {
        let Some(condition) = resource.get("Condition").and_then(Node::as_text) else {
            return true;
        };
        self.scope.condition(&condition, 0).unwrap_or_else(|reason| {
            self.faults.add(resource.line, &format!("{path}.Condition"), reason);
            false
        })
    }

    fn read_event(&mut self, function: &str, name: &str, event: &Node) {
        let kind = match event.get("Type").and_then(Node::as_text).as_deref() {
            Some("MSK") => Kind::Msk,
            Some("SelfManagedKafka") => Kind::SelfManaged,
            _ => return,
        };
        let path = format!("Resources.{function}.Properties.Events.{name}");
        let Some(properties) = event.get("Properties") else {
            self.faults.add(event.line, &path, "has no Properties");
            return;
        };
        // The name that SAM gives to the mapping.
        self.add(
            &format!("{function}{name}"),
            function,
            &format!("{path}.Properties"),
            kind,
            properties,
        );
    }

    fn read_resource(&mut self, name: &str, properties: &Node) {
        let path = format!("Resources.{name}.Properties");
        let target = properties.get("FunctionName").map(|node| self.target(node));
        match target {
            Some(Ok(function)) => self.add(name, &function, &path, Kind::Resource, properties),
            Some(Err(reason)) => {
                self.faults.add(properties.line, &format!("{path}.FunctionName"), reason);
            }
            None => self.faults.add(properties.line, &format!("{path}.FunctionName"), "is missing"),
        }
    }

    /// The logical id, else the name, of the function that a node refers to.
    fn target(&self, node: &Node) -> Result<String, String> {
        let reference = node.get("Ref").or_else(|| node.get("Fn::GetAtt")?.items().first());
        if let Some(name) = reference.and_then(Node::as_text)
            && self.function(&name).is_some()
        {
            return Ok(name);
        }
        let text = self.scope.resolve(node)?.and_then(|node| node.as_text());
        let text = text.ok_or("must be a text")?;
        // An ARN's seventh part is the name; an eighth is a version or an alias.
        Ok(text.split(':').nth(6).unwrap_or(&text).to_owned())
    }

    fn function(&self, name: &str) -> Option<&Node> {
        let found = self.scope.resources.iter().find(|(other, _)| other == name);
        let (_, resource) = found?;
        let kind = resource.get("Type").and_then(Node::as_text)?;
        matches!(kind.as_str(), "AWS::Serverless::Function" | "AWS::Lambda::Function")
            .then_some(resource)
    }

    fn add(&mut self, name: &str, function: &str, path: &str, kind: Kind, properties: &Node) {
        let timeout_seconds = self.timeout(function);
        let called = self.called(function);
        let owner = Owner {
            name: name.to_owned(),
            function: called,
            timeout_seconds,
            path: path.to_owned(),
        };
        let before = self.faults.found.len();
        let resolved = self.resolved(path, properties);
        if let Some(mapping) = Mapping::read(&owner, kind, &resolved, self.faults)
            && self.faults.found.len() == before
        {
            self.found.push(mapping);
        }
    }

    /// The function's own `Timeout`, else that of all functions, else AWS's.
    fn timeout(&mut self, function: &str) -> i64 {
        let own = self.function(function).and_then(|node| node.get("Properties")?.get("Timeout"));
        let Some(node) = own.or_else(|| self.globals?.get("Timeout")).cloned() else {
            return TIMEOUT_SECONDS;
        };
        let path = format!("Resources.{function}.Properties.Timeout");
        match self.scope.resolve(&node) {
            Ok(Some(value)) => {
                value.as_text().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
                    self.faults.add(node.line, &path, "must be seconds");
                    TIMEOUT_SECONDS
                })
            }
            Ok(None) => TIMEOUT_SECONDS,
            Err(reason) => {
                self.faults.add(node.line, &path, reason);
                TIMEOUT_SECONDS
            }
        }
    }

    /// The function's name at the endpoint.
    fn called(&self, function: &str) -> String {
        if let Some(name) = self.options.invoke_as.get(function) {
            return name.clone();
        }
        let resource = self.function(function);
        let binary = || resource?.get("Metadata")?.get("BuildProperties")?.get("Binary")?.as_text();
        let by_cargo_lambda = || {
            let method = resource?.get("Metadata")?.get("BuildMethod")?.as_text()?;
            (method == "rust-cargolambda").then(binary).flatten()
        };
        let property = || {
            let node = resource?.get("Properties")?.get("FunctionName")?;
            self.scope.resolve(node).ok().flatten()?.as_text()
        };
        let name = match self.options.names {
            FunctionNames::Auto => by_cargo_lambda(),
            FunctionNames::LogicalId => None,
            FunctionNames::FunctionName => property(),
        };
        name.unwrap_or_else(|| function.to_owned())
    }

    fn resolved(&mut self, path: &str, properties: &Node) -> Node {
        let mut members = Vec::new();
        for (name, node) in properties.members() {
            let resolved = if NOT_READ.contains(&name.as_str()) {
                Ok(Some(node.clone()))
            } else {
                self.scope.resolve(node)
            };
            match resolved {
                Ok(Some(value)) => members.push((name.clone(), value)),
                Ok(None) => {}
                Err(reason) => {
                    self.faults.add(node.line, &format!("{path}.{name}"), reason);
                    // There is something, so it is not missing, too.
                    members.push((name.clone(), node.clone()));
                }
            }
        }
        Node { line: properties.line, value: Value::Map(members) }
    }
}

/// Whether a mapping is for Kafka, not for a queue or a stream.
fn is_kafka(properties: &Node, resources: &[(String, Node)]) -> bool {
    let has = |name: &str| properties.get(name).is_some();
    let source = properties.get("EventSourceArn");
    let reference = source.and_then(|source| {
        source.get("Ref").or_else(|| source.get("Fn::GetAtt")?.items().first())?.as_text()
    });
    let kind = reference.and_then(|name| {
        let found = resources.iter().find(|(other, _)| *other == name);
        found?.1.get("Type")?.as_text()
    });
    has("Topics")
        || has("SelfManagedEventSource")
        || has("AmazonManagedKafkaEventSourceConfig")
        || kind.is_some_and(|kind| kind.starts_with("AWS::MSK::"))
        || source.and_then(Node::as_text).is_some_and(|arn| arn.contains(":kafka:"))
}

#[cfg(test)]
mod tests;
