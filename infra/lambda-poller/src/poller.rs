//! A mapping at work: what the engine decides is done here.

mod answering;
mod requests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use self::requests::{MappingView, Outcome, Request, Requests, Target};
use crate::{
    answer::{Answer, Batch, Verdict},
    clock::Clock,
    cluster::{ClientError, Cluster},
    deliver::{Deliverer, Elsewhere},
    engine::{Action, Engine, Failure},
    fixtures::Recorder,
    invoke::Endpoint,
    kafka::{Consumer, Event},
    mapping::Mapping,
    record::{Consumed, Record},
};

/// How long positions are gathered before they are committed.
const COMMIT_INTERVAL_MS: i64 = 200;
/// When commands that the consumer was too busy for are given again.
const BUSY_WAIT_MS: i64 = 50;
/// When a consumer that could not go on is replaced.
const RESTART_WAIT_MS: i64 = 5_000;
/// How soon the same trouble is told again.
const TROUBLE_INTERVAL_MS: i64 = 60_000;
/// Most events from Kafka that are taken in before anything else is done.
const EVENTS_AT_ONCE: usize = 64;
/// How long running invocations may take at the end.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// What all mappings have in common.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) cluster: Cluster,
    pub(crate) endpoint: Endpoint,
    pub(crate) elsewhere: Elsewhere,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) concurrency: usize,
    pub(crate) retry_wait_ms: i64,
    /// How long the first answer may take: a function may have to be compiled for it.
    pub(crate) first_answer_limit: Duration,
    pub(crate) is_paused: bool,
    pub(crate) clock: Clock,
}

/// Something that was going on has ended.
enum Ended {
    Invoked { part: u64, verdict: Verdict, has_answered: bool },
    Delivered { part: u64, is_taken: bool },
    Found { offsets: Result<BTreeMap<i32, i64>, String>, reply: requests::Reply },
}

/// What the consumer must be told.
#[derive(Debug, Clone, Copy)]
enum Order {
    Pause(i32),
    Resume(i32),
    Seek(i32, i64),
}

pub(crate) struct Poller {
    mapping: Arc<Mapping>,
    settings: Arc<Settings>,
    engine: Engine,
    asked_at_ms: i64,
    consumer: Option<Consumer>,
    deliverer: Option<Deliverer>,
    running: JoinSet<Ended>,
    orders: VecDeque<Order>,
    /// Partitions that are not fetched, since their lanes are full.
    full: BTreeSet<i32>,
    committed: BTreeMap<i32, i64>,
    committed_at_ms: i64,
    restart_at_ms: Option<i64>,
    has_answered: bool,
    trouble: Option<(String, i64)>,
}

impl Poller {
    /// Joins the mapping's group.
    pub(crate) fn start(mapping: Mapping, settings: Arc<Settings>) -> Result<Self, ClientError> {
        let consumer = consumer(&mapping, &settings)?;
        let deliverer = mapping.destination.clone().map(|destination| {
            let elsewhere = settings.elsewhere.clone();
            Deliverer::new(destination, &settings.cluster, elsewhere, settings.clock)
        });
        let policy = mapping.policy(settings.concurrency, settings.retry_wait_ms);
        let is_paused = settings.is_paused || !mapping.is_enabled;
        Ok(Self {
            engine: Engine::new(policy, is_paused),
            asked_at_ms: 0,
            consumer: Some(consumer),
            deliverer: deliverer.transpose()?,
            running: JoinSet::new(),
            orders: VecDeque::new(),
            full: BTreeSet::new(),
            committed: BTreeMap::new(),
            committed_at_ms: 0,
            restart_at_ms: None,
            has_answered: false,
            trouble: None,
            mapping: Arc::new(mapping),
            settings,
        })
    }

    fn now_ms(&self) -> i64 {
        self.settings.clock.now_ms()
    }

    /// Works until `stop`.
    pub(crate) async fn run(mut self, mut requests: Requests, stop: CancellationToken) {
        loop {
            self.act();
            self.command_consumer(false);
            let due = self.due_ms().map(|due_ms| self.settings.clock.instant(due_ms));
            let wait = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = next_event(&mut self.consumer) => self.take_in(event),
                Some(ended) = self.running.join_next() => self.ended(ended),
                Some((request, reply)) = requests.recv() => self.answer_request(request, reply),
                () = wait => self.restart_if_due(),
                () = stop.cancelled() => break,
            }
        }
        self.stop().await;
    }

    /// Lets invocations end, commits what is done, and leaves the group.
    async fn stop(mut self) {
        let last = async {
            while let Some(ended) = self.running.join_next().await {
                self.ended(ended);
            }
        };
        if tokio::time::timeout(STOP_LIMIT, last).await.is_err() {
            tracing::warn!(mapping = self.mapping.name, "invocations are left without an answer");
        }
        self.command_consumer(true);
        if let Some(consumer) = self.consumer.take()
            && tokio::time::timeout(STOP_LIMIT, consumer.close()).await.is_err()
        {
            tracing::warn!(mapping = self.mapping.name, "the group is left without a word");
        }
    }

    fn due_ms(&self) -> Option<i64> {
        let now_ms = self.now_ms();
        let commit = (self.uncommitted().next().is_some() && self.consumer.is_some())
            .then(|| (self.committed_at_ms + COMMIT_INTERVAL_MS).max(now_ms + BUSY_WAIT_MS));
        let busy = (!self.orders.is_empty()).then_some(now_ms + BUSY_WAIT_MS);
        // As of when it was asked: what has become due since then must not be missed.
        let engine = self.engine.due_ms(self.asked_at_ms);
        [commit, busy, engine, self.restart_at_ms].into_iter().flatten().min()
    }

    fn take_in(&mut self, event: Option<Event>) {
        self.event(event);
        for _more in 0..EVENTS_AT_ONCE {
            let next = self.consumer.as_mut().map(|consumer| consumer.events.try_recv());
            match next {
                Some(Ok(event)) => self.event(Some(event)),
                _ => return,
            }
        }
    }

    fn event(&mut self, event: Option<Event>) {
        match event {
            Some(Event::Assigned(partition, next)) => {
                self.trouble = None;
                // The client keeps a partition paused that was revoked meanwhile.
                if self.full.remove(&partition) {
                    self.orders.push_back(Order::Resume(partition));
                }
                if let Some(next) = next {
                    self.committed.insert(partition, next);
                }
                self.engine.assigned(partition, next);
                let lane = self.mapping.source.lane(partition);
                tracing::info!(mapping = self.mapping.name, lane, next, "a lane is assigned");
            }
            Some(Event::Revoked(partition)) => {
                self.engine.revoked(partition);
                self.committed.remove(&partition);
            }
            Some(Event::Record(record)) => self.record(record),
            Some(Event::Sought(partition)) => self.engine.sought(partition),
            Some(Event::Trouble(trouble)) => self.tell(trouble),
            Some(Event::Away(trouble)) if self.trouble.is_none() => self.tell(trouble),
            Some(Event::Away(_)) => {}
            Some(Event::NotCommitted(trouble)) => {
                // All of it is committed again, at the usual pace.
                self.committed.clear();
                self.tell(trouble);
            }
            Some(Event::Ended(reason)) => self.give_up(&reason),
            None => self.give_up("its thread has ended"),
        }
    }

    fn record(&mut self, consumed: Consumed) {
        self.trouble = None;
        let (partition, offset) = (consumed.partition, consumed.offset);
        if !self.mapping.filters.pass(consumed.value.as_deref()) {
            self.engine.left_out(partition, offset);
            return;
        }
        match consumed.into_record(&self.mapping.source.topic) {
            Ok(record) => self.engine.arrived(record, self.now_ms()),
            Err(error) => tracing::error!(%error, partition, offset, "a record cannot be written"),
        }
    }

    fn tell(&mut self, trouble: String) {
        let now_ms = self.now_ms();
        let is_known = self.trouble.as_ref().is_some_and(|(known, told_ms)| {
            *known == trouble && now_ms < told_ms + TROUBLE_INTERVAL_MS
        });
        if !is_known {
            let (mapping, topic) = (&self.mapping.name, &self.mapping.source.topic);
            tracing::warn!(mapping, topic, "Kafka: {trouble}");
            self.trouble = Some((trouble, now_ms));
        }
    }

    fn give_up(&mut self, reason: &str) {
        self.tell(format!("the consumer is replaced: {reason}"));
        self.engine.revoked_all();
        self.committed.clear();
        self.orders.clear();
        self.full.clear();
        if let Some(consumer) = self.consumer.take() {
            tokio::spawn(consumer.close());
        }
        self.restart_at_ms = Some(self.now_ms() + RESTART_WAIT_MS);
    }

    fn restart_if_due(&mut self) {
        let now_ms = self.now_ms();
        if self.restart_at_ms.is_none_or(|at_ms| now_ms < at_ms) {
            return;
        }
        match consumer(&self.mapping, &self.settings) {
            Ok(consumer) => {
                self.consumer = Some(consumer);
                self.restart_at_ms = None;
            }
            Err(error) => {
                self.tell(error.to_string());
                self.restart_at_ms = Some(now_ms + RESTART_WAIT_MS);
            }
        }
    }

    /// Does what the engine wants.
    fn act(&mut self) {
        self.asked_at_ms = self.now_ms();
        for action in self.engine.poll(self.asked_at_ms) {
            match action {
                Action::Invoke { part, records } => self.invoke(part, records),
                Action::Deliver { part, failure } => self.deliver(part, failure),
                Action::Discard(failure) => self.log_failure(&failure, "discarded"),
                Action::Seek { partition, offset } => {
                    self.orders.push_back(Order::Seek(partition, offset));
                }
            }
        }
        for partition in self.engine.lanes().collect::<Vec<_>>() {
            if !self.full.contains(&partition) && self.engine.is_full(partition) {
                self.full.insert(partition);
                self.orders.push_back(Order::Pause(partition));
            } else if self.full.contains(&partition) && self.engine.is_low(partition) {
                self.full.remove(&partition);
                self.orders.push_back(Order::Resume(partition));
            }
        }
    }

    fn log_failure(&self, failure: &Failure, what: &str) {
        let lanes = self.lanes_of(&failure.records);
        let (mapping, count) = (&self.mapping.name, failure.records.len());
        let error = failure.error.as_ref().map(ToString::to_string);
        let (condition, invocations) = (failure.condition, failure.invocations);
        tracing::error!(
            mapping,
            lanes,
            count,
            ?condition,
            invocations,
            error,
            "records are {what}"
        );
    }

    /// Such as `mytopic-0@15..17`.
    fn lanes_of(&self, records: &[Arc<Record>]) -> String {
        let mut lanes: BTreeMap<i32, (i64, i64)> = BTreeMap::new();
        for record in records {
            let (_, last) = lanes.entry(record.partition).or_insert((record.offset, record.offset));
            *last = record.offset;
        }
        let source = &self.mapping.source;
        let text = |(lane, (first, last)): (i32, (i64, i64))| {
            format!("{}@{first}..{last}", source.lane(lane))
        };
        lanes.into_iter().map(text).collect::<Vec<_>>().join(" ")
    }

    fn invoke(&mut self, part: u64, records: Vec<Arc<Record>>) {
        let (mapping, settings) = (Arc::clone(&self.mapping), Arc::clone(&self.settings));
        let seconds = Duration::from_secs(mapping.timeout_seconds);
        let limit =
            if self.has_answered { seconds } else { seconds.max(settings.first_answer_limit) };
        let lanes = self.lanes_of(&records);
        self.running.spawn(async move {
            let answer = match mapping.source.payload(&records) {
                Ok(event) => {
                    if let (Some(recorder), Some(first)) = (&settings.recorder, records.first()) {
                        recorder.record(&mapping.name, &mapping.source, first, &event).await;
                    }
                    settings.endpoint.invoke(&mapping.function, event, limit).await
                }
                Err(error) => Answer::Unreachable(error.to_string()),
            };
            let has_come = matches!(answer, Answer::Response { .. });
            let items = records.iter().map(|record| (record.partition, record.offset)).collect();
            let batch = Batch {
                topic: &mapping.source.topic,
                items: &items,
                reports_failures: mapping.reports_failures,
            };
            let verdict = batch.verdict(answer);
            log_verdict(&mapping, &lanes, records.len(), &verdict);
            let has_answered = has_come && !matches!(verdict, Verdict::NotInvoked(_));
            Ended::Invoked { part, verdict, has_answered }
        });
    }

    fn deliver(&mut self, part: u64, failure: Failure) {
        self.log_failure(&failure, "sent to the on-failure destination");
        let Some(deliverer) = self.deliverer.clone() else { return };
        let mapping = Arc::clone(&self.mapping);
        self.running.spawn(async move {
            let delivered = deliverer.deliver(&mapping, &failure).await;
            if let Err(error) = &delivered {
                let error: &dyn std::error::Error = error;
                tracing::warn!(mapping = mapping.name, error, "the destination did not take it");
            }
            Ended::Delivered { part, is_taken: delivered.is_ok() }
        });
    }

    fn ended(&mut self, ended: Result<Ended, JoinError>) {
        let now_ms = self.now_ms();
        match ended {
            Ok(Ended::Invoked { part, verdict, has_answered }) => {
                self.has_answered |= has_answered;
                self.engine.answered(part, verdict, now_ms);
            }
            Ok(Ended::Delivered { part, is_taken }) => {
                self.engine.delivered(part, is_taken, now_ms);
            }
            Ok(Ended::Found { offsets, reply }) => self.rewind(offsets, reply),
            // An error in this program: nobody knows which lane would wait forever.
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }

    /// Positions that the cluster does not know yet.
    fn uncommitted(&self) -> impl Iterator<Item = (i32, i64)> {
        let positions = self.engine.positions().into_iter();
        positions.filter(|(partition, next)| self.committed.get(partition) != Some(next))
    }

    fn command_consumer(&mut self, is_last: bool) {
        let Some(consumer) = &self.consumer else { return };
        while let Some(order) = self.orders.front().copied() {
            let is_given = match order {
                Order::Pause(partition) => consumer.pause(partition),
                Order::Resume(partition) => consumer.resume(partition),
                Order::Seek(partition, offset) => consumer.seek(partition, offset),
            };
            if !is_given {
                break;
            }
            self.orders.pop_front();
        }
        let now_ms = self.settings.clock.now_ms();
        if is_last || now_ms >= self.committed_at_ms + COMMIT_INTERVAL_MS {
            let offsets: Vec<(i32, i64)> = self.uncommitted().collect();
            if !offsets.is_empty() && consumer.commit(offsets.clone()) {
                self.committed.extend(offsets);
                self.committed_at_ms = now_ms;
            }
        }
    }
}

fn consumer(mapping: &Mapping, settings: &Settings) -> Result<Consumer, ClientError> {
    Consumer::start(&settings.cluster, &mapping.group, &mapping.source.topic, mapping.start)
}

async fn next_event(consumer: &mut Option<Consumer>) -> Option<Event> {
    match consumer {
        Some(consumer) => consumer.events.recv().await,
        None => std::future::pending().await,
    }
}

fn log_verdict(mapping: &Mapping, lanes: &str, records: usize, verdict: &Verdict) {
    let (mapping, function) = (&mapping.name, &mapping.function);
    match verdict {
        Verdict::Done => tracing::info!(mapping, function, lanes, records, "done"),
        Verdict::Items(items) => {
            let failed = items.len();
            tracing::warn!(mapping, function, lanes, records, failed, "partly failed");
        }
        Verdict::Error(error) => {
            tracing::warn!(mapping, function, lanes, records, %error, "the function failed");
        }
        Verdict::Invalid(reason) => {
            tracing::warn!(mapping, function, lanes, records, reason, "the answer makes no sense");
        }
        Verdict::TooLarge => {
            tracing::warn!(mapping, function, lanes, records, "the endpoint refuses the size");
        }
        Verdict::NotInvoked(reason) => {
            tracing::warn!(mapping, function, lanes, records, reason, "not invoked");
        }
    }
}
