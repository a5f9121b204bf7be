//! Concepts: explains an idea at the student's level.
//!
//! In: `question.routed.v1`; with a model also `model.requested.v1`, `model.finished.v1` and
//! `execution.finished.v1` of the examples that it has run. Out: `question.answered.v1`. The course's own
//! answer is made first, and given whenever the model has none that passes every check. What the course does
//! not hold is said to be missing, with the nearest topics. Fails only if the database is away.

pub mod answer;
pub mod cases;
pub mod explain;
mod http;
mod spec;

use std::sync::Arc;

use agents::{Origin, Shared};
use domain::agent::{AnsweredBy, Author};
use events::{
    execution_finished::ExecutionFinished,
    model_call::{ConceptsModelFinished, ConceptsModelRequested, Task},
    question_answered::{Answer, QuestionAnswered},
    question_routed::{QuestionRouted, Sign},
};
use ids::ExerciseId;
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use sqlx::PgConnection;
use tutor::{
    Tutor, prompt,
    reply::{self, Explanation},
};

pub use self::spec::SPEC;
use crate::{
    answer::Idea,
    explain::{Verifying, Waiting},
};

/// The function's name.
const NAME: &str = SPEC.name;

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let tutor = agents::tutor(settings, services);
    let function = Function::new(&SPEC)
        .decides(Begin { tutor: tutor.clone() })
        .decides(Verify)
        .serves_internal(http::routes(services));
    agents::with_model::<ConceptsModelRequested, _, _>(function, tutor, |tutor| Hear { tutor })
}

/// Answers from the course, or asks the model.
struct Begin {
    tutor: Option<Arc<Tutor>>,
}

impl Decide for Begin {
    type In = QuestionRouted;

    async fn handle(
        &self,
        received: Received<QuestionRouted>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let request = &received.event.data;
        let (course, asked) = (curriculum::embedded(), &request.asked);
        let page = asked.topic.as_ref().map(|topic| topic.as_str());
        let question = asked.question.as_str();
        let clarification = request.routing.clarification.as_deref();
        let follow_up = request.follow_up.as_ref();
        let going_on =
            follow_up.and_then(|follow| answer::go_on(course, question, follow, request.level));
        // What «it» is.
        let page = follow_up.and_then(|follow| follow.topics.first()).map(String::as_str).or(page);
        let offline = going_on.unwrap_or_else(|| {
            let answer = answer::answer(course, question, page, request.level, clarification);
            let is_stuck = request.routing.signs.contains(&Sign::Struggle);
            if is_stuck && answer::is_unknown(course, question, page) {
                answer::encourage()
            } else {
                answer
            }
        });
        let idea = answer::idea(course, question, page, request.level);
        let origin = origin(&received, request);
        let (Some(tutor), Some(idea)) = (&self.tutor, idea) else {
            return answered(request.clone(), AnsweredBy::Offline, offline);
        };
        let key = (idea.is_plain && asked.code.is_none() && follow_up.is_none())
            .then(|| agents::shared_key(tutor, Task::Explain, &idea.name, request.level));
        let name = idea.name.clone();
        let waiting = Waiting { request: request.clone(), offline, idea: name, key };
        ask(conn, tutor, origin, waiting, &idea).await
    }
}

/// Gives the answer that is there for everybody, or asks for one.
async fn ask(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    waiting: Waiting,
    idea: &Idea,
) -> Result<Outgoing, HandlerError> {
    if let Some(key) = &waiting.key {
        match Shared::find(conn, origin, key, &waiting).await? {
            Shared::Hit(answer) => {
                agents::note_cached(conn, tutor, origin, Task::Explain).await?;
                return answered(waiting.request, AnsweredBy::Model, answer);
            }
            Shared::Parked => {
                agents::note_cached(conn, tutor, origin, Task::Explain).await?;
                return Ok(Outgoing::none());
            }
            Shared::Full => {
                return answered(waiting.request, AnsweredBy::Offline, waiting.offline);
            }
            Shared::Ask => {}
        }
    }
    let asked = &waiting.request.asked;
    // What holds for everybody is asked without anybody's own words.
    let question = if waiting.key.is_some() { "" } else { asked.question.as_str() };
    let before = waiting.request.follow_up.as_ref().map_or("", |follow| &follow.question);
    let fields = [
        ("topic", idea.name.as_str()),
        ("lesson", idea.lesson.as_str()),
        ("level", waiting.request.level.as_str()),
        ("before", before),
        ("question", question),
    ];
    let call = (Task::Explain, fields.as_slice());
    let requested =
        agents::request_model::<ConceptsModelRequested, _>(conn, tutor, origin, call, &waiting)
            .await?;
    match requested {
        Some(requested) => Outgoing::none().with(&requested),
        None => finish(conn, origin, waiting, None).await,
    }
}

/// Reads the model's answer, and has its first example run.
struct Hear {
    tutor: Arc<Tutor>,
}

impl Decide for Hear {
    type In = ConceptsModelFinished;

    async fn handle(
        &self,
        received: Received<ConceptsModelFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let finished = &received.event.data.0;
        let of = (finished.query_id, finished.student_id);
        let origin = agents::origin(&received, Author::Concepts, of);
        let finished = finished.clone();
        let taken = agents::take_answer::<Waiting>(conn, &self.tutor, origin, finished).await?;
        let Some((waiting, text)) = taken else { return Ok(Outgoing::none()) };
        let read = text.map(|text| reply::explanation(&text, prompt(Task::Explain), &waiting.idea));
        match read {
            Some(Ok(mut explanation)) => {
                leave_out_solutions(conn, &waiting.request, &mut explanation).await?;
                verify(conn, origin, Verifying::new(waiting, explanation)).await
            }
            Some(Err(withheld)) => {
                tracing::warn!(%withheld, "the model's explanation is withheld");
                finish(conn, origin, waiting, None).await
            }
            None => finish(conn, origin, waiting, None).await,
        }
    }
}

/// Leaves out the examples that show too much of the exercise that the student is working on.
async fn leave_out_solutions(
    conn: &mut PgConnection,
    request: &QuestionRouted,
    explanation: &mut Explanation,
) -> Result<(), HandlerError> {
    let id = request.asked.exercise_id.map(ExerciseId::from_uuid);
    let Some((_, exercise)) = agents::exercise(conn, id).await? else { return Ok(()) };
    explanation.examples.retain(|example| !exercises::gives_away(&example.code, &exercise));
    Ok(())
}

/// Goes on when an example has been run.
struct Verify;

impl Decide for Verify {
    type In = ExecutionFinished;

    async fn handle(
        &self,
        received: Received<ExecutionFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let run = &received.event.data;
        let taken = agents::take::<Verifying>(conn, run.execution_id, Author::Concepts).await?;
        let Some(mut verifying) = taken else { return Ok(Outgoing::none()) };
        verifying.note(&run.result);
        let origin = origin(&received, &verifying.waiting.request);
        verify(conn, origin, verifying).await
    }
}

async fn verify(
    conn: &mut PgConnection,
    origin: Origin,
    verifying: Verifying,
) -> Result<Outgoing, HandlerError> {
    match verifying.next().and_then(agents::plain_program) {
        Some(program) => agents::request_run(conn, origin, &verifying, program).await,
        None => {
            let answer = verifying.answer();
            if answer.is_none() {
                tracing::warn!("no example of the model's explanation runs, so it is withheld");
            }
            finish(conn, origin, verifying.waiting, answer).await
        }
    }
}

/// Answers the question, and all that wait for the same answer.
async fn finish(
    conn: &mut PgConnection,
    origin: Origin,
    waiting: Waiting,
    answer: Option<Answer>,
) -> Result<Outgoing, HandlerError> {
    let mut together = Vec::new();
    if let Some(key) = &waiting.key {
        together = agents::share::<Answer, Waiting>(conn, origin, key, answer.as_ref()).await?;
    }
    let mut outgoing = Outgoing::none();
    for waiting in std::iter::once(waiting).chain(together) {
        let (by, answer) = match &answer {
            Some(answer) => (AnsweredBy::Model, answer.clone()),
            None => (AnsweredBy::Offline, waiting.offline),
        };
        outgoing = outgoing.with(&answered_by(waiting.request, by, answer))?;
    }
    Ok(outgoing)
}

fn origin<E: events::Event>(received: &Received<E>, request: &QuestionRouted) -> Origin {
    agents::origin(received, Author::Concepts, (request.asked.query_id, request.asked.student_id))
}

fn answered(
    request: QuestionRouted,
    by: AnsweredBy,
    answer: Answer,
) -> Result<Outgoing, HandlerError> {
    Outgoing::none().with(&answered_by(request, by, answer))
}

fn answered_by(request: QuestionRouted, by: AnsweredBy, answer: Answer) -> QuestionAnswered {
    QuestionAnswered {
        query_id: request.asked.query_id,
        student_id: request.asked.student_id,
        agent: Author::Concepts,
        answered_by: by,
        routing: request.routing,
        answer,
    }
}
