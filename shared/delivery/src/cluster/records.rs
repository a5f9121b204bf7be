//! Reads what is on a cluster, without a group.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use environment::kafka_config::KafkaConfig;
use events::{CloudEvent, HeaderStyle};
use rdkafka::{
    Message as _, Offset, TopicPartitionList, consumer::Consumer, error::KafkaError,
    message::BorrowedMessage,
};
use uuid::Uuid;

use super::{
    patience::{Patience, REQUEST_LIMIT},
    topics::TopicState,
};
use crate::kafka;

/// Most records that are read to find a few: in the seconds after an event was emitted hardly more come.
pub const RECORDS_LIMIT: u32 = 5_000;

/// Where an event is on the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The event.
    pub event: Uuid,
    /// The partition.
    pub partition: i32,
    /// The offset there.
    pub offset: i64,
}

/// Looks for events on their topic, among what was sent since then. Those that are not found were not sent, are deleted
/// already, or come too late in it ([`RECORDS_LIMIT`]). Blocks.
///
/// # Errors
/// The cluster cannot be reached.
pub fn locate(
    config: &KafkaConfig,
    topic: &TopicState,
    events: &[Uuid],
    since: DateTime<Utc>,
) -> Result<Vec<Place>, KafkaError> {
    let client = kafka::viewer(config, None)?;
    let mut times = TopicPartitionList::new();
    for partition in (0..).take(topic.partitions) {
        let since = Offset::Offset(since.timestamp_millis());
        times.add_partition_offset(&topic.name, partition, since)?;
    }
    let starts = client.offsets_for_times(times, REQUEST_LIMIT)?;
    let mut found = Vec::new();
    read(config, &starts, Patience::EACH, |record| {
        let body = record.payload().unwrap_or_default();
        if let Ok(event) = CloudEvent::decode(HeaderStyle::Kafka, [], body)
            && let Some(event) = events.iter().find(|id| id.to_string() == event.id)
        {
            let (partition, offset) = (record.partition(), record.offset());
            found.push(Place { event: *event, partition, offset });
        }
        if found.len() == events.len() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// Reads records from these places, until `look` has seen enough, all partitions are read to their ends, or a limit is
/// reached.
pub(super) fn read(
    config: &KafkaConfig,
    from: &TopicPartitionList,
    patience: Patience,
    mut look: impl FnMut(&BorrowedMessage<'_>) -> ControlFlow<()>,
) -> Result<(), KafkaError> {
    if from.count() == 0 {
        return Ok(());
    }
    let mut settings = kafka::client(config);
    settings
        // It joins no group and commits nothing, but the client requires a name.
        .set("group.id", "learnflow.operators")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "100")
        .set("queued.min.messages", "1");
    let client = kafka::reader(config, &settings)?;
    client.assign(from)?;
    let patience = Patience::of(patience.next());
    let (mut records, mut ends) = (0, 0);
    while records < RECORDS_LIMIT && ends < from.count() {
        let left = patience.next();
        match client.poll(left) {
            None => break,
            Some(Err(KafkaError::PartitionEOF(_))) => ends += 1,
            Some(Err(error)) => return Err(error),
            Some(Ok(record)) => {
                records += 1;
                if look(&record).is_break() {
                    break;
                }
            }
        }
    }
    Ok(())
}
