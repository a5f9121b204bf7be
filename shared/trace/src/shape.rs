//! The form of a trace.

use chrono::{DateTime, Utc};
use ids::EventId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What became of an event at a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HopOutcome {
    /// The function has handled it.
    Handled,
    /// Attempts have failed, and it is tried again.
    Retrying,
    /// The function has given it up: it is a dead letter.
    GivenUp,
    /// It waits for a relay, since the broker did not take it.
    Delayed,
    /// The broker refused it, and no relay tries any more.
    Parked,
    /// No function has noted anything about it: it is on its way, is only followed (answers are, by the front doors),
    /// or was handled more than 14 days ago.
    Unrecorded,
}

/// One event on its way to one function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hop {
    /// The event.
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// Bytes of its data, as they are stored: sealed.
    pub bytes: u64,
    /// The function that emitted it; the source of an event from elsewhere.
    pub emitted_by: String,
    /// The event of this trace that caused it; none if a request did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<EventId>,
    /// When it was emitted: when what was emitted with it was stored, if that is known.
    pub emitted_at: DateTime<Utc>,
    /// Its topic.
    pub topic: String,
    /// Its partition, if the trigger has told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<i16>,
    /// Its offset there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// The function that handled it or tries to; none if no function has noted anything about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// What became of it there.
    pub outcome: HopOutcome,
    /// When the attempt began that succeeded, or gave it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When its effects were stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<DateTime<Utc>>,
    /// From `emitted_at` to `started_at`: the commit, the way to the broker, the queue, and failed attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<f64>,
    /// The part of it since the broker had the record, if the trigger has told that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_ms: Option<f64>,
    /// From `started_at` to `finished_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_ms: Option<f64>,
    /// Attempts at it, the last one included.
    pub attempts: u32,
    /// Why it was given up or parked, outermost cause first.
    pub reasons: Vec<String>,
    /// The dead letter, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_id: Option<EventId>,
}

/// The sums of a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TraceSums {
    /// Hops.
    pub hops: u32,
    /// From the first event to the end of the last known work. Hops at the same time make it shorter than the sums.
    pub took_ms: f64,
    /// All waits.
    pub wait_ms: f64,
    /// All work.
    pub work_ms: f64,
    /// Attempts that failed.
    pub failed_attempts: u32,
    /// Hops that ended as dead letters or were parked.
    pub given_up: u32,
}

/// Whether the data of an event can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayloadState {
    /// It is in `data`.
    Open,
    /// The account that it was about was erased, or the request: nobody can read it any more.
    Erased,
    /// All data together is more than is shown at once.
    TooLarge,
    /// The key does not fit: the stored data was changed.
    Damaged,
}

/// The data of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TracePayload {
    /// The event.
    pub event_id: EventId,
    /// Whether it can be shown.
    pub state: PayloadState,
    /// The data, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// What happened to one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = RequestTrace)]
pub struct Trace {
    /// The request: a question, a run or a solution.
    pub correlation_id: Uuid,
    /// The student whom its first event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Uuid>,
    /// When its first event was emitted.
    pub began_at: DateTime<Utc>,
    /// When the last known work ended.
    pub ended_at: DateTime<Utc>,
    /// In the order in which the events were emitted.
    pub hops: Vec<Hop>,
    /// Their sums.
    pub sums: TraceSums,
    /// Whether there are more events than are shown.
    pub truncated: bool,
    /// The data of each event, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payloads: Option<Vec<TracePayload>>,
}
