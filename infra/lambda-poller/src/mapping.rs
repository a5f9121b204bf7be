//! What an event source mapping says, checked.

mod properties;

use crate::{
    engine::Policy,
    event::{PAYLOAD_LIMIT, Source},
    faults::Faults,
    filter::Filters,
    mapping::properties::Properties,
    tree::{Node, Value},
};

/// AWS's default size of a batch.
pub(crate) const BATCH_SIZE: i64 = 100;
/// AWS's default window for Kafka.
const WINDOW_MS: i64 = 500;
/// AWS's default for functions.
pub(crate) const TIMEOUT_SECONDS: i64 = 3;
/// AWS's limit for functions behind Kafka.
const TIMEOUT_LIMIT_SECONDS: i64 = 14 * 60;
/// What AWS makes of infinitely many attempts if there is a destination.
const RETRY_LIMIT_WITH_DESTINATION: u32 = 10;
/// The pause after a first failure.
pub(crate) const RETRY_WAIT_MS: i64 = 500;
/// The longest pause between attempts.
const RETRY_WAIT_LIMIT_MS: i64 = 30_000;

/// In whose words the properties are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An event of type `MSK`.
    Msk,
    /// An event of type `SelfManagedKafka`.
    SelfManaged,
    /// An `AWS::Lambda::EventSourceMapping`.
    Resource,
}

/// What the mapping's surroundings say about it.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    /// The mapping's name.
    pub(crate) name: String,
    /// The function, as the endpoint knows it.
    pub(crate) function: String,
    /// The function's `Timeout`, in seconds.
    pub(crate) timeout_seconds: i64,
    /// Where the properties are, such as `Resources.Triage.Properties.Events.Questions.Properties`.
    pub(crate) path: String,
}

/// Where a group without offsets begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartingPosition {
    /// At the oldest record.
    TrimHorizon,
    /// At the next record.
    Latest,
    /// At the first record that is not older; milliseconds since 1970.
    AtTimestamp(i64),
}

/// Where records go that are given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A topic of the same cluster.
    Kafka(String),
    /// A queue, by its ARN.
    Sqs(String),
    /// A topic of the notification service, by its ARN.
    Sns(String),
    /// A bucket, by its ARN.
    S3(String),
}

/// An event source mapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mapping {
    /// Its name in commands and logs.
    pub(crate) name: String,
    /// The function, as the endpoint knows it.
    pub(crate) function: String,
    /// Cluster and topic, in the words of the event.
    pub(crate) source: Source,
    /// The consumer group.
    pub(crate) group: String,
    /// Where a new group begins.
    pub(crate) start: StartingPosition,
    /// Most records in a batch.
    pub(crate) batch_size: usize,
    /// How long a batch waits for more records.
    pub(crate) window_ms: i64,
    /// Whether the function reports failed records.
    pub(crate) reports_failures: bool,
    /// Whether a batch is split after an error.
    pub(crate) bisects: bool,
    /// How often a batch is tried again; forever if absent.
    pub(crate) retry_limit: Option<u32>,
    /// The oldest record that is invoked with; any if absent.
    pub(crate) record_age_limit_ms: Option<i64>,
    /// Where records go that are given up.
    pub(crate) destination: Option<Destination>,
    /// Which records the function gets.
    pub(crate) filters: Filters,
    /// How long the function may take.
    pub(crate) timeout_seconds: u64,
    /// Whether it begins to work by itself.
    pub(crate) is_enabled: bool,
    /// What is said there, but has no effect here.
    pub(crate) notes: Vec<String>,
}

impl Mapping {
    /// Reads the properties of a mapping. All faults are noted; with any, there is no mapping.
    pub(crate) fn read(
        owner: &Owner,
        kind: Kind,
        node: &Node,
        faults: &mut Faults,
    ) -> Option<Self> {
        let before = faults.found.len();
        let mut properties = Properties::new(&owner.path, node, faults);
        let start = start(&mut properties);
        let destination = destination(&mut properties);
        let retries = properties.integer("MaximumRetryAttempts", -1, 10_000);
        let topic = topic(&mut properties);
        let is_enabled = properties.truth("Enabled").unwrap_or(true);
        let (arn, bootstrap_servers, group) = cluster(&mut properties, kind);
        if let (Some(Destination::Kafka(to)), Some(from)) = (&destination, &topic)
            && to == from
        {
            properties.fault("DestinationConfig", "must be another topic than the source");
        }
        let mapping = Self {
            function: owner.function.clone(),
            group: group.unwrap_or_else(|| format!("lambda-poller.{}", owner.name)),
            start,
            batch_size: as_size(properties.integer("BatchSize", 1, 10_000).unwrap_or(BATCH_SIZE)),
            window_ms: properties
                .integer("MaximumBatchingWindowInSeconds", 0, 300)
                .map_or(WINDOW_MS, |seconds| seconds * 1_000),
            reports_failures: reports_failures(&mut properties),
            bisects: properties.truth("BisectBatchOnFunctionError").unwrap_or(false),
            retry_limit: match retries {
                Some(limit) if limit >= 0 => u32::try_from(limit).ok(),
                _ => destination.as_ref().map(|_| RETRY_LIMIT_WITH_DESTINATION),
            },
            record_age_limit_ms: record_age_limit_ms(&mut properties),
            destination,
            filters: filters(&mut properties),
            timeout_seconds: timeout(owner, &mut properties),
            is_enabled,
            notes: properties.notes(),
            name: owner.name.clone(),
            source: Source {
                arn,
                bootstrap_servers: bootstrap_servers.unwrap_or_default(),
                topic: topic.unwrap_or_default(),
            },
        };
        properties.finish();
        (faults.found.len() == before).then_some(mapping)
    }

    /// The numbers for the engine.
    #[must_use]
    pub(crate) fn policy(&self, concurrency: usize, retry_wait_ms: i64) -> Policy {
        Policy {
            batch_size: self.batch_size,
            window_ms: self.window_ms,
            records_limit: PAYLOAD_LIMIT.saturating_sub(self.source.envelope_size()),
            lane_size: self.source.lane_size(),
            concurrency,
            bisects: self.bisects,
            retry_limit: self.retry_limit,
            record_age_limit_ms: self.record_age_limit_ms,
            has_destination: self.destination.is_some(),
            retry_wait_ms,
            retry_wait_limit_ms: RETRY_WAIT_LIMIT_MS,
        }
    }
}

fn as_size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(1)
}

fn topic(properties: &mut Properties<'_>) -> Option<String> {
    let topics = properties.texts("Topics");
    match topics.as_deref() {
        Some([topic]) => Some(topic.clone()),
        Some(_) => {
            properties.fault("Topics", "must have exactly one topic");
            None
        }
        None => {
            properties.fault("Topics", "is missing");
            None
        }
    }
}

fn start(properties: &mut Properties<'_>) -> StartingPosition {
    let position = properties.text("StartingPosition");
    let seconds = properties.decimal("StartingPositionTimestamp");
    match (position.as_deref(), seconds) {
        (Some("TRIM_HORIZON") | None, None) => StartingPosition::TrimHorizon,
        (Some("LATEST"), None) => StartingPosition::Latest,
        (Some("AT_TIMESTAMP"), Some(seconds)) => {
            StartingPosition::AtTimestamp(properties::milliseconds(seconds))
        }
        (Some("AT_TIMESTAMP"), None) => {
            properties.fault("StartingPositionTimestamp", "is missing");
            StartingPosition::Latest
        }
        (Some("TRIM_HORIZON" | "LATEST") | None, Some(_)) => {
            properties.fault("StartingPositionTimestamp", "is only for AT_TIMESTAMP");
            StartingPosition::Latest
        }
        (Some(other), _) => {
            let known = "TRIM_HORIZON, LATEST or AT_TIMESTAMP";
            properties.fault("StartingPosition", format!("`{other}` is not {known}"));
            StartingPosition::Latest
        }
    }
}

/// The ARN of an MSK cluster, the brokers, and the consumer group.
fn cluster(
    properties: &mut Properties<'_>,
    kind: Kind,
) -> (Option<String>, Option<String>, Option<String>) {
    let (arn, servers, group) = match kind {
        Kind::Msk => {
            let arn = properties.text("Stream");
            if arn.is_none() {
                properties.fault("Stream", "is missing");
            }
            (arn, None, properties.text("ConsumerGroupId"))
        }
        Kind::SelfManaged => {
            (None, properties.texts("KafkaBootstrapServers"), properties.text("ConsumerGroupId"))
        }
        Kind::Resource => {
            // Read by whoever knows the functions.
            properties.node("FunctionName");
            properties.node("Tags");
            let group = |config: Option<&Node>| config?.get("ConsumerGroupId")?.as_text();
            let managed = group(properties.node("AmazonManagedKafkaEventSourceConfig"));
            let own = group(properties.node("SelfManagedKafkaEventSourceConfig"));
            let endpoints = properties.node("SelfManagedEventSource").and_then(|source| {
                let servers = source.get("Endpoints")?.get("KafkaBootstrapServers")?;
                Some(servers.items().iter().filter_map(Node::as_text).collect())
            });
            (properties.text("EventSourceArn"), endpoints, managed.or(own))
        }
    };
    let is_bad = |group: &String| !(1..=200).contains(&group.chars().count());
    if group.as_ref().is_some_and(is_bad) {
        properties.fault("ConsumerGroupId", "must have 1 to 200 characters");
    }
    (arn, servers.map(|servers: Vec<String>| servers.join(",")), group)
}

fn reports_failures(properties: &mut Properties<'_>) -> bool {
    match properties.texts("FunctionResponseTypes").as_deref() {
        None | Some([]) => false,
        Some([one]) if one == "ReportBatchItemFailures" => true,
        Some(_) => {
            properties.fault("FunctionResponseTypes", "can only be [ReportBatchItemFailures]");
            false
        }
    }
}

fn record_age_limit_ms(properties: &mut Properties<'_>) -> Option<i64> {
    let seconds = properties.integer("MaximumRecordAgeInSeconds", -1, 604_800)?;
    if (0..60).contains(&seconds) {
        properties.fault("MaximumRecordAgeInSeconds", "must be -1, or 60 to 604800");
    }
    (seconds >= 60).then_some(seconds * 1_000)
}

fn destination(properties: &mut Properties<'_>) -> Option<Destination> {
    let failure = properties.node("DestinationConfig")?.get("OnFailure")?;
    let kind = failure.get("Type").and_then(Node::as_text);
    let to = failure.get("Destination").and_then(Node::as_text);
    let parsed = match (kind.as_deref(), to) {
        (Some("Kafka"), Some(to)) if !to.contains(':') => Some(Destination::Kafka(to)),
        (_, Some(to)) => Destination::parse(&to),
        // SAM makes a queue or a topic if it is given none.
        (Some("SQS"), None) => Some(Destination::Sqs("arn:aws:sqs:::on-failure".to_owned())),
        (Some("SNS"), None) => Some(Destination::Sns("arn:aws:sns:::on-failure".to_owned())),
        _ => None,
    };
    if parsed.is_none() {
        let reason = "OnFailure.Destination must be kafka://TOPIC, or the ARN of a queue (sqs), \
                      a topic (sns) or a bucket (s3)";
        properties.fault("DestinationConfig", reason);
    }
    parsed
}

impl Destination {
    /// Reads `kafka://topic` or an ARN.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(topic) = text.strip_prefix("kafka://") {
            return (!topic.is_empty()).then(|| Self::Kafka(topic.to_owned()));
        }
        let mut parts = text.split(':');
        match (parts.next(), parts.next().is_some(), parts.next()) {
            (Some("arn"), true, Some("sqs")) => Some(Self::Sqs(text.to_owned())),
            (Some("arn"), true, Some("sns")) => Some(Self::Sns(text.to_owned())),
            (Some("arn"), true, Some("s3")) => Some(Self::S3(text.to_owned())),
            _ => None,
        }
    }
}

fn filters(properties: &mut Properties<'_>) -> Filters {
    let Some(criteria) = properties.node("FilterCriteria") else { return Filters::default() };
    let patterns: Option<Vec<String>> = criteria.get("Filters").map_or(Some(vec![]), |filters| {
        filters.items().iter().map(|filter| filter.get("Pattern")?.as_text()).collect()
    });
    let Some(patterns) = patterns else {
        properties.fault("FilterCriteria", "each filter must have a Pattern, which is a text");
        return Filters::default();
    };
    Filters::read(patterns.iter().map(String::as_str)).unwrap_or_else(|error| {
        properties.fault("FilterCriteria", error);
        Filters::default()
    })
}

fn timeout(owner: &Owner, properties: &mut Properties<'_>) -> u64 {
    if !(1..=TIMEOUT_LIMIT_SECONDS).contains(&owner.timeout_seconds) {
        let reason = format!(
            "the Timeout of {} is {} s, and Kafka permits 1 to {TIMEOUT_LIMIT_SECONDS} s",
            owner.function, owner.timeout_seconds
        );
        properties.fault("Timeout", reason);
    }
    owner.timeout_seconds.unsigned_abs()
}

/// Properties from no document, such as flags.
#[must_use]
pub(crate) fn node_of(members: Vec<(&str, Option<Value>)>) -> Node {
    let members = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Node::new(value?))))
        .collect();
    Node::new(Value::Map(members))
}

#[cfg(test)]
mod tests;
