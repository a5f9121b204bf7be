//! Members of a consumer group join and leave while there are more events than they accept at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{DateTime, Utc};
use events::question_asked::QuestionAsked;
use runtime::{Act, HandlerError, Live, Outgoing, Received};
use sqlx::PgConnection;
use testing::{Bench, eventually};
use tokio::sync::watch;
use uuid::Uuid;

/// More than a member accepts: it pauses its partitions.
const EVENTS: u32 = 2_500;
/// Events in progress at once in a member.
const AT_ONCE: usize = 256;

/// Begins events, and ends them when its gate is open.
struct Gated {
    begun: Arc<AtomicUsize>,
    gate: watch::Receiver<bool>,
}

impl Act for Gated {
    type In = QuestionAsked;
    type Done = Outgoing;

    async fn call(&self, _: Received<QuestionAsked>, _: &Live) -> Result<Outgoing, HandlerError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let opened = self.gate.clone().wait_for(|is_open| *is_open).await.map(|_| ());
        opened.map_err(HandlerError::retry)?;
        Ok(Outgoing::none())
    }

    async fn record(
        &self,
        outgoing: &Outgoing,
        _: DateTime<Utc>,
        _: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        Ok(outgoing.clone())
    }
}

/// A member of the group, with its gate and the number of events that it has begun.
struct Member {
    host: runtime::Host,
    begun: Arc<AtomicUsize>,
    gate: watch::Sender<bool>,
}

async fn join(bench: &mut Bench) -> Member {
    let (begun, (gate, closed)) = (Arc::default(), watch::channel(false));
    let handler = Gated { begun: Arc::clone(&begun), gate: closed };
    Member { host: bench.host(|function| function.acts(handler)).await, begun, gate }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_events_are_handled_though_a_member_joins_and_leaves_a_busy_group() {
    let mut bench = Bench::new().await;
    let students = (0..EVENTS).map(|student| (Uuid::from_u128(student.into()), "x".to_owned()));
    bench.ask_all(students).await;
    let first = join(&mut bench).await;
    eventually("the first member is busy", async || {
        (first.begun.load(Ordering::SeqCst) == AT_ONCE).then_some(())
    })
    .await;
    let second = join(&mut bench).await;
    eventually("the second member has a part", async || {
        (second.begun.load(Ordering::SeqCst) > 0).then_some(())
    })
    .await;
    second.gate.send_replace(true);
    second.host.stop().await;
    first.gate.send_replace(true);
    let handled = "SELECT count(*) FROM inbox WHERE function = 'bench'";
    eventually("all events are handled", async || {
        (bench.count(handled).await == i64::from(EVENTS)).then_some(())
    })
    .await;
    first.host.stop().await;
    assert_eq!(bench.count("SELECT count(*) FROM events WHERE topic = 'dead.letters'").await, 0);
}
