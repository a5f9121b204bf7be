//! From the outbox to the broker: right after a commit, or by a relay for events left behind.
//!
//! Events of one student on one topic are sent one after the other. When one fails, those behind it are left to the
//! relay together with it, so that none overtakes it. An event that the broker refuses for good is parked and delays no
//! others.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use environment::{Clock, chain};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use rdkafka::error::KafkaError;
use sqlx::PgPool;
use storage::{
    events::StoredEvent,
    outbox::{self, ClaimLimits},
};
use tokio::{sync::mpsc, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    cloud_event::to_cloud_event,
    counters,
    database::bounded,
    fault::{FaultPoint, Faults},
    kafka::Producer,
    keyed_queue::KeyedQueue,
    pending::{IN_FLIGHT_LIMIT, Pending},
    refusal::{REFUSALS_LIMIT, Refusal, delay, refusal},
    writer::{self, Ticket, Writer},
};

/// Commits whose events wait for the publisher. When the queue is full, the rest is left to the relay.
const QUEUE_LIMIT: usize = 4_096;
/// Most relayed events in one statement that records their outcomes.
const NOTE_LIMIT: usize = 500;
/// How long outcomes are collected before they are recorded together.
const NOTE_EVERY: Duration = Duration::from_millis(20);
/// How long a relay has to publish the events that it has claimed, before another may.
const LEASE: TimeDelta = TimeDelta::seconds(10);
/// How often the relay looks for events left behind.
const RELAY_EVERY: Duration = Duration::from_secs(1);
/// Most events, and bytes of their data, that the relay claims at once.
const RELAY_LIMITS: ClaimLimits = ClaimLimits { max_events: 200, max_bytes: 16 << 20 };

/// Events with the same key are sent one after the other: those of one student on one topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    topic: String,
    partition_key: String,
}

/// An event to be sent to the broker.
#[derive(Debug)]
struct Item {
    id: Uuid,
    function: &'static str,
    key: Key,
    wire: Vec<u8>,
    source: Source,
}

/// Where an event comes from.
#[derive(Debug)]
enum Source {
    /// This process committed it, together with others.
    Commit(Arc<Ticket>),
    /// It was left to the relay: with the number of failed attempts, and the time until which no other relay sends it.
    Relay { attempts: i16, until: DateTime<Utc> },
}

impl Source {
    const fn attempts(&self) -> i16 {
        match self {
            Self::Commit(_) => 0,
            Self::Relay { attempts, .. } => *attempts,
        }
    }
}

/// The outcome of sending an event.
struct Delivered {
    item: Item,
    result: Result<(), KafkaError>,
}

/// The events that the relay has claimed.
struct Claimed {
    events: Vec<outbox::Claimed>,
    /// Until then no other relay claims them.
    until: DateTime<Utc>,
}

/// Passes committed events to the publisher. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbox {
    queue: mpsc::Sender<Vec<Item>>,
    pending: Arc<Pending>,
    writer: Writer,
}

/// The publisher and the relay; runs until stopped, then empties its queue.
pub struct Publisher {
    inbox: mpsc::Receiver<Vec<Item>>,
    outbox: Outbox,
    pool: PgPool,
    producer: Producer,
    clock: Clock,
    faults: Faults,
    queue: KeyedQueue<Key, Item>,
    in_flight: FuturesUnordered<BoxFuture<'static, Delivered>>,
    /// The relay's claim in progress, at most one: concurrent with the loop, which would otherwise block.
    claiming: FuturesUnordered<BoxFuture<'static, sqlx::Result<Claimed>>>,
    /// Relayed events that are on the broker.
    relayed: Vec<Uuid>,
    /// Events that did not reach the broker, or would have overtaken such an event: left to the relay.
    delayed: Vec<Item>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Publisher")
    }
}

impl Outbox {
    /// Creates an outbox, and the publisher that empties it.
    #[must_use]
    pub fn new(
        pool: PgPool,
        producer: Producer,
        clock: Clock,
        faults: Faults,
    ) -> (Self, Publisher) {
        let (sender, inbox) = mpsc::channel(QUEUE_LIMIT);
        let writer = Writer::new(pool.clone(), clock.clone());
        let outbox = Self { queue: sender, pending: Arc::default(), writer };
        let publisher = Publisher {
            inbox,
            outbox: outbox.clone(),
            pool,
            producer,
            clock,
            faults,
            queue: KeyedQueue::new(IN_FLIGHT_LIMIT),
            in_flight: FuturesUnordered::new(),
            claiming: FuturesUnordered::new(),
            relayed: Vec::new(),
            delayed: Vec::new(),
        };
        (outbox, publisher)
    }

    /// Begins a commit whose events this process publishes; `None` leaves them to a relay.
    pub(crate) fn open(&self) -> Option<Ticket> {
        if self.pending.is_busy() { None } else { self.writer.open() }
    }

    /// Makes sure that this writer does not expire.
    ///
    /// # Errors
    /// The database's own.
    pub async fn note_alive(&self) -> sqlx::Result<()> {
        self.writer.note().await
    }

    /// Records at once how far this writer has published.
    ///
    /// # Errors
    /// The database's own.
    pub async fn note_progress(&self) -> sqlx::Result<()> {
        self.writer.note_progress().await
    }

    /// Queues committed events. Never waits and never fails: what does not fit is left to a relay.
    pub(crate) fn submit(&self, function: &'static str, events: Vec<StoredEvent>, ticket: Ticket) {
        let ticket = Arc::new(ticket);
        let item = |event| Item::new(function, event, Source::Commit(Arc::clone(&ticket)));
        let items = events.into_iter().map(item).collect();
        // Only the items hold it from here on, so it closes with the last of them.
        drop(ticket);
        self.queue(items);
    }

    /// Queues events; `false` if they do not fit and are left to a relay.
    fn queue(&self, items: Vec<Item>) -> bool {
        if items.is_empty() {
            return true;
        }
        let (count, bytes) = (items.len(), items.iter().map(|item| item.wire.len()).sum());
        let fits = self.pending.add(count, bytes);
        let refused = if fits {
            let Err(refused) = self.queue.try_send(items) else { return true };
            refused.into_inner()
        } else {
            items
        };
        refused.iter().for_each(Item::leave);
        drop(refused);
        if fits {
            self.pending.left(bytes);
            self.pending.done(count);
        }
        tracing::warn!(count, "the publisher has too much to do, events are left to the relay");
        false
    }

    /// Waits until all queued events are published or given up, at most for `limit`. Under Lambda the process is frozen
    /// as soon as it answers, so this comes before every answer.
    pub async fn drain(&self, limit: Duration) {
        if tokio::time::timeout(limit, self.pending.emptied()).await.is_err() {
            tracing::warn!("events are not published yet and are left to the relay");
        }
    }
}

impl Item {
    fn new(function: &'static str, event: StoredEvent, source: Source) -> Self {
        Self {
            id: event.id.as_uuid(),
            function,
            wire: to_cloud_event(&event).to_structured(),
            key: Key { topic: event.topic, partition_key: event.partition_key },
            source,
        }
    }
}

impl Publisher {
    /// Publishes until `stop`, then empties the queue.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut note = ticker(NOTE_EVERY);
        let mut relay = ticker(RELAY_EVERY);
        loop {
            tokio::select! {
                Some(items) = self.inbox.recv() => {
                    for item in items {
                        self.queue.push(item.key.clone(), item);
                    }
                }
                Some(delivered) = self.in_flight.next() => {
                    self.conclude(delivered).await;
                    if self.relayed.len() >= NOTE_LIMIT {
                        self.note().await;
                    }
                }
                _ = note.tick(), if self.has_news() => self.note().await,
                _ = relay.tick(), if !stop.is_cancelled() && self.claiming.is_empty() => self.claim(),
                Some(claimed) = self.claiming.next() => {
                    if self.relay(claimed) {
                        relay.reset_immediately();
                    }
                }
                () = stop.cancelled(), if self.queue.len() == 0 && self.inbox.is_empty() => break,
            }
            self.send_ready();
        }
        self.note().await;
        if let Err(error) = self.outbox.writer.leave().await {
            tracing::warn!(error = %chain(&error), "a relay will look for what is published already");
        }
    }

    fn send_ready(&mut self) {
        while let Some((key, item)) = self.queue.next() {
            if let Source::Relay { until, .. } = item.source
                && until <= self.clock.now()
            {
                // It has waited too long behind others: a relay of this or another process sends it.
                self.outbox.pending.left(item.wire.len());
                self.outbox.pending.done(1);
                self.queue.done(key);
                continue;
            }
            let delivery = self.producer.send(&key.topic, &key.partition_key, &item.wire);
            let faults = self.faults.clone();
            self.in_flight.push(Box::pin(async move {
                let result = match delivery {
                    Ok(delivery) => delivery.acknowledged().await,
                    Err(error) => Err(error),
                };
                if result.is_ok() {
                    faults.pass(item.function, FaultPoint::Published).await;
                }
                Delivered { item, result }
            }));
        }
    }

    async fn conclude(&mut self, Delivered { item, result }: Delivered) {
        self.outbox.pending.left(item.wire.len());
        let key = item.key.clone();
        if let Err(error) = result {
            self.hold_back(&item.key);
            self.refused(item, &error).await;
        } else {
            counters::published(1);
            match item.source {
                Source::Commit(ticket) => {
                    drop(ticket);
                    self.outbox.pending.done(1);
                }
                Source::Relay { .. } => self.relayed.push(item.id),
            }
        }
        self.queue.done(key);
    }

    /// Events behind one that failed are left to the relay together with it.
    fn hold_back(&mut self, key: &Key) {
        let held_back = self.queue.take_waiting(key);
        self.outbox.pending.left(held_back.iter().map(|item| item.wire.len()).sum());
        self.delayed.extend(held_back);
    }

    async fn refused(&mut self, item: Item, error: &KafkaError) {
        let (id, attempts) = (item.id, item.source.attempts());
        let (topic, now) = (&item.key.topic, self.clock.now());
        self.producer.renew_if_broken();
        let refusal = refusal(error);
        if refusal == Refusal::Away {
            counters::publish_failed();
            tracing::warn!(event_id = %id, %topic, %error, "event is not published, it is left to the relay");
            self.delayed.push(item);
            return;
        }
        let parks = refusal == Refusal::ForGood || attempts >= REFUSALS_LIMIT;
        let reason = error.to_string();
        let pool = self.pool.clone();
        let written = bounded(async move {
            let mut conn = pool.acquire().await?;
            if parks {
                outbox::park(&mut conn, id, &reason, now).await
            } else {
                outbox::refuse(&mut conn, id, now + delay(attempts)).await
            }
        });
        match written.await {
            Ok(()) if parks => {
                counters::parked();
                tracing::error!(event_id = %id, %topic, %error, "event is parked: the broker does not take it");
            }
            Ok(()) => {
                counters::publish_failed();
                tracing::warn!(event_id = %id, %topic, attempts, %error, "the broker does not take an event");
            }
            Err(unwritten) => {
                tracing::warn!(event_id = %id, error = %unwritten, "cannot note a failure");
                item.leave();
            }
        }
        drop(item);
        self.outbox.pending.done(1);
    }

    const fn has_news(&self) -> bool {
        !(self.relayed.is_empty() && self.delayed.is_empty())
    }

    /// Records the outcomes of relayed events, and the events left to the relay, since the last time.
    async fn note(&mut self) {
        let relayed = std::mem::take(&mut self.relayed);
        let delayed = std::mem::take(&mut self.delayed);
        if relayed.is_empty() && delayed.is_empty() {
            return;
        }
        let retry_at = self.clock.now() + delay(0);
        let noted = bounded(async {
            let mut conn = self.pool.acquire().await?;
            if !relayed.is_empty() {
                outbox::sent(&mut conn, &relayed).await?;
            }
            if !delayed.is_empty() {
                let ids: Vec<Uuid> = delayed.iter().map(|item| item.id).collect();
                outbox::delay(&mut conn, &ids, retry_at).await?;
            }
            Ok(())
        });
        if let Err(error) = noted.await {
            // Sent events are sent once more, and every inbox drops the duplicate.
            tracing::warn!(%error, "cannot note what became of events");
            delayed.iter().for_each(Item::leave);
        }
        let count = relayed.len() + delayed.len();
        drop(delayed);
        self.outbox.pending.done(count);
    }

    /// Begins to claim events left behind.
    fn claim(&self) {
        let (pool, clock) = (self.pool.clone(), self.clock.clone());
        let (writer, is_busy) = (self.outbox.writer.clone(), self.outbox.pending.is_busy());
        self.claiming.push(Box::pin(async move {
            // First, so that this process does not expire its own writer.
            writer.note().await?;
            let now = clock.now();
            let until = now + LEASE;
            if is_busy {
                return Ok(Claimed { events: Vec::new(), until });
            }
            bounded(async move {
                let mut tx = pool.begin().await?;
                let mut events = Vec::new();
                if outbox::lock(&mut tx).await? {
                    writer::expire_writers(&mut tx, now).await?;
                    events = outbox::claim(&mut tx, now, until, RELAY_LIMITS).await?;
                }
                tx.commit().await?;
                Ok(Claimed { events, until })
            })
            .await
        }));
    }

    /// Queues claimed events; `true` if there may be more to relay at once.
    fn relay(&self, claimed: sqlx::Result<Claimed>) -> bool {
        match claimed {
            Ok(Claimed { events, .. }) if events.is_empty() => false,
            Ok(Claimed { events, until }) => {
                tracing::info!(count = events.len(), "relaying events that were left behind");
                let items = events.into_iter().map(|outbox::Claimed { event, attempts }| {
                    Item::new("relay", event, Source::Relay { attempts, until })
                });
                self.outbox.queue(items.collect())
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the relay cannot take what was left behind");
                false
            }
        }
    }
}

impl Item {
    /// Gives up an event without recording that it is left to the relay.
    fn leave(&self) {
        match &self.source {
            Source::Commit(ticket) => ticket.abandon(),
            // It is recorded already, and claimed again when its lease is over.
            Source::Relay { .. } => {}
        }
    }
}

fn ticker(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
