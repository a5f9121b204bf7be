//! The event that a function is invoked with.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::record::Record;

/// The most that AWS passes to a function at once.
pub(crate) const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;

/// Which cluster and topic the records of a mapping come from, in the words of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// The ARN of the MSK cluster; none if the cluster is self-managed.
    pub(crate) arn: Option<String>,
    /// The brokers, separated by commas.
    pub(crate) bootstrap_servers: String,
    /// The topic.
    pub(crate) topic: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event<'a> {
    event_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source_arn: Option<&'a str>,
    bootstrap_servers: &'a str,
    records: BTreeMap<String, Vec<&'a RawValue>>,
}

impl Source {
    /// How the event names a partition: `mytopic-0`.
    #[must_use]
    pub(crate) fn lane(&self, partition: i32) -> String {
        format!("{}-{partition}", self.topic)
    }

    pub(crate) fn event<'a>(&'a self, records: &'a [Arc<Record>]) -> Event<'a> {
        let mut lanes: BTreeMap<String, Vec<&RawValue>> = BTreeMap::new();
        for record in records {
            lanes.entry(self.lane(record.partition)).or_default().push(&record.json);
        }
        Event {
            event_source: if self.arn.is_some() { "aws:kafka" } else { "SelfManagedKafka" },
            event_source_arn: self.arn.as_deref(),
            bootstrap_servers: &self.bootstrap_servers,
            records: lanes,
        }
    }

    /// The event with these records, as JSON.
    ///
    /// # Errors
    /// Never in practice: all of this can be written as JSON.
    pub(crate) fn payload(&self, records: &[Arc<Record>]) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.event(records))
    }

    /// The bytes of an event besides those of records and lanes.
    #[must_use]
    pub(crate) fn envelope_size(&self) -> usize {
        self.payload(&[]).map_or(0, |event| event.len())
    }

    /// The most bytes that a lane adds: its name with quotes, colon, brackets and comma.
    #[must_use]
    pub(crate) fn lane_size(&self) -> usize {
        serde_json::to_string(&self.lane(i32::MIN)).map_or(0, |name| name.len() + 4)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Source;
    use crate::record::Consumed;

    fn record(partition: i32, offset: i64) -> Arc<crate::record::Record> {
        let consumed = Consumed {
            partition,
            offset,
            timestamp_ms: 1,
            is_log_append_time: false,
            key: None,
            value: Some(b"x".to_vec()),
            headers: vec![],
        };
        Arc::new(consumed.into_record("t").unwrap())
    }

    #[test]
    fn an_event_has_the_form_of_aws_for_both_kinds_of_clusters() {
        let mut source = Source {
            arn: Some("arn:aws:kafka:us-east-1:123456789012:cluster/demo/751d2973".to_owned()),
            bootstrap_servers: "b-2.demo:9092,b-1.demo:9092".to_owned(),
            topic: "my-topic-1".to_owned(),
        };
        let event = source.payload(&[record(0, 15), record(1, 3), record(0, 16)]).unwrap();
        let object = |partition, offset| {
            format!(
                r#"{{"topic":"t","partition":{partition},"offset":{offset},"timestamp":1,"timestampType":"CREATE_TIME","value":"eA==","headers":[]}}"#
            )
        };
        let msk = r#"{"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:us-east-1:123456789012:cluster/demo/751d2973","bootstrapServers":"b-2.demo:9092,b-1.demo:9092","records":{"my-topic-1-0":["#;
        let rest = format!(
            r#"{},{}],"my-topic-1-1":[{}]}}}}"#,
            object(0, 15),
            object(0, 16),
            object(1, 3)
        );
        assert_eq!(String::from_utf8(event).unwrap(), format!("{msk}{rest}"));
        source.arn = None;
        assert_eq!(
            String::from_utf8(source.payload(&[]).unwrap()).unwrap(),
            r#"{"eventSource":"SelfManagedKafka","bootstrapServers":"b-2.demo:9092,b-1.demo:9092","records":{}}"#
        );
    }

    #[test]
    fn the_estimate_of_an_events_size_is_never_too_low() {
        let source = Source { arn: None, bootstrap_servers: "b".to_owned(), topic: "t".to_owned() };
        let records = [record(0, 15), record(1, 3), record(0, 16)];
        let estimate = source.envelope_size()
            + 2 * source.lane_size()
            + records.iter().map(|record| record.size()).sum::<usize>();
        let size = source.payload(&records).unwrap().len();
        assert!((size..size + 40).contains(&estimate), "{estimate} for {size}");
    }
}
