//! Code review: says what a careful reader would say about a program that its author thinks is done.
//!
//! In: `review.requested.v1`, and `execution.finished.v1` of the runs that it asked for. Out:
//! `execution.requested.v1` to see what the program does, then `question.answered.v1` and
//! `activity.recorded.v1`. Fails only if the database is away.

mod http;
pub mod report;

use std::sync::Arc;

use analysis::review::review;
use domain::{
    agent::{AnsweredBy, Author},
    execution::ExecutionResult,
};
use events::{
    activity_recorded::{Activity, ActivityRecorded},
    execution_finished::ExecutionFinished,
    question_answered::{Answer, QuestionAnswered},
    question_routed::QuestionRouted,
    review_requested::ReviewRequested,
};
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use sqlx::PgConnection;

/// The function's name.
const NAME: &str = "code-review";

/// The function as the runtime hosts it.
pub fn function(_: &mut Settings, services: &Arc<Services>) -> Function {
    Function::new(NAME, 8103).decides(Begin).decides(Finish).serves_internal(http::routes(services))
}

/// Asks for a run of the program, or says that there is none.
struct Begin;

impl Decide for Begin {
    type In = ReviewRequested;

    async fn handle(
        &self,
        received: Received<ReviewRequested>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let request = received.event.data.0.clone();
        let of = (request.asked.query_id, request.asked.student_id);
        let origin = agents::origin(&received, Author::CodeReview, of);
        match agents::code(&request).and_then(agents::plain_program) {
            Some(program) => agents::request_run(conn, origin, &request, program).await,
            None => Outgoing::none().with(&answered(request, report::without_program())),
        }
    }
}

/// Reviews the program when it has been run.
struct Finish;

impl Decide for Finish {
    type In = ExecutionFinished;

    async fn handle(
        &self,
        received: Received<ExecutionFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let ExecutionFinished { execution_id, result, .. } = received.event.data;
        match agents::take(conn, execution_id, Author::CodeReview).await? {
            Some(request) => reviewed(request, &result),
            None => Ok(Outgoing::none()),
        }
    }
}

fn reviewed(request: QuestionRouted, run: &ExecutionResult) -> Result<Outgoing, HandlerError> {
    let code = agents::code(&request).unwrap_or_default();
    let details = report::details(&review(&code), run);
    let activity = ActivityRecorded {
        student_id: request.asked.student_id,
        request_id: request.asked.query_id.as_uuid(),
        activity: Activity::CodeReviewed {
            quality: details.score,
            topic: request.asked.topic.as_ref().map(|topic| topic.as_str().to_owned()),
            exercise_id: request.asked.exercise_id,
        },
    };
    let answer = report::compose(details, &code);
    Outgoing::none().with(&answered(request, answer))?.with(&activity)
}

fn answered(request: QuestionRouted, answer: Answer) -> QuestionAnswered {
    QuestionAnswered {
        query_id: request.asked.query_id,
        student_id: request.asked.student_id,
        agent: Author::CodeReview,
        answered_by: AnsweredBy::Offline,
        routing: request.routing,
        answer,
    }
}
