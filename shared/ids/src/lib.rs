//! The one registry of typed ids.
//!
//! Belongs here: a newtype over a UUID for each noun that has an identity. Never here: making a new id (the clock does
//! that), or database types (storage converts at its edge).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Names an existing UUID as this kind of id.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, for storage and the wire.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )+};
}

typed_ids! {
    /// An alert about a struggling student.
    AlertId,
    /// Something that a class is to do by a date.
    AssignmentId,
    /// A class of students with its teachers.
    ClassId,
    /// A conversation between one student and the tutor.
    ConversationId,
    /// An event; equal ids mean the same event, however often it is delivered.
    EventId,
    /// An exercise: the course's own have ids that derive from their names.
    ExerciseId,
    /// A file with everything that is stored about a person.
    ExportId,
    /// A run of a program and its result; also the correlation id of every event that it causes.
    ExecutionId,
    /// Sending a notification to the outside, by one subscription.
    DeliveryId,
    /// A message to a person.
    NotificationId,
    /// A student's question and its answer; also the correlation id of every event that it causes.
    QueryId,
    /// One try of a student at a quiz.
    QuizAttemptId,
    /// A solution that a student has handed in; also the correlation id of every event that it causes.
    SubmissionId,
    /// Where a person wants to get notifications.
    SubscriptionId,
    /// All refresh tokens that descend from one login.
    TokenFamilyId,
    /// A student, teacher or administrator. A student's id is the partition key of their events.
    UserId,
}
