//! Debug: finds why a program fails, and gives one hint at a time.
//!
//! In: `debug.requested.v1`, and `execution.finished.v1` of the runs that it asked for; with a model also
//! `model.requested.v1` and `model.finished.v1`. Out: `execution.requested.v1` to see the program fail, then
//! `question.answered.v1`. What waits for a run or a model is a draft in the database. A model may say a hint
//! in other words, never another hint. Fails only if the database is away.

pub mod cases;
pub mod diagnosis;
pub mod hint;
mod http;
mod spec;

use std::sync::Arc;

use agents::Origin;
use curriculum::Exercise;
use domain::{
    agent::{AnsweredBy, Author},
    execution::{ExecutionResult, Program},
    hints::{self, Ladder, Step},
    text::Source,
};
use events::{
    activity_recorded::{Activity, ActivityRecorded},
    debug_requested::DebugRequested,
    execution_finished::ExecutionFinished,
    model_call::{DebugModelFinished, DebugModelRequested, Task},
    question_answered::{Answer, Details, DiagnosedError, Diagnosis, Hint, QuestionAnswered},
    question_routed::{QuestionRouted, Sign},
};
use ids::ExerciseId;
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use storage::hint_ladders;
use tutor::{Tutor, prompt, reply};

pub use self::spec::SPEC;
use crate::diagnosis::{Evidence, Finding, diagnose};

/// The function's name.
const NAME: &str = SPEC.name;

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let tutor = agents::tutor(settings, services);
    let function = Function::new(&SPEC)
        .decides(Begin { tutor: tutor.clone() })
        .decides(Finish { tutor: tutor.clone() })
        .serves_internal(http::routes(services));
    agents::with_model::<DebugModelRequested, _, _>(function, tutor, |tutor| Hear { tutor })
}

/// Asks for a run of the program, or answers at once if there is none.
struct Begin {
    tutor: Option<Arc<Tutor>>,
}

impl Decide for Begin {
    type In = DebugRequested;

    async fn handle(
        &self,
        received: Received<DebugRequested>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let request = received.event.data.0.clone();
        let origin = origin(&received, &request);
        let exercise = exercise(conn, &request).await?;
        let program = agents::code(&request).and_then(|code| program(code, exercise.as_ref()));
        match program {
            Some(program) => agents::request_run(conn, origin, &request, program).await,
            None => answer(conn, self.tutor.as_deref(), origin, (request, None)).await,
        }
    }
}

fn origin<E: events::Event>(received: &Received<E>, request: &QuestionRouted) -> Origin {
    agents::origin(received, Author::Debug, (request.asked.query_id, request.asked.student_id))
}

/// The exercise that a question is about.
async fn exercise(
    conn: &mut PgConnection,
    request: &QuestionRouted,
) -> Result<Option<Exercise>, HandlerError> {
    let id = request.asked.exercise_id.map(ExerciseId::from_uuid);
    Ok(agents::exercise(conn, id).await?.map(|(_, exercise)| exercise))
}

/// What is run: the program alone, or with the exercise's tests.
fn program(code: String, exercise: Option<&Exercise>) -> Option<Program> {
    match exercise {
        None => agents::plain_program(code),
        Some(exercise) => {
            let source = Source::try_from(code).ok()?;
            Some(Program { seed: Some(0), ..exercise.program(source) })
        }
    }
}

/// Answers when the program has been run.
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
        let taken = agents::take::<QuestionRouted>(conn, run.execution_id, Author::Debug).await?;
        let Some(request) = taken else { return Ok(Outgoing::none()) };
        let origin = origin(&received, &request);
        answer(conn, self.tutor.as_deref(), origin, (request, Some(run.result.clone()))).await
    }
}

/// Takes the model's words for the hint if they are no more than the hint, else ours.
struct Hear {
    tutor: Arc<Tutor>,
}

impl Decide for Hear {
    type In = DebugModelFinished;

    async fn handle(
        &self,
        received: Received<DebugModelFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let finished = received.event.data.0.clone();
        let of = (finished.query_id, finished.student_id);
        let origin = agents::origin(&received, Author::Debug, of);
        let taken = agents::take_answer::<Waiting>(conn, &self.tutor, origin, finished).await?;
        let Some((waiting, text)) = taken else { return Ok(Outgoing::none()) };
        let Waiting { request, answer, names } = waiting;
        let Some(Details::Debug(diagnosis)) = &answer.details else {
            return answered(request, AnsweredBy::Offline, answer);
        };
        let level = diagnosis.hint.level;
        match text.map(|text| reply::hint(&text, prompt(Task::Hint), level, &names)) {
            Some(Ok(said)) => {
                answered(request, AnsweredBy::Model, hint::reworded(answer, &said.hint))
            }
            Some(Err(withheld)) => {
                tracing::warn!(%withheld, "the model's hint is withheld");
                answered(request, AnsweredBy::Offline, answer)
            }
            None => answered(request, AnsweredBy::Offline, answer),
        }
    }
}

/// A question that waits for a model, with the answer that it gets otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Waiting {
    request: QuestionRouted,
    answer: Answer,
    /// Names that must be in the hint.
    names: Vec<String>,
}

async fn answer(
    conn: &mut PgConnection,
    tutor: Option<&Tutor>,
    origin: Origin,
    (request, run): (QuestionRouted, Option<ExecutionResult>),
) -> Result<Outgoing, HandlerError> {
    let code = agents::code(&request).unwrap_or_default();
    let asked = &request.asked;
    let said = [asked.error.as_ref().map_or("", |error| error.as_str()), asked.question.as_str()]
        .join("\n");
    if let Some(language) = python::foreign_language(&said) {
        return answered(request, AnsweredBy::Offline, of_another_language(language));
    }
    let report = python::read_report(&said);
    let exercise = exercise(conn, &request).await?;
    let exercise = exercise.as_ref();
    let evidence = Evidence { code: &code, report: report.as_ref(), run: run.as_ref(), exercise };
    let mut finding = diagnose(&evidence);
    if finding.rule == "nothing_to_see" && request.routing.signs.contains(&Sign::SolutionRequest) {
        finding.what = hint::NO_WHOLE_PROGRAMS.to_owned();
        finding.next = hint::BEGIN_SMALL.to_owned();
    }
    let problem = problem(&finding, &code, asked.exercise_id.map(|id| id.to_string()));
    let attempt = Sha256::digest(code.as_bytes());
    let before =
        hint_ladders::find(conn, asked.student_id, &problem).await.map_err(HandlerError::retry)?;
    let first = asked.hint_level.unwrap_or_else(|| hints::first_rung(&finding.kind, request.level));
    let (step, ladder) = hints::climb(before, first, &attempt, origin.now);
    hint_ladders::store(conn, asked.student_id, &problem, &ladder)
        .await
        .map_err(HandlerError::retry)?;
    let answer = compose(&finding, step, &ladder, (&code, exercise));
    let given = ActivityRecorded {
        student_id: origin.student,
        request_id: origin.query.as_uuid(),
        activity: Activity::HintGiven {
            level: ladder.rung,
            of: hints::RUNGS,
            rule: finding.rule.clone(),
            exercise_id: asked.exercise_id,
        },
    };
    // The last rung is an example that was run; there are no better words for it.
    let outgoing = match tutor
        .filter(|_| step == Step::New && finding.is_a_fault() && ladder.rung < hints::RUNGS)
    {
        Some(tutor) => reword(conn, tutor, origin, (request, answer, &finding, &code)).await?,
        None => answered(request, AnsweredBy::Offline, answer)?,
    };
    if step == Step::New && finding.is_a_fault() { outgoing.with(&given) } else { Ok(outgoing) }
}

async fn reword(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    (request, answer, finding, code): (QuestionRouted, Answer, &Finding, &str),
) -> Result<Outgoing, HandlerError> {
    let Some(Details::Debug(diagnosis)) = &answer.details else {
        return answered(request, AnsweredBy::Offline, answer);
    };
    let mut names = hint::names(&diagnosis.hint.text);
    let place = diagnosis.error.line.map(|line| format!("line {line}"));
    names.extend(place.filter(|place| diagnosis.hint.text.contains(place)));
    let (rung, listed) = (diagnosis.hint.level.to_string(), names.join(", "));
    let ours = format!("{} {} {}", finding.what, finding.why, finding.next);
    let question = request.asked.question.as_str().to_owned();
    let fields = [
        ("finding", ours.as_str()),
        ("hint", diagnosis.hint.text.as_str()),
        ("rung", rung.as_str()),
        ("names", listed.as_str()),
        ("question", question.as_str()),
        ("code", code),
    ];
    let waiting = Waiting { request: request.clone(), answer: answer.clone(), names };
    let call = (Task::Hint, fields.as_slice());
    let requested =
        agents::request_model::<DebugModelRequested, _>(conn, tutor, origin, call, &waiting)
            .await?;
    match requested {
        Some(requested) => Outgoing::none().with(&requested),
        None => answered(request, AnsweredBy::Offline, answer),
    }
}

fn answered(
    request: QuestionRouted,
    answered_by: AnsweredBy,
    answer: Answer,
) -> Result<Outgoing, HandlerError> {
    Outgoing::none().with(&QuestionAnswered {
        query_id: request.asked.query_id,
        student_id: request.asked.student_id,
        agent: Author::Debug,
        answered_by,
        routing: request.routing,
        answer,
    })
}

/// What tells one problem from another: the exercise, the kind of mistake, and the line's text, which
/// stays when lines above it are added.
fn problem(finding: &Finding, code: &str, exercise: Option<String>) -> Vec<u8> {
    let line = finding.line.map(|line| python::advice::line(code, line));
    // A solution that gives something else has no line: its problem is the test.
    let place = line.map_or(finding.message.as_str(), str::trim);
    let text = format!("{}\n{}\n{place}", exercise.unwrap_or_default(), finding.rule);
    Sha256::digest(text.as_bytes()).to_vec()
}

fn compose(
    finding: &Finding,
    step: Step,
    ladder: &Ladder,
    (code, exercise): (&str, Option<&Exercise>),
) -> Answer {
    let rung = ladder.rung;
    let text = hint::hint(finding, rung, code, exercise);
    let mut content = finding.what.clone();
    if let Some(number) = finding.line {
        let line = python::advice::line(code, number).trim();
        if !line.is_empty() {
            content.push_str(&format!("\n\n```text\nline {number}: {line}\n```"));
        }
    }
    if let Some(note) = &finding.note {
        content.push_str(&format!("\n\n{note}"));
    }
    if !finding.is_a_fault() {
        content.push_str(&format!("\n\n{}", finding.next));
    } else if step != Step::Enough {
        content.push_str(&format!("\n\n**Hint {rung} of {}.** {text}", hints::RUNGS));
    }
    if let Some(about) = hint::about_the_step(step, rung).filter(|_| finding.is_a_fault()) {
        content.push_str(&format!("\n\n{about}"));
    }
    let details = Details::Debug(Diagnosis {
        error: DiagnosedError {
            kind: finding.kind.clone(),
            message: finding.message.clone(),
            line: finding.line,
        },
        cause: finding.what.clone(),
        misconception: hint::misconception(&finding.rule).map(str::to_owned),
        hint: Hint { level: rung, of: hints::RUNGS, text },
    });
    let topics = vec!["debugging".to_owned()];
    let related = vec!["exception-types".to_owned()];
    Answer { content, examples: Vec::new(), topics, related, details: Some(details) }
}

fn of_another_language(language: &str) -> Answer {
    let content = format!(
        "This looks like an error of {language}. I teach Python, so I could only guess at it. If it came from \
         a Python program, paste that program and the whole message."
    );
    Answer { content, examples: Vec::new(), topics: Vec::new(), related: Vec::new(), details: None }
}
