//! The handlers of an agent's function: one begins, one continues after runs, one asks a model and continues with its
//! answer.

use std::{marker::PhantomData, sync::Arc};

use events::{Event, execution_finished::ExecutionFinished};
use ids::ExecutionId;
use runtime::{Decide, Function, HandlerError, Outgoing, Received, Services, config::Settings};
use sqlx::PgConnection;
use storage::drafts;
use tutor::{Tutor, TutorConfig};

use crate::{
    after_model::AfterModel,
    call::CallModel,
    draft::{self, Origin, Taken},
    driver::Driver,
    step::{Agent, Arrived, Begin},
};

/// Builds an agent's handlers, with its model if there is one.
#[derive(Debug)]
pub struct Handlers<A> {
    tutor: Option<Arc<Tutor>>,
    agent: PhantomData<fn() -> A>,
}

impl<A: Agent> Handlers<A> {
    /// The agent with the model of this process, if one is configured.
    #[must_use]
    pub fn new(settings: &mut Settings, services: &Arc<Services>) -> Self {
        Self { tutor: tutor(settings, services), agent: PhantomData }
    }

    /// An agent that asks no model.
    #[must_use]
    pub const fn offline() -> Self {
        Self { tutor: None, agent: PhantomData }
    }

    /// Begins work when an event comes.
    #[must_use]
    pub fn begin<E: Event>(&self) -> Beginning<A, E>
    where
        A: Begin<E>,
    {
        Beginning { tutor: self.tutor.clone(), types: PhantomData }
    }

    /// Continues when a program has been run that the agent asked for.
    #[must_use]
    pub fn continue_after_runs(&self) -> AfterRun<A> {
        AfterRun { tutor: self.tutor.clone(), agent: PhantomData }
    }

    /// Asks the model and continues with its answers, if there is one.
    #[must_use]
    pub fn ask_model(self, function: Function) -> Function {
        let Some(tutor) = self.tutor else { return function };
        let call = CallModel::<A>::new(Arc::clone(&tutor));
        function.acts(call).decides(AfterModel::<A>::new(tutor))
    }
}

/// The model of this process, if one is configured.
fn tutor(settings: &mut Settings, services: &Arc<Services>) -> Option<Arc<Tutor>> {
    let config = TutorConfig::read(settings)?;
    match runtime::http_client() {
        Ok(http) => Some(Arc::new(Tutor::new(config, http, services.clock.clone()))),
        Err(error) => {
            settings.fault(format!("the model cannot be asked: {error}"));
            None
        }
    }
}

/// Begins an agent's work.
#[derive(Debug)]
pub struct Beginning<A, E> {
    tutor: Option<Arc<Tutor>>,
    types: PhantomData<fn(E) -> A>,
}

impl<E: Event, A: Begin<E>> Decide for Beginning<A, E> {
    type In = E;

    async fn handle(
        &self,
        received: Received<E>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let origin = Origin::of(&received, A::AUTHOR);
        let loaded = A::load(received.event.data, received.now, conn).await?;
        let step = A::begin(loaded, received.now);
        let (tutor, outgoing) = (self.tutor.as_deref(), Outgoing::none());
        Driver { conn, origin, tutor, shares: None, outgoing }.drive(step).await
    }
}

/// Continues when a program has been run.
#[derive(Debug)]
pub struct AfterRun<A> {
    tutor: Option<Arc<Tutor>>,
    agent: PhantomData<fn() -> A>,
}

impl<A: Agent> Decide for AfterRun<A> {
    type In = ExecutionFinished;

    fn wants(&self, run: &ExecutionFinished) -> bool {
        run.may_be_for(A::AUTHOR.into())
    }

    async fn handle(
        &self,
        received: Received<ExecutionFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let origin = Origin::of(&received, A::AUTHOR);
        let ExecutionFinished { execution_id, result, .. } = received.event.data;
        let id = ExecutionId::as_uuid(execution_id);
        let body = drafts::take(conn, id, A::AUTHOR).await.map_err(HandlerError::retry)?;
        // Another agent's run, or the student's own.
        let Some(body) = body else { return Ok(Outgoing::none()) };
        let taken = draft::read(&body, A::VERSION).map_err(HandlerError::fail)?;
        let (tutor, outgoing) = (self.tutor.as_deref(), Outgoing::none());
        match taken {
            Taken::Known { state, shares } => {
                let arrived = Arrived::Run { state, result: Box::new(result) };
                let step = A::resume(arrived, origin.now);
                Driver { conn, origin, tutor, shares, outgoing }.drive(step).await
            }
            Taken::Unknown(header) => {
                Driver { conn, origin, tutor, shares: None, outgoing }.fall_back(*header).await
            }
        }
    }
}
