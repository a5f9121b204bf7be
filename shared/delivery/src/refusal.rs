//! What a failure to publish means for retries, and when to retry.

use chrono::TimeDelta;
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode};

/// How often the broker may refuse an event, for a reason other than being unavailable, before it is parked. With the
/// delays below that takes over an hour, time enough to create a topic or to grant a right.
pub(crate) const REFUSALS_LIMIT: i16 = 20;
/// The longest delay before a relay retries a refused event.
const LONGEST_DELAY_SECONDS: i64 = 300;

/// What a failure to publish means for retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The broker is unavailable: the event waits for it without a limit.
    Away,
    /// It may be accepted once somebody has changed something.
    Now,
    /// It will never be accepted.
    ForGood,
}

/// The delay of an event that was refused `attempts` times before.
pub(crate) fn delay(attempts: i16) -> TimeDelta {
    let doubled = 1_i64 << attempts.clamp(0, 16);
    TimeDelta::seconds(doubled.min(LONGEST_DELAY_SECONDS))
}

/// Classifies an error.
pub(crate) fn refusal(error: &KafkaError) -> Refusal {
    use RDKafkaErrorCode as Code;
    match error.rdkafka_error_code() {
        Some(
            Code::MessageSizeTooLarge
            | Code::InvalidMessageSize
            | Code::InvalidRecord
            | Code::InvalidTopic
            | Code::UnsupportedForMessageFormat,
        ) => Refusal::ForGood,
        Some(
            Code::UnknownTopicOrPartition
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::TopicAuthorizationFailed
            | Code::PolicyViolation
            | Code::InvalidMessage
            | Code::BadMessage,
        ) => Refusal::Now,
        _ => Refusal::Away,
    }
}
