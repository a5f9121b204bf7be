//! Creating topics, adding partitions, deleting records and topics.

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest,
        CreateTopicsResponse, DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest,
        DeleteTopicsResponse,
        create_partitions_response::CreatePartitionsTopicResult,
        create_topics_request::CreatableTopic,
        create_topics_response::CreatableTopicResult,
        delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult},
        delete_topics_response::DeletableTopicResult,
    },
    protocol::StrBytes,
};

use crate::{
    call::{Call, Error},
    configs::Configs,
    log::PartitionLog,
    state::State,
    topics::{ChangeError, Topics},
};

/// `DeleteRecords` for all records.
const ALL_RECORDS: i64 = -1;

pub(crate) fn create_topics(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: CreateTopicsRequest = call.request()?;
    let mut topics = state.topics.lock();
    let results = request.topics.into_iter().map(|topic| {
        let made = create(&mut topics, &topic, request.validate_only);
        let result = CreatableTopicResult::default().with_name(topic.name);
        match made {
            Ok((id, count)) => {
                let result = result.with_topic_id(id);
                if call.version < 5 {
                    return result;
                }
                result.with_num_partitions(count).with_replication_factor(1).with_configs(None)
            }
            Err((code, message)) => result
                .with_error_code(code.code())
                .with_error_message(Some(StrBytes::from_static_str(message))),
        }
    });
    let results = results.collect();
    call.respond(&CreateTopicsResponse::default().with_topics(results))
}

fn create(
    topics: &mut Topics,
    topic: &CreatableTopic,
    validate_only: bool,
) -> Result<(uuid::Uuid, i32), (ResponseError, &'static str)> {
    if !matches!(topic.replication_factor, -1 | 1) {
        return Err((ResponseError::InvalidReplicationFactor, "there is one broker"));
    }
    let count = match topic.assignments.len() {
        0 => topic.num_partitions,
        assigned => i32::try_from(assigned).unwrap_or(i32::MAX),
    };
    let configs = topic.configs.iter();
    let configs: Configs = configs
        .filter_map(|config| Some((config.name.to_string(), config.value.as_ref()?.to_string())))
        .collect();
    let count = topics.check_new(&topic.name, count, &configs).map_err(describe)?;
    if validate_only {
        return Ok((uuid::Uuid::nil(), count));
    }
    let id = topics.create(&topic.name, count, configs).map_err(describe)?;
    Ok((id, count))
}

/// An error code and its message for the client.
pub(crate) fn describe(error: ChangeError) -> (ResponseError, &'static str) {
    match error {
        ChangeError::Exists => (ResponseError::TopicAlreadyExists, "the topic exists already"),
        ChangeError::Unknown => (ResponseError::UnknownTopicOrPartition, "there is no such topic"),
        ChangeError::InvalidName => {
            (ResponseError::InvalidTopicException, "a name is 1 to 249 of a-z A-Z 0-9 . _ -")
        }
        ChangeError::InvalidPartitions => (
            ResponseError::InvalidPartitions,
            "a topic has 1 to 256 partitions here, and never fewer than before",
        ),
        ChangeError::TooManyPartitions => {
            (ResponseError::PolicyViolation, "all topics together have too many partitions")
        }
        ChangeError::InvalidConfig(reason) => (ResponseError::InvalidConfig, reason),
        ChangeError::Io(source) => {
            tracing::error!(error = %source, "the topics' files cannot be changed");
            (ResponseError::KafkaStorageError, "the topics' files cannot be changed")
        }
    }
}

pub(crate) fn delete_topics(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: DeleteTopicsRequest = call.request()?;
    let results = request.topic_names.into_iter().map(|name| {
        let deleted = state.topics.lock().delete(&name);
        let code = deleted.map_err(describe).map_or_else(|(code, _)| code.code(), |()| 0);
        // A new topic of the same name begins at offset 0, so its consumers must, too.
        let forgotten = state.offsets.lock().forget(|key| key.topic == name.as_str());
        if let Err(error) = forgotten {
            tracing::error!(%error, "the offsets of a deleted topic cannot be removed");
        }
        DeletableTopicResult::default().with_name(Some(name)).with_error_code(code)
    });
    let results = results.collect();
    call.respond(&DeleteTopicsResponse::default().with_responses(results))
}

pub(crate) fn create_partitions(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: CreatePartitionsRequest = call.request()?;
    let mut topics = state.topics.lock();
    let results = request.topics.into_iter().map(|topic| {
        let grown = if request.validate_only {
            topics.check_growth(&topic.name, topic.count).map(drop)
        } else {
            topics.grow(&topic.name, topic.count)
        };
        let result = CreatePartitionsTopicResult::default().with_name(topic.name);
        match grown.map_err(describe) {
            Ok(()) => result,
            Err((code, message)) => result
                .with_error_code(code.code())
                .with_error_message(Some(StrBytes::from_static_str(message))),
        }
    });
    let results = results.collect();
    call.respond(&CreatePartitionsResponse::default().with_results(results))
}

pub(crate) fn delete_records(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: DeleteRecordsRequest = call.request()?;
    let mut topics = state.topics.lock();
    let results = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| {
            let log = topics.partition(&topic.name, partition.partition_index);
            let deleted = log
                .ok_or(ResponseError::UnknownTopicOrPartition)
                .and_then(|log| delete_before(log, partition.offset));
            let result = DeleteRecordsPartitionResult::default()
                .with_partition_index(partition.partition_index);
            match deleted {
                Ok(start) => result.with_low_watermark(start),
                Err(code) => result.with_low_watermark(-1).with_error_code(code.code()),
            }
        });
        let partitions = partitions.collect();
        DeleteRecordsTopicResult::default().with_name(topic.name).with_partitions(partitions)
    });
    let results = results.collect();
    call.respond(&DeleteRecordsResponse::default().with_topics(results))
}

/// Returns the first offset that is left.
fn delete_before(log: &mut PartitionLog, offset: i64) -> Result<i64, ResponseError> {
    let end = log.next_offset();
    let offset = if offset == ALL_RECORDS { end } else { offset };
    if !(0..=end).contains(&offset) {
        return Err(ResponseError::OffsetOutOfRange);
    }
    log.delete_before(offset).map_err(|error| {
        tracing::error!(%error, "records cannot be deleted");
        ResponseError::KafkaStorageError
    })?;
    Ok(log.start_offset())
}
