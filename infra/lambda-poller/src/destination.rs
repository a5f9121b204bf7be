//! What is sent to on-failure destinations.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::{
    engine::{Condition, Failure},
    event::{Event, Source},
    record::Record,
};

/// Who reports a failure, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report<'a> {
    /// Cluster and topic.
    pub(crate) source: &'a Source,
    /// The function, as the endpoint knows it.
    pub(crate) function: &'a str,
    /// The id of an invocation, if the endpoint gave none.
    pub(crate) id: &'a str,
    /// Milliseconds since 1970.
    pub(crate) now_ms: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a, P: Serialize> {
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_context: Option<ResponseContext<'a>>,
    version: &'static str,
    timestamp: String,
    #[serde(rename = "KafkaBatchInfo")]
    batch: BatchInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<P>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: String,
    condition: &'static str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext<'a> {
    status_code: u16,
    executed_version: &'static str,
    function_error: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo<'a> {
    batch_size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source_arn: Option<&'a str>,
    bootstrap_servers: &'a str,
    payload_size: usize,
    #[serde(flatten)]
    records: Records,
}

#[derive(Serialize)]
enum Records {
    #[serde(rename = "recordsInfo")]
    Lanes(BTreeMap<String, LaneInfo>),
    #[serde(rename = "recordInfo")]
    One(RecordInfo),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LaneInfo {
    first_record_offset: String,
    last_record_offset: String,
    first_record_timestamp: String,
    last_record_timestamp: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordInfo {
    offset: String,
    timestamp: String,
}

/// A message for the on-failure topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicMessage {
    /// The key of the record.
    pub(crate) key: Option<Vec<u8>>,
    /// The message.
    pub(crate) value: Vec<u8>,
}

impl Report<'_> {
    /// For SQS and SNS: what has failed, without the records.
    ///
    /// # Errors
    /// Never in practice: all of this can be written as JSON.
    pub(crate) fn metadata(&self, failure: &Failure) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.of_batch::<&str>(failure, None)?)
    }

    /// For S3: the same with the event that failed, as a text.
    ///
    /// # Errors
    /// Never in practice: all of this can be written as JSON.
    pub(crate) fn object(&self, failure: &Failure) -> Result<Vec<u8>, serde_json::Error> {
        let payload = serde_json::to_string(&self.source.event(&failure.records))?;
        serde_json::to_vec(&self.of_batch(failure, Some(payload))?)
    }

    /// For a topic: a message for each record, with the event that failed as an object.
    ///
    /// # Errors
    /// Never in practice: all of this can be written as JSON.
    pub(crate) fn messages(
        &self,
        failure: &Failure,
    ) -> Result<Vec<TopicMessage>, serde_json::Error> {
        let message = |index: usize, record: &Record| {
            let records = &failure.records[index..=index];
            let event = self.source.event(records);
            let info = RecordInfo {
                offset: record.offset.to_string(),
                timestamp: iso(record.timestamp_ms),
            };
            let batch = self.batch(1, self.size(&event)?, Records::One(info));
            let value = serde_json::to_vec(&self.message(failure, true, batch, Some(event)))?;
            Ok(TopicMessage { key: record.key.clone(), value })
        };
        failure.records.iter().enumerate().map(|(index, record)| message(index, record)).collect()
    }

    fn of_batch<'a, P: Serialize>(
        &'a self,
        failure: &'a Failure,
        payload: Option<P>,
    ) -> Result<Message<'a, P>, serde_json::Error> {
        let mut lanes: BTreeMap<String, LaneInfo> = BTreeMap::new();
        for record in &failure.records {
            let (offset, timestamp) = (record.offset.to_string(), iso(record.timestamp_ms));
            lanes
                .entry(self.source.lane(record.partition))
                .and_modify(|lane| {
                    lane.last_record_offset.clone_from(&offset);
                    lane.last_record_timestamp.clone_from(&timestamp);
                })
                .or_insert_with(|| LaneInfo {
                    first_record_offset: offset.clone(),
                    last_record_offset: offset.clone(),
                    first_record_timestamp: timestamp.clone(),
                    last_record_timestamp: timestamp.clone(),
                });
        }
        let size = self.size(&self.source.event(&failure.records))?;
        let batch = self.batch(failure.records.len(), size, Records::Lanes(lanes));
        Ok(self.message(failure, false, batch, payload))
    }

    fn size(&self, event: &Event<'_>) -> Result<usize, serde_json::Error> {
        serde_json::to_vec(event).map(|event| event.len())
    }

    fn batch(&self, batch_size: usize, payload_size: usize, records: Records) -> BatchInfo<'_> {
        BatchInfo {
            batch_size,
            event_source_arn: self.source.arn.as_deref(),
            bootstrap_servers: &self.source.bootstrap_servers,
            payload_size,
            records,
        }
    }

    fn message<'a, P: Serialize>(
        &'a self,
        failure: &'a Failure,
        is_for_topic: bool,
        batch: BatchInfo<'a>,
        payload: Option<P>,
    ) -> Message<'a, P> {
        let error = failure.error.as_ref();
        Message {
            request_context: RequestContext {
                request_id: error.and_then(|error| error.request_id.as_deref()).unwrap_or(self.id),
                function_arn: format!(
                    "arn:aws:lambda:us-east-1:123456789012:function:{}",
                    self.function
                ),
                condition: condition(failure.condition, is_for_topic),
                approximate_invoke_count: failure.invocations,
            },
            response_context: error.map(|error| ResponseContext {
                status_code: 200,
                executed_version: "$LATEST",
                function_error: &error.kind,
            }),
            version: "1.0",
            timestamp: iso(self.now_ms),
            batch,
            payload,
        }
    }

    /// The name of an object for a bucket.
    #[must_use]
    pub(crate) fn object_name(&self, mapping: &str) -> String {
        let now = DateTime::<Utc>::from_timestamp_millis(self.now_ms).unwrap_or_default();
        let day = now.format("%Y/%m/%d");
        let moment = now.format("%Y-%m-%dT%H.%M.%S");
        format!("aws/lambda/{mapping}/{day}/{moment}-{}", self.id)
    }
}

/// AWS's word, which is another one in messages for topics.
const fn condition(condition: Condition, is_for_topic: bool) -> &'static str {
    match condition {
        Condition::RetryAttemptsExhausted if is_for_topic => "RetriesExhausted",
        Condition::RetryAttemptsExhausted => "RetryAttemptsExhausted",
        Condition::RecordAgeExceeded => "RecordAgeExceeded",
        Condition::MaximumPayloadSizeExceeded => "MaximumPayloadSizeExceeded",
    }
}

fn iso(ms: i64) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(ms).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests;
