//! From the outbox to the broker: right after a commit, and by a relay for what that left behind.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use events::{CloudEvent, Data};
use futures::{StreamExt, stream::FuturesUnordered};
use sqlx::PgPool;
use storage::events::StoredEvent;
use tokio::{
    sync::{Notify, mpsc},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Clock,
    fault::{FaultPoint, Faults},
    kafka::Producer,
    metrics,
    store::LEASE,
};

/// Commits whose events wait for the publisher. When it is full the rest is left to the relay.
const QUEUE_LIMIT: usize = 4_096;
/// Most events in one statement that marks them as published.
const MARK_LIMIT: usize = 500;
/// How long acknowledgements are gathered before they are written down together: the marks are off
/// every student's path, and one statement for many costs the database far less.
const MARK_EVERY: Duration = Duration::from_millis(20);
/// How often the relay looks for what was left behind.
const RELAY_EVERY: Duration = Duration::from_secs(1);
/// Most events that the relay takes at a time.
const RELAY_LIMIT: i64 = 200;

type Batch = (&'static str, Vec<StoredEvent>);

/// Hands committed events to the publisher. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Batch>,
    pending: Arc<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    count: AtomicUsize,
    empty: Notify,
}

impl Pending {
    fn add(&self, count: usize) {
        self.count.fetch_add(count, Ordering::AcqRel);
    }

    fn done(&self, count: usize) {
        if self.count.fetch_sub(count, Ordering::AcqRel) == count {
            self.empty.notify_waiters();
        }
    }
}

/// The publisher and the relay; runs until it is told to stop, then empties its queue.
#[derive(Debug)]
pub(crate) struct Publisher {
    queue: mpsc::Receiver<Batch>,
    outbox: Outbox,
    pool: PgPool,
    producer: Producer,
    clock: Clock,
    faults: Faults,
}

impl Outbox {
    pub(crate) fn new(
        pool: PgPool,
        producer: Producer,
        clock: Clock,
        faults: Faults,
    ) -> (Self, Publisher) {
        let (sender, queue) = mpsc::channel(QUEUE_LIMIT);
        let outbox = Self { queue: sender, pending: Arc::default() };
        let publisher = Publisher { queue, outbox: outbox.clone(), pool, producer, clock, faults };
        (outbox, publisher)
    }

    /// Queues events that are committed. Never waits and never fails: what does not fit stays in the
    /// outbox for the relay.
    pub(crate) fn submit(&self, function: &'static str, events: Vec<StoredEvent>) {
        if events.is_empty() {
            return;
        }
        let count = events.len();
        self.pending.add(count);
        if self.queue.try_send((function, events)).is_err() {
            self.pending.done(count);
            tracing::warn!(count, "publisher queue is full, events are left to the relay");
        }
    }

    /// Waits until all that was queued is published or given up, but no longer than `limit`. Under
    /// Lambda the process is frozen as soon as it answers, so this comes before every answer.
    pub(crate) async fn drain(&self, limit: Duration) {
        let emptied = async {
            loop {
                let notified = self.pending.empty.notified();
                if self.pending.count.load(Ordering::Acquire) == 0 {
                    return;
                }
                notified.await;
            }
        };
        if tokio::time::timeout(limit, emptied).await.is_err() {
            tracing::warn!("events are not published yet and are left to the relay");
        }
    }
}

impl Publisher {
    /// Publishes until `stop`, then what is queued still.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut in_flight = FuturesUnordered::new();
        let mut published: Vec<Uuid> = Vec::new();
        let mut mark = ticker(MARK_EVERY);
        let mut relay = ticker(RELAY_EVERY);
        loop {
            tokio::select! {
                Some((function, events)) = self.queue.recv() => {
                    for event in events {
                        let wire = to_cloud_event(&event).to_structured();
                        let delivery = self.producer.send(&event.topic, &event.partition_key, &wire);
                        in_flight.push(deliver(event.id.as_uuid(), function, delivery, self.faults.clone()));
                    }
                }
                Some((id, acknowledged)) = in_flight.next() => {
                    self.note(id, acknowledged, &mut published);
                    if published.len() >= MARK_LIMIT {
                        self.mark(&mut published).await;
                    }
                }
                _ = mark.tick(), if !published.is_empty() => self.mark(&mut published).await,
                _ = relay.tick(), if !stop.is_cancelled() => self.relay().await,
                () = stop.cancelled(), if in_flight.is_empty() && self.queue.is_empty() => break,
            }
        }
        self.mark(&mut published).await;
    }

    fn note(
        &self,
        id: Uuid,
        acknowledged: Result<(), rdkafka::error::KafkaError>,
        published: &mut Vec<Uuid>,
    ) {
        match acknowledged {
            Ok(()) => published.push(id),
            Err(error) => {
                metrics::publish_failed();
                tracing::warn!(event_id = %id, %error, "event is not published, it is left to the relay");
                self.outbox.pending.done(1);
            }
        }
    }

    async fn mark(&self, published: &mut Vec<Uuid>) {
        if published.is_empty() {
            return;
        }
        let marked = async {
            let mut conn = self.pool.acquire().await?;
            storage::events::mark_published(&mut conn, published, self.clock.now()).await
        };
        if let Err(error) = marked.await {
            // Unmarked they are published once more, and every inbox drops the second copy.
            tracing::warn!(%error, count = published.len(), "cannot mark events as published");
        }
        metrics::published(published.len());
        self.outbox.pending.done(published.len());
        published.clear();
    }

    async fn relay(&self) {
        let now = self.clock.now();
        let claimed = async {
            let mut conn = self.pool.acquire().await?;
            storage::events::claim_unpublished(&mut conn, now, now + LEASE, RELAY_LIMIT).await
        };
        match claimed.await {
            Ok(events) if events.is_empty() => {}
            Ok(events) => {
                tracing::info!(count = events.len(), "relaying events that were left behind");
                self.outbox.submit("relay", events);
            }
            Err(error) => tracing::debug!(%error, "relay cannot reach the database"),
        }
    }
}

async fn deliver(
    id: Uuid,
    function: &'static str,
    delivery: Result<crate::kafka::Delivery, rdkafka::error::KafkaError>,
    faults: Faults,
) -> (Uuid, Result<(), rdkafka::error::KafkaError>) {
    let acknowledged = match delivery {
        Ok(delivery) => delivery.acknowledged().await,
        Err(error) => Err(error),
    };
    if acknowledged.is_ok() {
        faults.pass(function, FaultPoint::Published).await;
    }
    (id, acknowledged)
}

fn ticker(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// The event as it travels.
pub(crate) fn to_cloud_event(event: &StoredEvent) -> CloudEvent {
    let mut extensions = BTreeMap::from([
        ("correlationid".to_owned(), event.correlation_id.to_string()),
        ("partitionkey".to_owned(), event.partition_key.clone()),
    ]);
    if let Some(cause) = event.causation_id {
        extensions.insert("causationid".to_owned(), cause.to_string());
    }
    if let Some(traceparent) = &event.traceparent {
        extensions.insert("traceparent".to_owned(), traceparent.clone());
    }
    CloudEvent {
        id: event.id.to_string(),
        source: event.source.clone(),
        event_type: event.event_type.clone(),
        subject: event.subject.map(|subject| subject.to_string()),
        time: Some(event.occurred_at),
        extensions,
        data: Data::Json(event.data.clone()),
    }
}
