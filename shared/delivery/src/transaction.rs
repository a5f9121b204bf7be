//! Transactions, whose events are published once they are committed.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use environment::{Clock, telemetry};
use events::envelope::derived_event_id;
use ids::EventId;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use storage::{
    events::{Claims, StoredEvent},
    inbox::Claim,
};
use uuid::Uuid;

use crate::{
    fault::{FaultPoint, Faults},
    handler::Outgoing,
    keys::{Keys, Outbound},
    outbox::Outbox,
    writer::Ticket,
};

/// The parts of a transaction. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Transactions {
    pub(crate) pool: PgPool,
    /// Absent for an operator's tool, which publishes nothing: a relay finds the events that it emits.
    pub(crate) outbox: Option<Outbox>,
    pub(crate) faults: Faults,
    pub(crate) clock: Clock,
    pub(crate) keys: Keys,
}

impl Transactions {
    /// Begins a transaction on behalf of `function`.
    pub(crate) async fn begin(&self, function: &'static str) -> sqlx::Result<Transaction<'_>> {
        Ok(Transaction { tx: self.pool.begin().await?, parts: self, function })
    }

    /// Begins a transaction on a connection that was acquired before.
    pub(crate) async fn begin_on<'a>(
        &'a self,
        conn: &'a mut PgConnection,
        function: &'static str,
    ) -> sqlx::Result<Transaction<'a>> {
        Ok(Transaction { tx: conn.begin().await?, parts: self, function })
    }
}

/// Why a transaction is not known to be committed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    /// It was not committed: something failed before.
    #[error(transparent)]
    NotDone(sqlx::Error),
    /// The commit was sent and not answered: it may or may not have happened.
    #[error(transparent)]
    Unknown(sqlx::Error),
}

impl From<CommitError> for sqlx::Error {
    fn from(error: CommitError) -> Self {
        let (CommitError::NotDone(error) | CommitError::Unknown(error)) = error;
        error
    }
}

/// A transaction whose events are published once it is committed. It is rolled back when dropped.
#[derive(Debug)]
pub struct Transaction<'a> {
    tx: sqlx::Transaction<'a, Postgres>,
    parts: &'a Transactions,
    function: &'static str,
}

impl Transaction<'_> {
    /// The connection, for storage functions.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Commits the state changes together with the events that they cause, then passes the events to the publisher.
    /// `cause` is the event or request that caused all of it: the ids of the outgoing events derive from it.
    ///
    /// # Errors
    /// The database's own; nothing is done then.
    pub async fn commit(
        self,
        cause: EventId,
        outgoing: Outgoing,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let events = stored(self.function, cause, outgoing, now);
        Ok(self.commit_events(events).await?)
    }

    pub(crate) async fn commit_events(self, events: Vec<Outbound>) -> Result<(), CommitError> {
        self.commit_handled(&[], events).await
    }

    /// Commits the handling of events, each once, with the events that they cause.
    pub(crate) async fn commit_handled(
        mut self,
        handled: &[Claim],
        events: Vec<Outbound>,
    ) -> Result<(), CommitError> {
        // From here on only the sealed data is known: to the database, the publisher and the broker.
        let sealed = self.parts.keys.seal(&mut self.tx, events).await;
        let mut events = sealed.map_err(CommitError::NotDone)?;
        let outbox = self.parts.outbox.as_ref().filter(|_| !events.is_empty());
        let ticket = outbox.and_then(Outbox::open);
        let writer = ticket.as_ref().map(Ticket::writer);
        let now = self.parts.clock.now();
        let claims = Claims { function: self.function, events: handled };
        let inserted =
            storage::events::claim_and_insert(&mut self.tx, claims, &events, writer, now)
                .await
                .map_err(CommitError::NotDone)?;
        let Some(inserted) = inserted else {
            if let Some(ticket) = ticket {
                ticket.abandon();
            }
            return Err(CommitError::NotDone(writer_expired()));
        };
        if let Some(ticket) = &ticket {
            ticket
                .committing(inserted.iter().map(|event| event.sequence).max().unwrap_or_default());
        }
        self.tx.commit().await.map_err(CommitError::Unknown)?;
        if let Some(ticket) = &ticket {
            ticket.committed();
        }
        if !events.is_empty() {
            self.parts.faults.pass(self.function, FaultPoint::Committed).await;
        }
        if let (Some(outbox), Some(ticket)) = (outbox, ticket) {
            let sent: HashSet<Uuid> =
                inserted.iter().filter(|event| event.is_sent).map(|event| event.id).collect();
            events.retain(|event| sent.contains(&event.id.as_uuid()));
            outbox.submit(self.function, events, ticket);
        }
        Ok(())
    }
}

/// The events of one unit of work.
pub(crate) fn stored(
    function: &'static str,
    cause: EventId,
    outgoing: Outgoing,
    now: DateTime<Utc>,
) -> Vec<Outbound> {
    let traceparent = telemetry::current_traceparent();
    let source = format!("learnflow/{function}");
    let drafts = outgoing.into_drafts().into_iter().enumerate();
    let events = drafts.map(|(position, draft)| Outbound {
        owner: draft.owner,
        event: StoredEvent {
            id: derived_event_id(cause, function, position),
            topic: draft.topic.to_owned(),
            partition_key: draft.subject.to_string(),
            event_type: draft.event_type.to_owned(),
            source: source.clone(),
            subject: Some(draft.subject.as_uuid()),
            correlation_id: draft.correlation_id,
            causation_id: Some(cause),
            traceparent: traceparent.clone(),
            data: draft.data,
            occurred_at: now,
        },
    });
    events.collect()
}

/// A relay has expired this writer and publishes its events; the process registers as a new writer.
fn writer_expired() -> sqlx::Error {
    let kind = std::io::ErrorKind::ConnectionAborted;
    sqlx::Error::Io(std::io::Error::new(kind, "this writer has expired"))
}
