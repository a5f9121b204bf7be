//! Calling the model for a question, and how the agent continues with the outcome.

use std::{marker::PhantomData, sync::Arc};

use chrono::{DateTime, Utc};
use events::model_call::{AnswerDelta, ModelFinished, ModelOutcome, ModelRequested, Task};
use ids::EventId;
use runtime::{Act, HandlerError, Live, Outgoing, Received};
use sqlx::PgConnection;
use tutor::{Spent, Tutor, guard, prompt};

use crate::{after_model::after_model, draft::Origin, step::Agent};

/// Calls the model for an agent.
#[derive(Debug)]
pub(crate) struct CallModel<A> {
    tutor: Arc<Tutor>,
    agent: PhantomData<fn() -> A>,
}

/// The outcome of a call.
pub(crate) struct Called {
    /// The event that asked for it.
    cause: EventId,
    finished: ModelFinished,
}

impl<A> CallModel<A> {
    pub(crate) const fn new(tutor: Arc<Tutor>) -> Self {
        Self { tutor, agent: PhantomData }
    }
}

impl<A: Agent> Act for CallModel<A> {
    type In = A::ModelRequested;
    type Done = Called;

    async fn call(
        &self,
        received: Received<A::ModelRequested>,
        live: &Live,
    ) -> Result<Called, HandlerError> {
        let cause = received.event.id;
        let request: ModelRequested = received.event.data.into();
        let (outcome, spent) = match request.task {
            Some(task) => ask(&self.tutor, task, &request, live).await,
            None => {
                let reason = "this version does not know the task".to_owned();
                (ModelOutcome::Unavailable { reason }, Spent::default())
            }
        };
        let Spent { model, tokens_in, tokens_out, latency_ms } = spent;
        let finished = ModelFinished {
            draft_id: request.draft_id,
            query_id: request.query_id,
            student_id: request.student_id,
            outcome,
            model,
            tokens_in,
            tokens_out,
            latency_ms,
        };
        Ok(Called { cause, finished })
    }

    async fn record(
        &self,
        Called { cause, finished }: &Called,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let (query, student) = (finished.query_id, finished.student_id);
        let origin = Origin { cause: *cause, agent: A::AUTHOR, query, student, now };
        after_model::<A>(&self.tutor, finished, origin, conn).await
    }
}

async fn ask(
    tutor: &Tutor,
    task: Task,
    request: &ModelRequested,
    live: &Live,
) -> (ModelOutcome, Spent) {
    let mut teller = Teller { task, request, live, sequence: 0, silent: false };
    let answered = tutor.ask(task, &request.fields, |paragraph| teller.tell(paragraph)).await;
    let outcome = match answered.text {
        Ok(text) => ModelOutcome::Answered { text },
        Err(error) => ModelOutcome::Unavailable { reason: chain(&error) },
    };
    (outcome, answered.spent)
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Streams finished paragraphs while the model still writes, until one of them may not be sent.
struct Teller<'a> {
    task: Task,
    request: &'a ModelRequested,
    live: &'a Live,
    sequence: u32,
    silent: bool,
}

impl Teller<'_> {
    fn tell(&mut self, paragraph: String) {
        // Only explanations are streamed: a hint must be checked as a whole.
        self.silent = self.silent
            || self.task != Task::Explain
            || guard::holds_code(&paragraph)
            || guard::has_link(&paragraph)
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
