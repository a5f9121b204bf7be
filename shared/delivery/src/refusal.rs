//! What it means that the broker has not taken an event, and when it is tried again.

use chrono::TimeDelta;
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode};

/// How often the broker may not take an event, for another reason than being away, before it is parked. With the
/// delays below that is over an hour, time enough to make a topic or to grant a right.
pub(crate) const REFUSALS_LIMIT: i16 = 20;
/// The longest delay before a relay tries an event again that was not taken.
const LONGEST_DELAY_SECONDS: i64 = 300;

/// What a failure to publish says about the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The broker is away: the event waits for it as long as it takes.
    Away,
    /// It may be taken once somebody has changed something.
    Now,
    /// It will never be taken.
    ForGood,
}

/// How long an event waits that was not taken `attempts` times before.
pub(crate) fn delay(attempts: i16) -> TimeDelta {
    let doubled = 1_i64 << attempts.clamp(0, 16);
    TimeDelta::seconds(doubled.min(LONGEST_DELAY_SECONDS))
}

/// What an error says about the next try.
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
