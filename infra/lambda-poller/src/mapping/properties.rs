//! Reading properties one by one, and noticing those that nobody knows.

use crate::{
    faults::Faults,
    tree::{Node, Value},
};

/// Properties that AWS knows and that have no effect here; with what to do instead, if that matters to anybody.
const WITHOUT_EFFECT: [(&str, &str); 6] = [
    ("KmsKeyArn", ""),
    ("LoggingConfig", ""),
    ("MetricsConfig", ""),
    ("ProvisionedPollerConfig", "--concurrency is the most invocations at once"),
    ("SourceAccessConfigurations", "use --kafka-property for credentials"),
    ("SchemaRegistryConfig", "records are passed on as they are"),
];
/// Properties that AWS has for other sources.
const FOR_OTHER_SOURCES: [&str; 6] = [
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
    "ScalingConfig",
    "Queues",
    "DocumentDBEventSourceConfig",
    "ConsumptionMode",
];
/// How different a known name may be to be suggested.
const SUGGESTION_DISTANCE: usize = 4;

pub(super) struct Properties<'a> {
    path: &'a str,
    node: &'a Node,
    faults: &'a mut Faults,
    asked: Vec<&'static str>,
}

impl<'a> Properties<'a> {
    pub(super) fn new(path: &'a str, node: &'a Node, faults: &'a mut Faults) -> Self {
        Self { path, node, faults, asked: vec![] }
    }

    pub(super) fn node(&mut self, name: &'static str) -> Option<&'a Node> {
        self.asked.push(name);
        self.node.get(name).filter(|node| node.value != Value::Null)
    }

    pub(super) fn fault(&mut self, name: &str, reason: impl std::fmt::Display) {
        let line = self.node.get(name).map_or(self.node.line, |node| node.line);
        self.faults.add(line, &format!("{}.{name}", self.path), reason);
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let node = self.node(name)?;
        let text = node.as_text();
        if text.is_none() {
            self.fault(name, "must be a text");
        }
        text
    }

    /// A list of texts; a text with commas is one, too, since parameters can only be that.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let node = self.node(name)?;
        if let Some(text) = node.as_text() {
            return Some(text.split(',').map(|part| part.trim().to_owned()).collect());
        }
        let texts: Option<Vec<String>> = node.items().iter().map(Node::as_text).collect();
        if texts.is_none() || !matches!(node.value, Value::List(_)) {
            self.fault(name, "must be a list of texts");
        }
        texts
    }

    pub(super) fn truth(&mut self, name: &'static str) -> Option<bool> {
        match self.text(name)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                self.fault(name, format!("must be true or false, not `{other}`"));
                None
            }
        }
    }

    pub(super) fn integer(&mut self, name: &'static str, least: i64, most: i64) -> Option<i64> {
        let text = self.text(name)?;
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.fault(name, format!("must be {least} to {most}, not `{text}`"));
        }
        number
    }

    pub(super) fn decimal(&mut self, name: &'static str) -> Option<f64> {
        let text = self.text(name)?;
        let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
        if number.is_none() {
            self.fault(name, format!("must be seconds since 1970, not `{text}`"));
        }
        number
    }

    /// What is there, and has no effect that one might expect.
    pub(super) fn notes(&self) -> Vec<String> {
        WITHOUT_EFFECT
            .iter()
            .filter(|(name, reason)| !reason.is_empty() && self.node.get(name).is_some())
            .map(|(name, reason)| format!("{name} has no effect here: {reason}"))
            .collect()
    }

    /// Notes properties that nobody knows.
    pub(super) fn finish(self) {
        let Self { path, node, faults, asked } = self;
        let unaffecting = || WITHOUT_EFFECT.iter().map(|(name, _)| *name);
        for (name, value) in node.members() {
            let is_known =
                asked.contains(&name.as_str()) || unaffecting().any(|known| known == name);
            if is_known {
                continue;
            }
            let reason = if FOR_OTHER_SOURCES.contains(&name.as_str()) {
                "is not for Kafka, or not supported here".to_owned()
            } else {
                let known = asked.iter().copied().chain(unaffecting());
                let nearest = known.min_by_key(|known| strsim::levenshtein(known, name));
                match nearest
                    .filter(|known| strsim::levenshtein(known, name) <= SUGGESTION_DISTANCE)
                {
                    Some(nearest) => format!("unknown property; is {nearest} meant?"),
                    None => "unknown property".to_owned(),
                }
            };
            faults.add(value.line, &format!("{path}.{name}"), reason);
        }
    }
}

/// Seconds as milliseconds; what is out of all bounds is the furthest.
#[expect(clippy::cast_possible_truncation, reason = "as-casts of floats saturate")]
pub(super) fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1_000.0) as i64
}
