//! Consuming: records from an offset on, waiting for new ones, and offsets by time.

use std::{io, time::Duration};

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        BrokerId, FetchRequest, FetchResponse, ListOffsetsRequest, ListOffsetsResponse,
        fetch_response::{FetchableTopicResponse, PartitionData},
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
    },
};
use tokio::time::{Instant, timeout_at};

use crate::{
    call::{Call, Error},
    log::PartitionLog,
    state::State,
};

/// The longest that a client may wait for records in one request.
const WAIT_LIMIT: Duration = Duration::from_secs(60);
/// Most bytes of records in one answer, whatever the client allows: Kafka's `fetch.max.bytes` is 55 MiB, and nothing
/// local needs so much at once. A longer batch is sent alone.
const BYTES_LIMIT: usize = 16 * 1024 * 1024;
/// `ListOffsets` for the end of the log.
const LATEST: i64 = -1;
/// `ListOffsets` for its beginning.
const EARLIEST: i64 = -2;
/// `ListOffsets` for the record with the latest time (KIP-734).
const MAX_TIMESTAMP: i64 = -3;

pub(crate) async fn fetch(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: FetchRequest = call.request()?;
    let wait =
        Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(WAIT_LIMIT);
    let deadline = Instant::now() + wait;
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    // Subscribed before the first look, so an append between look and wait is not missed.
    let mut appended = state.appended.subscribe();
    loop {
        let found = collect(&request, call.version, state);
        if found.bytes >= min_bytes || found.has_error || Instant::now() >= deadline {
            return call.respond(&FetchResponse::default().with_responses(found.topics));
        }
        // Both a new append and the deadline lead to another look; the sender never goes away.
        if matches!(timeout_at(deadline, appended.changed()).await, Ok(Err(_))) {
            return call.respond(&FetchResponse::default().with_responses(found.topics));
        }
    }
}

struct Found {
    topics: Vec<FetchableTopicResponse>,
    bytes: usize,
    has_error: bool,
}

fn collect(request: &FetchRequest, version: i16, state: &State) -> Found {
    let mut found = Found { topics: Vec::new(), bytes: 0, has_error: false };
    let limit = usize::try_from(request.max_bytes).unwrap_or(0).min(BYTES_LIMIT);
    let mut topics = state.topics.lock();
    for topic in &request.topics {
        let mut partitions = Vec::new();
        for wanted in &topic.partitions {
            let mut data = PartitionData::default()
                .with_partition_index(wanted.partition)
                .with_preferred_read_replica(BrokerId(-1))
                .with_records(Some(Bytes::new()));
            let fault = match topics.partition(&topic.topic, wanted.partition) {
                None => Some(ResponseError::UnknownTopicOrPartition),
                Some(log) => {
                    let (start, end) = (log.start_offset(), log.next_offset());
                    data = data.with_high_watermark(end).with_last_stable_offset(end);
                    if version >= 5 {
                        data = data.with_log_start_offset(start);
                    }
                    let left = limit.saturating_sub(found.bytes);
                    let max = usize::try_from(wanted.partition_max_bytes).unwrap_or(0).min(left);
                    if !(start..=end).contains(&wanted.fetch_offset) {
                        Some(ResponseError::OffsetOutOfRange)
                    } else if left == 0 {
                        None
                    } else {
                        match log.read(wanted.fetch_offset, max) {
                            Ok(records) => {
                                found.bytes += records.len();
                                data = data.with_records(Some(records));
                                None
                            }
                            Err(error) => {
                                tracing::error!(%error, "records cannot be read");
                                Some(ResponseError::KafkaStorageError)
                            }
                        }
                    }
                }
            };
            found.has_error |= fault.is_some();
            partitions.push(data.with_error_code(fault.map_or(0, |fault| fault.code())));
        }
        let response = FetchableTopicResponse::default().with_topic(topic.topic.clone());
        found.topics.push(response.with_partitions(partitions));
    }
    found
}

pub(crate) fn list_offsets(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: ListOffsetsRequest = call.request()?;
    let mut topics = state.topics.lock();
    let mut responses = Vec::new();
    for topic in request.topics {
        let mut partitions = Vec::new();
        for wanted in topic.partitions {
            let response = ListOffsetsPartitionResponse::default()
                .with_partition_index(wanted.partition_index)
                .with_timestamp(-1)
                .with_offset(-1);
            partitions.push(match topics.partition(&topic.name, wanted.partition_index) {
                None => response.with_error_code(ResponseError::UnknownTopicOrPartition.code()),
                Some(log) => match find(log, wanted.timestamp) {
                    Ok(Some((offset, time))) => response.with_offset(offset).with_timestamp(time),
                    Ok(None) => response,
                    Err(error) => {
                        tracing::error!(%error, "records cannot be read");
                        response.with_error_code(ResponseError::KafkaStorageError.code())
                    }
                },
            });
        }
        responses.push(
            ListOffsetsTopicResponse::default().with_name(topic.name).with_partitions(partitions),
        );
    }
    call.respond(&ListOffsetsResponse::default().with_topics(responses))
}

/// An offset, with its time if requested.
fn find(log: &PartitionLog, timestamp: i64) -> io::Result<Option<(i64, i64)>> {
    Ok(match timestamp {
        LATEST => Some((log.next_offset(), -1)),
        EARLIEST => Some((log.start_offset(), -1)),
        MAX_TIMESTAMP => log.offset_of_latest(),
        timestamp => return log.offset_for_time(timestamp),
    })
}
