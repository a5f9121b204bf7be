//! Progress: keeps what students know, and notices who struggles.
//!
//! In: `progress.requested.v1`, `activity.recorded.v1`, `question.asked.v1` of students who say that they are stuck, `exercise.generated.v1`.
//! Out: `question.answered.v1`, `progress.updated.v1` and `nudge.given.v1` for the student, `struggle.detected.v1` for the teachers, and by HTTP
//! `activity.recorded.v1`. All that is stored is worked out from the set of activities, so events may come late, out of
//! order and more than once. Fails only if the database is away.

mod alerts;
mod answer;
mod http;
mod read;
mod recompute;
mod record;
mod spec;

use std::sync::Arc;

use agents::Handlers;
use events::{
    activity_recorded::ActivityRecorded, exercise_generated::ExerciseGenerated,
    progress_requested::ProgressRequested, question_asked::QuestionAsked,
};
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use sqlx::PgConnection;

use self::answer::ProgressAgent;
use self::record::{Report, record};
pub use self::{
    read::{EVENT_TYPES, activities_of},
    recompute::{Recomputed, recompute},
    spec::SPEC,
};

/// The function as the runtime hosts it.
pub fn function(_: &mut Settings, services: &Arc<Services>) -> Function {
    let agent = Handlers::<ProgressAgent>::offline();
    Function::new(&SPEC)
        .decides(agent.begin::<ProgressRequested>())
        .decides(Activities)
        .decides(Questions)
        .decides(Exercises)
        .serves_internal(http::routes(services))
}

/// What students do.
struct Activities;

impl Decide for Activities {
    type In = ActivityRecorded;

    async fn handle(
        &self,
        received: Received<ActivityRecorded>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let Received { event, now } = received;
        let activities = read::of_activity(event.id, event.time.unwrap_or(now), &event.data);
        let report = Report { cause: event.id, student: event.data.student_id, activities, now };
        record(conn, report, event.data.request_id).await
    }
}

/// Questions of students who say that they are stuck.
struct Questions;

impl Decide for Questions {
    type In = QuestionAsked;

    fn wants(&self, asked: &QuestionAsked) -> bool {
        domain::struggle::says_stuck(asked.question.as_str())
    }

    async fn handle(
        &self,
        received: Received<QuestionAsked>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let Received { event, now } = received;
        let activities = read::of_question(event.id, event.time.unwrap_or(now), &event.data);
        let report = Report { cause: event.id, student: event.data.student_id, activities, now };
        record(conn, report, event.data.query_id.as_uuid()).await
    }
}

/// Exercises that were made for a student, who works on them from then on.
struct Exercises;

impl Decide for Exercises {
    type In = ExerciseGenerated;

    async fn handle(
        &self,
        received: Received<ExerciseGenerated>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let Received { event, now } = received;
        let activities = read::of_exercise(event.id, event.time.unwrap_or(now), &event.data);
        let report = Report { cause: event.id, student: event.data.student_id, activities, now };
        record(conn, report, event.data.request_id).await
    }
}
