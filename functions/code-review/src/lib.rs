//! Code review: says what a careful reader would say about a program that its author thinks is done.
//!
//! In: `review.requested.v1`, and `execution.finished.v1` of the runs that it asked for; with a model also
//! `model.requested.v1` and `model.finished.v1`. Out: `execution.requested.v1` to see what the program does,
//! and whether better lines do the same; then `question.answered.v1` and `activity.recorded.v1`. Fails only
//! if the database is away.

pub mod cases;
mod check;
mod http;
pub mod report;
mod spec;

use std::sync::Arc;

use agents::Origin;
use analysis::review::review;
use domain::agent::{AnsweredBy, Author};
use events::{
    activity_recorded::{Activity, ActivityRecorded},
    execution_finished::ExecutionFinished,
    model_call::{ReviewModelFinished, ReviewModelRequested, Task},
    question_answered::{Answer, QuestionAnswered},
    question_routed::QuestionRouted,
    review_requested::ReviewRequested,
};
use ids::QueryId;
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tutor::{Tutor, prompt, reply};

pub use self::spec::SPEC;
use crate::check::Checking;

/// The function's name.
const NAME: &str = SPEC.name;

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let tutor = agents::tutor(settings, services);
    let function = Function::new(&SPEC)
        .decides(Begin)
        .decides(Finish { tutor: tutor.clone() })
        .serves_internal(http::routes(services));
    agents::with_model::<ReviewModelRequested, _, _>(function, tutor, |tutor| Hear { tutor })
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
            Some(program) => {
                agents::request_run(conn, origin, &Waiting::Program(Box::new(request)), program)
                    .await
            }
            None => {
                let answer = report::without_program();
                Outgoing::none().with(&answered(request, AnsweredBy::Offline, answer))
            }
        }
    }
}

/// What waits for a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Waiting {
    /// The student's program.
    Program(Box<QuestionRouted>),
    /// The program with better lines.
    Better(Box<Checking>),
}

/// Reviews the program when it has been run, and tells better lines when these have been run, too.
struct Finish {
    tutor: Option<Arc<Tutor>>,
}

impl Decide for Finish {
    type In = ExecutionFinished;

    async fn handle(
        &self,
        received: Received<ExecutionFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let run = &received.event.data;
        let of = (QueryId::from_uuid(run.execution_id.as_uuid()), run.student_id);
        let mut origin = agents::origin(&received, Author::CodeReview, of);
        match agents::take::<Waiting>(conn, run.execution_id, Author::CodeReview).await? {
            None => Ok(Outgoing::none()),
            Some(Waiting::Program(request)) => {
                origin.query = request.asked.query_id;
                let code = agents::code(&request).unwrap_or_default();
                let report = report::details(&review(&code), &run.result);
                let checking = Checking::new(*request, report, &code, &run.result);
                match &self.tutor {
                    Some(tutor) => ask(conn, tutor, origin, checking, &code).await,
                    None => go_on(conn, origin, checking).await,
                }
            }
            Some(Waiting::Better(mut checking)) => {
                origin.query = checking.request.asked.query_id;
                checking.note(&run.result);
                go_on(conn, origin, *checking).await
            }
        }
    }
}

async fn ask(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    checking: Checking,
    code: &str,
) -> Result<Outgoing, HandlerError> {
    let findings = checking.report.findings.iter();
    let findings: Vec<String> = findings
        .map(|finding| format!("line {}: {}", finding.line.unwrap_or_default(), finding.message))
        .collect();
    let findings = findings.join("\n");
    let question = checking.request.asked.question.as_str();
    let fields = [("code", code), ("findings", findings.as_str()), ("question", question)];
    let call = (Task::Review, fields.as_slice());
    let requested =
        agents::request_model::<ReviewModelRequested, _>(conn, tutor, origin, call, &checking)
            .await?;
    match requested {
        Some(requested) => Outgoing::none().with(&requested),
        None => go_on(conn, origin, checking).await,
    }
}

/// Takes what the model has seen, as far as it can be shown.
struct Hear {
    tutor: Arc<Tutor>,
}

impl Decide for Hear {
    type In = ReviewModelFinished;

    async fn handle(
        &self,
        received: Received<ReviewModelFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let finished = received.event.data.0.clone();
        let of = (finished.query_id, finished.student_id);
        let origin = agents::origin(&received, Author::CodeReview, of);
        let taken = agents::take_answer::<Checking>(conn, &self.tutor, origin, finished).await?;
        let Some((mut checking, text)) = taken else { return Ok(Outgoing::none()) };
        let code = agents::code(&checking.request).unwrap_or_default();
        match text.map(|text| reply::notes(&text, prompt(Task::Review), &code)) {
            Some(Ok(notes)) => checking.take_notes(notes, &code),
            Some(Err(withheld)) => tracing::warn!(%withheld, "the model's notes are withheld"),
            None => {}
        }
        go_on(conn, origin, checking).await
    }
}

/// Has the next better lines run, or answers.
async fn go_on(
    conn: &mut PgConnection,
    origin: Origin,
    checking: Checking,
) -> Result<Outgoing, HandlerError> {
    match checking.next().and_then(agents::plain_program) {
        Some(program) => {
            let waiting = Waiting::Better(Box::new(checking));
            agents::request_run(conn, origin, &waiting, program).await
        }
        None => reviewed(checking),
    }
}

fn reviewed(checking: Checking) -> Result<Outgoing, HandlerError> {
    let Checking { request, report, with_model, .. } = checking;
    let code = agents::code(&request).unwrap_or_default();
    let activity = ActivityRecorded {
        student_id: request.asked.student_id,
        request_id: request.asked.query_id.as_uuid(),
        activity: Activity::CodeReviewed {
            quality: report.score,
            topic: request.asked.topic.as_ref().map(|topic| topic.as_str().to_owned()),
            exercise_id: request.asked.exercise_id,
        },
    };
    let by = if with_model { AnsweredBy::Model } else { AnsweredBy::Offline };
    let answer = report::compose(report, &code);
    Outgoing::none().with(&answered(request, by, answer))?.with(&activity)
}

fn answered(request: QuestionRouted, answered_by: AnsweredBy, answer: Answer) -> QuestionAnswered {
    QuestionAnswered {
        query_id: request.asked.query_id,
        student_id: request.asked.student_id,
        agent: Author::CodeReview,
        answered_by,
        routing: request.routing,
        answer,
    }
}
