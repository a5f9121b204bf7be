//! A student did something that shows their progress.

use chrono::{DateTime, Utc};
use domain::{difficulty::Difficulty, execution::Verdict};
use ids::{ExecutionId, ExerciseId, QueryId, QuizAttemptId, UserId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic, execution_requested::Work, lenient};

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Activity {
    /// A program was run.
    CodeRun {
        /// The run.
        execution_id: ExecutionId,
        /// How it ended.
        verdict: Verdict,
        /// The class of the exception that ended it, or the name of the limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error_type: Option<String>,
        /// Tests that it passed, and all that there were.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tests: Option<(u32, u32)>,
        /// A fingerprint of the program; equal programs have the same one. Since 0.6.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<String>,
        /// What the student works on, if the front end says so. Since 0.7.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        work: Option<Work>,
    },
    /// A solution was handed in.
    ExerciseSubmitted {
        /// The exercise.
        exercise_id: ExerciseId,
        /// The topic's slug.
        topic: String,
        /// How hard it is.
        #[serde(deserialize_with = "lenient::name")]
        difficulty: Difficulty,
        /// 0 to 100.
        score: u8,
        /// Whether it solves the exercise.
        passed: bool,
        /// Its quality, 0 to 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quality: Option<u8>,
        /// Which attempt it was, from 1.
        attempt: u32,
        /// Whether the solution had been shown in pieces.
        helped: bool,
        /// Whether the tests could begin; if not, it shows nothing about the student's skills. Since 0.6.
        #[serde(default = "lenient::yes", skip_serializing_if = "lenient::is_yes")]
        tested: bool,
    },
    /// A hint was given.
    HintGiven {
        /// Which rung of the ladder, from 1.
        level: u8,
        /// How many there are.
        of: u8,
        /// The kind of mistake.
        rule: String,
        /// The exercise, if it was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exercise_id: Option<Uuid>,
    },
    /// The student rated an answer.
    AnswerRated {
        /// The question.
        query_id: QueryId,
        /// Whether it helped.
        helpful: bool,
    },
    /// A program was reviewed.
    CodeReviewed {
        /// Its quality, 0 to 100; none if it was too short to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quality: Option<u8>,
        /// The topic of the page that the student was on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
        /// The exercise that it was written for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exercise_id: Option<Uuid>,
    },
    /// A quiz was submitted.
    QuizSubmitted {
        /// The attempt.
        attempt_id: QuizAttemptId,
        /// The topic's slug; none if the quiz was mixed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        topic: Option<String>,
        /// 0 to 100.
        score: u8,
        /// Each topic with its questions that were answered right, and all of it.
        topics: Vec<QuizTopic>,
    },
    /// Something that a later version has, as it came.
    #[serde(untagged, skip_deserializing)]
    Unknown(Map<String, Value>),
}

/// A topic's part of a quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuizTopic {
    /// The topic's slug.
    pub topic: String,
    /// Questions that were answered right.
    pub right: u32,
    /// Questions.
    pub of: u32,
}

/// Emitted by every function that sees a student at work, handled by progress. Since 0.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActivityRecorded {
    /// Who.
    pub student_id: UserId,
    /// The request that it belongs to.
    pub request_id: Uuid,
    /// What.
    #[serde(deserialize_with = "activity")]
    pub activity: Activity,
    /// When it was done, if that was long before the event. Since 0.6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<DateTime<Utc>>,
}

impl Event for ActivityRecorded {
    const TYPE: &'static str = "activity.recorded.v1";
    const TOPIC: Topic = Topic::ProgressEvents;

    fn student_id(&self) -> UserId {
        self.student_id
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id
    }
}

/// Activities that are known: a faulty one of these is malformed.
const ACTIVITIES: [&str; 6] = [
    "code_run",
    "exercise_submitted",
    "hint_given",
    "answer_rated",
    "code_reviewed",
    "quiz_submitted",
];

/// What a student has done.
fn activity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Activity, D::Error> {
    lenient::tagged(Map::deserialize(deserializer)?, "type", &ACTIVITIES, Activity::Unknown)
}
