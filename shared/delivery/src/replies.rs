//! Waiting for the answer to a request that went through Kafka, by correlation id.
//!
//! A long-running host follows the answers' topics itself, so that every instance sees every answer. Under Lambda nothing runs between calls, so the caller polls the stored events instead.
//! [`Replies`] hides the difference.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use environment::deadline;
use events::{CloudEvent, Event, Topic};
use parking_lot::Mutex;
use sqlx::PgPool;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    Keys, Live,
    cloud_event::to_cloud_event,
    database::bounded,
    follower::Sink,
    listeners::{Listener, Listeners},
};

/// The topics of answers: to questions and solutions, and to programs.
pub const TOPICS: [Topic; 2] = [Topic::LearningResponses, Topic::CodeResults];
/// Most concurrent waiting callers; further ones get the status URL.
const WAITERS_LIMIT: usize = 10_000;
/// How often the stored events are polled under Lambda.
const STORED_POLL: Duration = Duration::from_millis(100);

/// The source of answers.
#[derive(Debug, Clone)]
pub struct Replies {
    source: Source,
    keys: Keys,
}

#[derive(Debug, Clone)]
enum Source {
    Live(Arc<Audience>),
    Stored(PgPool),
}

/// Everyone in this process who waits for answers.
#[derive(Debug, Default)]
struct Audience {
    /// Those who wait for one event.
    waiters: Mutex<Waiters>,
    /// Those who want to hear what happens on the way, too.
    listeners: Arc<Listeners>,
}

/// Recipients by request.
type Waiters = HashMap<Uuid, Recipient>;

/// The recipient of an event.
#[derive(Debug)]
struct Recipient {
    event_type: &'static str,
    sender: oneshot::Sender<CloudEvent>,
}

/// The event that is waited for. The same topics also have other events of the same request.
#[derive(Debug, Clone, Copy)]
struct Expected {
    request: Uuid,
    event_type: &'static str,
}

/// A wait for one event; dropping it ends the wait.
#[derive(Debug)]
pub struct Waiter {
    expected: Expected,
    replies: Replies,
    receiver: Option<oneshot::Receiver<CloudEvent>>,
}

impl Replies {
    /// Receives answers as they arrive, by its [`Self::sink`].
    #[must_use]
    pub fn live(keys: Keys) -> Self {
        Self { source: Source::Live(Arc::default()), keys }
    }

    /// Polls the stored events for answers.
    #[must_use]
    pub const fn stored(pool: PgPool, keys: Keys) -> Self {
        Self { source: Source::Stored(pool), keys }
    }

    /// Starts to wait for a request's event of type `E`. Called before the request is sent, so that no answer is
    /// missed.
    #[must_use]
    pub fn expect<E: Event>(&self, correlation_id: Uuid) -> Waiter {
        let expected = Expected { request: correlation_id, event_type: E::TYPE };
        let receiver = match &self.source {
            Source::Stored(_) => None,
            Source::Live(audience) => {
                let (sender, receiver) = oneshot::channel();
                let mut waiters = audience.waiters.lock();
                (waiters.len() < WAITERS_LIMIT).then(|| {
                    waiters.insert(correlation_id, Recipient { event_type: E::TYPE, sender });
                    receiver
                })
            }
        };
        Waiter { expected, replies: self.clone(), receiver }
    }

    /// Hears the events of [`TOPICS`].
    #[must_use]
    pub fn sink(&self) -> Sink {
        let replies = self.clone();
        Arc::new(move |event| replies.deliver(event))
    }

    /// Listens to what happens to a request. Where no answers arrive, one hears nothing and has to look.
    #[must_use]
    pub fn listen(&self, correlation_id: Uuid) -> Listener {
        match &self.source {
            Source::Live(audience) => Listeners::listen(&audience.listeners, correlation_id),
            Source::Stored(_) => Listener::deaf(correlation_id),
        }
    }

    /// No more answers arrive here: all waiters return at once.
    pub fn give_up(&self) {
        if let Source::Live(audience) = &self.source {
            audience.waiters.lock().clear();
            audience.listeners.clear();
        }
    }

    fn deliver(&self, event: CloudEvent) {
        let Source::Live(audience) = &self.source else { return };
        audience.listeners.pass(&event);
        if Live::is_live(&event) {
            return;
        }
        let correlation = event.extensions.get("correlationid").and_then(|text| text.parse().ok());
        let Some(correlation) = correlation else { return };
        let recipient = match audience.waiters.lock().entry(correlation) {
            Entry::Occupied(entry) if entry.get().event_type == event.event_type => {
                Some(entry.remove())
            }
            Entry::Occupied(_) | Entry::Vacant(_) => None,
        };
        if let Some(recipient) = recipient
            && recipient.sender.send(event).is_err()
        {
            tracing::debug!("nobody waits for this answer any more");
        }
    }
}

impl Waiter {
    /// The answer, if it arrives within `patience`, and can be read.
    pub async fn wait(mut self, patience: Duration) -> Option<CloudEvent> {
        deadline::allow(patience);
        let answer = async {
            match (&self.replies.source, self.receiver.take()) {
                (Source::Live(_), Some(receiver)) => receiver.await.ok(),
                (Source::Live(_), None) => None,
                (Source::Stored(pool), _) => stored(pool, self.expected).await,
            }
        };
        let answer = tokio::time::timeout(patience, answer).await.ok().flatten()?;
        let opened = self.replies.keys.open_event(answer).await;
        opened.inspect_err(|error| tracing::warn!(%error, "an answer cannot be read")).ok()?
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Source::Live(audience) = &self.replies.source {
            audience.waiters.lock().remove(&self.expected.request);
        }
    }
}

async fn stored(pool: &PgPool, expected: Expected) -> Option<CloudEvent> {
    let mut poll = tokio::time::interval(STORED_POLL);
    loop {
        poll.tick().await;
        let found = bounded(async {
            let mut conn = pool.acquire().await?;
            let Expected { request, event_type } = expected;
            storage::events::first_of_request(&mut conn, request, event_type).await
        });
        match found.await {
            Ok(Some(event)) => return Some(to_cloud_event(&event)),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "cannot look for an answer"),
        }
    }
}
