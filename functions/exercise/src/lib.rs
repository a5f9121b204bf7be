//! Exercise: gives something to practise, helps with it, and grades what is handed in.
//!
//! In: `exercise.requested.v1`, `submission.made.v1`, and `execution.finished.v1` of the runs that it asked
//! for; with a model also `model.requested.v1` and `model.finished.v1`. Out: `question.answered.v1`,
//! `submission.graded.v1`, `exercise.generated.v1` and `activity.recorded.v1`. The course's exercises are
//! verified by `learnflow check-course`; one that is made here passes the same gates before it is set. Fails
//! only if the database is away.

pub mod choose;
mod grading;
pub mod help;
mod http;
pub mod make;
mod model;
mod setting;
pub mod show;
mod spec;

use std::sync::Arc;

use domain::agent::{AnsweredBy, Author};
use events::{
    execution_finished::ExecutionFinished,
    exercise_requested::ExerciseRequested,
    model_call::{ExerciseModelFinished, ExerciseModelRequested},
    question_answered::{Answer, QuestionAnswered},
    question_routed::QuestionRouted,
    submission_made::SubmissionMade,
};
use ids::{ExerciseId, QueryId};
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tutor::Tutor;

pub use self::spec::SPEC;
use crate::{choose::Intent, grading::Grading, make::Making, model::Asked};

/// The function's name.
const NAME: &str = SPEC.name;

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let tutor = agents::tutor(settings, services);
    let function = Function::new(&SPEC)
        .decides(Begin { tutor: tutor.clone() })
        .decides(Submit)
        .decides(GoOn { tutor: tutor.clone() })
        .serves_internal(http::routes(services));
    agents::with_model::<ExerciseModelRequested, _, _>(function, tutor, |tutor| Hear { tutor })
}

/// Sets an exercise, has one made, or helps with the one that is open.
struct Begin {
    tutor: Option<Arc<Tutor>>,
}

impl Decide for Begin {
    type In = ExerciseRequested;

    async fn handle(
        &self,
        received: Received<ExerciseRequested>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let request = received.event.data.0.clone();
        let of = (request.asked.query_id, request.asked.student_id);
        let origin = agents::origin(&received, Author::Exercise, of);
        let open = match request.asked.exercise_id {
            Some(id) => setting::find(conn, ExerciseId::from_uuid(id)).await?,
            None => None,
        };
        let question = request.asked.question.as_str();
        match (open, Intent::of_question(question, &request.routing.signs)) {
            (Some(open), Intent::Help) => setting::help(conn, origin, request, open).await,
            (Some(open), Intent::Vary) => setting::vary(conn, origin, request, open).await,
            _ => setting::begin(conn, self.tutor.as_deref(), origin, request).await,
        }
    }
}

/// What waits for a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Waiting {
    /// A solution that is graded.
    Grading(Box<Grading>),
    /// An exercise that is made.
    Making(Box<Making>),
}

/// Has a solution run with all tests.
struct Submit;

impl Decide for Submit {
    type In = SubmissionMade;

    async fn handle(
        &self,
        received: Received<SubmissionMade>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let made = received.event.data.clone();
        let query = QueryId::from_uuid(made.submission_id.as_uuid());
        let origin = agents::origin(&received, Author::Exercise, (query, made.student_id));
        grading::begin(conn, origin, made).await
    }
}

/// Goes on when a program has been run.
struct GoOn {
    tutor: Option<Arc<Tutor>>,
}

impl Decide for GoOn {
    type In = ExecutionFinished;

    async fn handle(
        &self,
        received: Received<ExecutionFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let run = &received.event.data;
        match agents::take::<Waiting>(conn, run.execution_id, Author::Exercise).await? {
            None => Ok(Outgoing::none()),
            Some(Waiting::Grading(grading)) => {
                let query = QueryId::from_uuid(grading.submission().as_uuid());
                let origin = agents::origin(&received, Author::Exercise, (query, run.student_id));
                grading::finish(conn, origin, *grading, &run.result).await
            }
            Some(Waiting::Making(mut making)) => {
                making.note(&run.result);
                let of = (making.request.asked.query_id, making.request.asked.student_id);
                let origin = agents::origin(&received, Author::Exercise, of);
                setting::go_on(conn, self.tutor.as_deref(), origin, *making).await
            }
        }
    }
}

/// Reads what the model has written.
struct Hear {
    tutor: Arc<Tutor>,
}

impl Decide for Hear {
    type In = ExerciseModelFinished;

    async fn handle(
        &self,
        received: Received<ExerciseModelFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let finished = received.event.data.0.clone();
        let of = (finished.query_id, finished.student_id);
        let origin = agents::origin(&received, Author::Exercise, of);
        let taken = agents::take_answer::<Asked>(conn, &self.tutor, origin, finished).await?;
        match taken {
            Some(heard) => model::heard(conn, &self.tutor, origin, heard).await,
            None => Ok(Outgoing::none()),
        }
    }
}

fn answered(
    request: QuestionRouted,
    by: AnsweredBy,
    answer: Answer,
) -> Result<Outgoing, HandlerError> {
    Outgoing::none().with(&answered_by(request, by, answer))
}

fn answered_by(
    request: QuestionRouted,
    answered_by: AnsweredBy,
    answer: Answer,
) -> QuestionAnswered {
    QuestionAnswered {
        query_id: request.asked.query_id,
        student_id: request.asked.student_id,
        agent: Author::Exercise,
        answered_by,
        routing: request.routing,
        answer,
    }
}
