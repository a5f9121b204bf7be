//! What events say that a student did.

use chrono::{DateTime, Utc};
use domain::{
    activity::{Activity, Kind},
    execution::Verdict,
    struggle::says_stuck,
};
use events::{
    Event,
    activity_recorded::{self as recorded, ActivityRecorded},
    exercise_generated::ExerciseGenerated,
    question_asked::QuestionAsked,
};
use ids::{EventId, ExerciseId};
use serde::de::DeserializeOwned;
use storage::event_log::LoggedEvent;
use uuid::Uuid;

/// The types of events that say something.
pub const EVENT_TYPES: [&str; 3] =
    [ActivityRecorded::TYPE, QuestionAsked::TYPE, ExerciseGenerated::TYPE];

/// What a stored event says; nothing if its text was erased.
#[must_use]
pub fn activities_of(event: &LoggedEvent) -> Vec<Activity> {
    fn data<E: DeserializeOwned>(event: &LoggedEvent) -> Option<E> {
        event.data.read().ok()
    }
    let (id, at) = (event.id, event.occurred_at);
    let found = match event.event_type.as_str() {
        ActivityRecorded::TYPE => data(event).map(|data| of_activity(id, at, &data)),
        QuestionAsked::TYPE => data(event).map(|data| of_question(id, at, &data)),
        ExerciseGenerated::TYPE => data(event).map(|data| of_exercise(id, at, &data)),
        _ => None,
    };
    found.unwrap_or_default()
}

pub(crate) fn of_activity(
    id: EventId,
    time: DateTime<Utc>,
    event: &ActivityRecorded,
) -> Vec<Activity> {
    let at = event.done_at.unwrap_or(time);
    let one = |topic: Option<&str>, exercise: Option<ExerciseId>, source: Option<Uuid>, kind| {
        vec![Activity { id, source, at, topic: topic.map(str::to_owned), exercise, kind }]
    };
    match &event.activity {
        recorded::Activity::CodeRun {
            execution_id, verdict, error_type, program, work, ..
        } => {
            let error = match verdict {
                Verdict::Ok => None,
                // It says nothing about the student.
                Verdict::Internal | Verdict::Busy | Verdict::Unknown => return Vec::new(),
                failed => Some(error_type.clone().unwrap_or_else(|| failed.as_str().to_owned())),
            };
            let kind = Kind::Run { error, program: program.clone() };
            let topic = work.as_ref().map(|work| work.topic.as_str());
            let exercise = work.as_ref().map(|work| work.exercise_id);
            one(topic, exercise, Some(execution_id.as_uuid()), kind)
        }
        recorded::Activity::ExerciseSubmitted {
            exercise_id,
            topic,
            difficulty,
            score,
            passed,
            quality,
            helped,
            tested,
            ..
        } => {
            if !tested {
                return Vec::new();
            }
            let kind = Kind::Submission {
                difficulty: *difficulty,
                score: *score,
                passed: *passed,
                quality: *quality,
                helped: *helped,
            };
            one(Some(topic), Some(*exercise_id), Some(event.request_id), kind)
        }
        recorded::Activity::HintGiven { level, exercise_id, .. } => {
            let exercise = exercise_id.map(ExerciseId::from_uuid);
            one(None, exercise, Some(event.request_id), Kind::Hint { rung: *level })
        }
        recorded::Activity::AnswerRated { query_id, helpful } => {
            if !helpful {
                return Vec::new();
            }
            one(None, None, Some(query_id.as_uuid()), Kind::WasHelped)
        }
        recorded::Activity::CodeReviewed { quality, topic, exercise_id } => {
            let Some(quality) = *quality else { return Vec::new() };
            let exercise = exercise_id.map(ExerciseId::from_uuid);
            let kind = Kind::Review { quality };
            one(topic.as_deref(), exercise, Some(event.request_id), kind)
        }
        recorded::Activity::QuizSubmitted { attempt_id, topics, score, .. } => {
            let part = |part: &recorded::QuizTopic| Activity {
                id,
                source: Some(attempt_id.as_uuid()),
                at,
                topic: Some(part.topic.clone()),
                exercise: None,
                kind: Kind::Quiz { right: part.right, of: part.of, score: *score },
            };
            topics.iter().map(part).collect()
        }
        recorded::Activity::Unknown(_) => Vec::new(),
    }
}

pub(crate) fn of_question(id: EventId, at: DateTime<Utc>, event: &QuestionAsked) -> Vec<Activity> {
    if !says_stuck(event.question.as_str()) {
        return Vec::new();
    }
    vec![Activity {
        id,
        source: Some(event.query_id.as_uuid()),
        at,
        topic: event.topic.as_ref().map(|topic| topic.as_str().to_owned()),
        exercise: event.exercise_id.map(ExerciseId::from_uuid),
        kind: Kind::SaidStuck,
    }]
}

pub(crate) fn of_exercise(
    id: EventId,
    at: DateTime<Utc>,
    event: &ExerciseGenerated,
) -> Vec<Activity> {
    vec![Activity {
        id,
        source: Some(event.request_id),
        at,
        topic: Some(event.topic.clone()),
        exercise: Some(event.exercise_id),
        kind: Kind::Given,
    }]
}
