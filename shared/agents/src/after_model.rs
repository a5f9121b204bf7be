//! How an agent continues after asking a model.

use std::{marker::PhantomData, sync::Arc};

use events::model_call::{ModelFinished, ModelOutcome};
use runtime::{Decide, HandlerError, Outgoing, Received};
use sqlx::PgConnection;
use storage::drafts;
use tutor::{Spent, Tutor};

use crate::{
    budget,
    draft::{self, Origin, Taken},
    driver::Driver,
    step::{Agent, Arrived},
};

/// Continues after a model call of an earlier version, which announced the result in an event of its own.
#[derive(Debug)]
pub(crate) struct AfterModel<A> {
    tutor: Arc<Tutor>,
    agent: PhantomData<fn() -> A>,
}

impl<A> AfterModel<A> {
    pub(crate) const fn new(tutor: Arc<Tutor>) -> Self {
        Self { tutor, agent: PhantomData }
    }
}

impl<A: Agent> Decide for AfterModel<A> {
    type In = A::ModelFinished;

    async fn handle(
        &self,
        received: Received<A::ModelFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let origin = Origin::of(&received, A::AUTHOR);
        let finished: ModelFinished = received.event.data.into();
        after_model::<A>(&self.tutor, &finished, origin, conn).await
    }
}

/// Continues with the outcome of a model call.
pub(crate) async fn after_model<A: Agent>(
    tutor: &Tutor,
    finished: &ModelFinished,
    origin: Origin,
    conn: &mut PgConnection,
) -> Result<Outgoing, HandlerError> {
    let id = finished.draft_id;
    let body = drafts::take(conn, id, A::AUTHOR).await.map_err(HandlerError::retry)?;
    // The work was done before.
    let Some(body) = body else { return Ok(Outgoing::none()) };
    let spent = Spent {
        model: finished.model.clone(),
        tokens_in: finished.tokens_in,
        tokens_out: finished.tokens_out,
        latency_ms: finished.latency_ms,
    };
    budget::settle(conn, tutor, origin, id, &spent).await?;
    let text = match &finished.outcome {
        ModelOutcome::Answered { text } => Some(text.clone()),
        ModelOutcome::Unavailable { reason } => {
            tracing::warn!(reason, "no answer from the model, the offline tutor answers");
            None
        }
    };
    let taken = draft::read(&body, A::VERSION).map_err(HandlerError::fail)?;
    let (tutor, outgoing) = (Some(tutor), Outgoing::none());
    match taken {
        Taken::Known { state, shares } => {
            let step = A::resume(Arrived::Model { state, text }, origin.now);
            Driver { conn, origin, tutor, shares, outgoing }.drive(step).await
        }
        Taken::Unknown(header) => {
            Driver { conn, origin, tutor, shares: None, outgoing }.fall_back(*header).await
        }
    }
}
