//! Producing: appending batches, and ids for idempotent producers.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse, ProducerId,
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
    },
    protocol::StrBytes,
};

use crate::{
    call::{Call, Error},
    configs,
    log::AppendError,
    state::State,
};

pub(crate) fn produce(call: &mut Call, state: &State) -> Result<Option<Bytes>, Error> {
    let request: ProduceRequest = call.request()?;
    let mut responses = Vec::new();
    for topic in request.topic_data {
        let partitions = topic.partition_data.into_iter().map(|partition| {
            let appended = if request.transactional_id.is_some() {
                Err(AppendError::Transactional)
            } else {
                append(state, &topic.name, partition.index, partition.records.as_ref())
            };
            let response = PartitionProduceResponse::default()
                .with_index(partition.index)
                .with_log_append_time_ms(-1);
            match appended {
                Ok((offset, start)) => {
                    let response = response.with_base_offset(offset);
                    if call.version >= 5 { response.with_log_start_offset(start) } else { response }
                }
                Err(error) => {
                    let (code, advice) = describe(&error);
                    let message =
                        advice.filter(|_| call.version >= 8).map(StrBytes::from_static_str);
                    response
                        .with_base_offset(-1)
                        .with_error_code(code.code())
                        .with_error_message(message)
                }
            }
        });
        let partition_responses = partitions.collect();
        responses.push(
            TopicProduceResponse::default()
                .with_name(topic.name.clone())
                .with_partition_responses(partition_responses),
        );
    }
    state.appended.send_modify(|count| *count += 1);
    if request.acks == 0 {
        return Ok(None);
    }
    call.respond(&ProduceResponse::default().with_responses(responses)).map(Some)
}

fn append(
    state: &State,
    topic: &str,
    partition: i32,
    records: Option<&Bytes>,
) -> Result<(i64, i64), AppendError> {
    let mut topics = state.topics.lock();
    let limit = topics.get(topic).map(|topic| configs::batch_limit(&topic.configs));
    let log = topics.partition(topic, partition).ok_or(AppendError::UnknownPartition)?;
    let limit = limit.unwrap_or(configs::DEFAULT_BATCH_LIMIT);
    let offset = log.append(records.map(AsRef::as_ref).unwrap_or_default(), limit)?;
    Ok((offset, log.start_offset()))
}

const fn describe(error: &AppendError) -> (ResponseError, Option<&'static str>) {
    match error {
        AppendError::UnknownPartition => (ResponseError::UnknownTopicOrPartition, None),
        AppendError::TooLarge => (
            ResponseError::MessageTooLarge,
            Some("the batch is larger than the topic's max.message.bytes"),
        ),
        AppendError::Corrupt => (ResponseError::CorruptMessage, None),
        AppendError::Invalid => (
            ResponseError::InvalidRecord,
            Some("a partition takes one batch at a time, with an offset for each record"),
        ),
        AppendError::UnsupportedFormat => (
            ResponseError::UnsupportedForMessageFormat,
            Some("only record batches (magic 2) are accepted"),
        ),
        AppendError::Transactional => (
            ResponseError::TransactionalIdAuthorizationFailed,
            Some("the local broker has no transactions: use --kafka with a real cluster"),
        ),
        AppendError::OutOfOrder => (ResponseError::OutOfOrderSequenceNumber, None),
        AppendError::StaleProducer => (ResponseError::InvalidProducerEpoch, None),
        AppendError::Io => (ResponseError::KafkaStorageError, None),
    }
}

#[expect(clippy::disallowed_methods, reason = "a tool for local use: it has no runtime to ask")]
pub(crate) fn init_producer_id(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: InitProducerIdRequest = call.request()?;
    let response = InitProducerIdResponse::default();
    if request.transactional_id.is_some() {
        let code = ResponseError::TransactionalIdAuthorizationFailed.code();
        return call.respond(&response.with_error_code(code).with_producer_id(ProducerId(-1)));
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
    let id = next_id(&state.last_producer_id, now);
    call.respond(&response.with_producer_id(ProducerId(id)).with_producer_epoch(0))
}

/// Ids are the time in microseconds, unique across restarts, or the next number, unique within a microsecond: of two
/// producers with the same id, one's records would be taken for duplicates of the other's.
fn next_id(last: &AtomicI64, now: i64) -> i64 {
    let next = |last: i64| last.saturating_add(1).max(now);
    next(
        last.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)))
            .unwrap_or(now),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use super::next_id;

    #[test]
    fn two_producers_never_have_the_same_id() {
        let last = AtomicI64::new(0);
        let ids = [100, 100, 100, 90, 200, 200].map(|now| next_id(&last, now));
        assert_eq!(ids, [100, 101, 102, 103, 200, 201]);
    }
}
