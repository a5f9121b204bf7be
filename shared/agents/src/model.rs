//! Asking a model in the middle of a question: within the budget, without anything that tells who the
//! student is, and with the answer that there is anyway if nothing comes of it.

use std::{marker::PhantomData, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::Author;
use events::{
    Event,
    model_call::{AnswerDelta, Field, ModelFinished, ModelOutcome, ModelRequested, Task},
};
use runtime::{
    Act, Decide, Function, HandlerError, Live, Outgoing, Received, Services, config::Settings,
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use storage::{
    drafts,
    model_usage::{self, Usage},
};
use tutor::{Spent, Tutor, TutorConfig, guard, privacy, prompt};

use crate::Origin;

/// What the budget is for.
const DAY: TimeDelta = TimeDelta::hours(24);
/// Characters of one field. A longer program or question is answered without a model.
const MAX_FIELD: usize = 8_000;

/// Fields that are the course's own, or made from nothing else. Nothing is taken out of them: a student whose name is a
/// word of the lesson would change what everybody gets.
const OURS: [&str; 9] =
    ["topic", "lesson", "level", "difficulty", "like", "task", "starter", "examples", "rung"];

/// The model of this process, if one is configured.
#[must_use]
pub fn tutor(settings: &mut Settings, services: &Arc<Services>) -> Option<Arc<Tutor>> {
    let config = TutorConfig::read(settings)?;
    match runtime::http_client() {
        Ok(http) => Some(Arc::new(Tutor::new(config, http, services.clock.clone()))),
        Err(error) => {
            settings.fault(format!("the model cannot be asked: {error}"));
            None
        }
    }
}

/// Keeps what is needed to go on, enters the call in the ledger, and gives the event that asks for it.
/// `None`: the student's or everybody's budget is spent, or a field is too long for a model.
///
/// # Errors
/// The database is away.
pub async fn request_model<E: From<ModelRequested>, T: Serialize + Sync>(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    (task, fields): (Task, &[(&str, &str)]),
    body: &T,
) -> Result<Option<E>, HandlerError> {
    if fields.iter().any(|(_, text)| text.chars().count() > MAX_FIELD) {
        return Ok(None);
    }
    let student = storage::users::find(conn, origin.student).await.map_err(HandlerError::retry)?;
    let names: Vec<String> = student.into_iter().map(|student| student.display_name).collect();
    let field = |(name, text): &(&str, &str)| Field {
        name: (*name).to_owned(),
        text: if OURS.contains(name) { (*text).to_owned() } else { privacy::scrub(text, &names) },
    };
    let fields: Vec<Field> = fields.iter().map(field).collect();
    let most = tutor.at_most(task, &fields);
    if !affordable(conn, tutor, origin, &most).await? {
        tracing::info!(task = task.as_str(), "the budget for the model is spent");
        return Ok(None);
    }
    // Away from the ids of runs.
    let draft_id = origin.id(1);
    enter(conn, tutor, origin, (draft_id, false), &most).await?;
    origin.keep(conn, draft_id, body, None).await?;
    let requested = ModelRequested {
        draft_id,
        query_id: origin.query,
        student_id: origin.student,
        agent: origin.agent,
        task: Some(task),
        fields,
    };
    Ok(Some(requested.into()))
}

/// Enters a question for which no call is made: its answer is there already, or another question has asked for it.
///
/// # Errors
/// The database is away.
pub async fn note_cached(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    task: Task,
) -> Result<(), HandlerError> {
    let spent = Spent { model: tutor.model(task).to_owned(), ..Spent::default() };
    enter(conn, tutor, origin, (origin.id(1), true), &spent).await
}

async fn affordable(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    most: &Spent,
) -> Result<bool, HandlerError> {
    let budget = tutor.budget();
    let total = model_usage::total(conn, origin.student, origin.now - DAY)
        .await
        .map_err(HandlerError::retry)?;
    let cost = budget.cost(most);
    Ok(total.student_calls < budget.student_calls
        && total.student_micro_usd.saturating_add(cost) <= budget.student_micro_usd
        && total.all_micro_usd.saturating_add(cost) <= budget.all_micro_usd)
}

async fn enter(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    (id, cached): (uuid::Uuid, bool),
    spent: &Spent,
) -> Result<(), HandlerError> {
    let usage = Usage {
        id,
        student: origin.student,
        agent: origin.agent,
        model: &spent.model,
        tokens_in: spent.tokens_in,
        tokens_out: spent.tokens_out,
        cost_micro_usd: tutor.budget().cost(spent),
        latency_ms: spent.latency_ms,
        cached,
    };
    model_usage::enter(conn, &usage, origin.now).await.map_err(HandlerError::retry)
}

/// Settles the ledger and takes the work that waits for this answer, with the answer's text if there is one.
/// `None`: the work was done before.
///
/// # Errors
/// The database is away.
pub async fn take_answer<T: DeserializeOwned>(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    finished: ModelFinished,
) -> Result<Option<(T, Option<String>)>, HandlerError> {
    let draft = drafts::take(conn, finished.draft_id, origin.agent).await;
    let Some(draft) = draft.map_err(HandlerError::retry)? else { return Ok(None) };
    let spent = Spent {
        model: finished.model,
        tokens_in: finished.tokens_in,
        tokens_out: finished.tokens_out,
        latency_ms: finished.latency_ms,
    };
    enter(conn, tutor, origin, (finished.draft_id, false), &spent).await?;
    let text = match finished.outcome {
        ModelOutcome::Answered { text } => Some(text),
        ModelOutcome::Unavailable { reason } => {
            tracing::warn!(reason, "no answer of the model, the offline tutor answers");
            None
        }
    };
    Ok(Some((serde_json::from_value(draft).map_err(HandlerError::fail)?, text)))
}

/// Lets a function ask the model, if there is one: `I` asks, `O` tells what came of it, and `hear` makes the handler
/// that goes on with that.
#[must_use]
pub fn with_model<I, O, H>(
    function: Function,
    tutor: Option<Arc<Tutor>>,
    hear: impl FnOnce(Arc<Tutor>) -> H,
) -> Function
where
    I: Event + Into<ModelRequested>,
    O: Event + From<ModelFinished>,
    H: Decide<In = O>,
{
    let Some(tutor) = tutor else { return function };
    let call = CallModel::<I, O> { tutor: Arc::clone(&tutor), events: PhantomData };
    function.acts(call).decides(hear(tutor))
}

/// Calls the model: `I` asks, `O` tells what came of it.
struct CallModel<I, O> {
    tutor: Arc<Tutor>,
    events: PhantomData<fn(I) -> O>,
}

impl<I, O> Act for CallModel<I, O>
where
    I: Event + Into<ModelRequested>,
    O: Event + From<ModelFinished>,
{
    type In = I;
    type Done = ModelFinished;

    async fn call(
        &self,
        received: Received<I>,
        live: &Live,
    ) -> Result<ModelFinished, HandlerError> {
        let request: ModelRequested = received.event.data.into();
        let (outcome, spent) = match request.task {
            Some(task) => self.ask(task, &request, live).await,
            None => {
                let reason = "this version does not know the task".to_owned();
                (ModelOutcome::Unavailable { reason }, Spent::default())
            }
        };
        let Spent { model, tokens_in, tokens_out, latency_ms } = spent;
        Ok(ModelFinished {
            draft_id: request.draft_id,
            query_id: request.query_id,
            student_id: request.student_id,
            outcome,
            model,
            tokens_in,
            tokens_out,
            latency_ms,
        })
    }

    async fn record(
        &self,
        finished: ModelFinished,
        _: DateTime<Utc>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        Outgoing::none().with(&O::from(finished))
    }
}

impl<I, O> CallModel<I, O> {
    async fn ask(
        &self,
        task: Task,
        request: &ModelRequested,
        live: &Live,
    ) -> (ModelOutcome, Spent) {
        let mut teller = Teller { task, request, live, sequence: 0, silent: false };
        let answered =
            self.tutor.ask(task, &request.fields, |paragraph| teller.tell(paragraph)).await;
        let outcome = match answered.text {
            Ok(text) => ModelOutcome::Answered { text },
            Err(error) => ModelOutcome::Unavailable { reason: chain(&error) },
        };
        (outcome, answered.spent)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Tells finished paragraphs while the model still speaks, as long as every one of them may be told.
struct Teller<'a> {
    task: Task,
    request: &'a ModelRequested,
    live: &'a Live,
    sequence: u32,
    silent: bool,
}

impl Teller<'_> {
    fn tell(&mut self, paragraph: String) {
        // Only an explanation is told before it is whole: a hint must be checked as one piece.
        self.silent = self.silent
            || self.task != Task::Explain
            || guard::holds_code(&paragraph)
            || guard::links_away(&paragraph)
            || guard::repeats_instructions(&paragraph, prompt(self.task).system);
        if self.silent {
            return;
        }
        self.live.send(&AnswerDelta {
            query_id: self.request.query_id,
            student_id: self.request.student_id,
            agent: self.request.agent,
            sequence: self.sequence,
            text: paragraph,
        });
        self.sequence += 1;
    }
}

/// The origin of work that an event belongs to.
#[must_use]
pub fn origin<E: Event>(
    received: &Received<E>,
    agent: Author,
    (query, student): (ids::QueryId, ids::UserId),
) -> Origin {
    Origin { cause: received.event.id, agent, query, student, now: received.now }
}
