//! The ledger of what models cost, as transactions share it.

use std::time::Duration;

use domain::agent::Author;
use ids::UserId;
use runtime::Clock;
use sqlx::{Connection, PgConnection};
use storage::model_usage::{self, Usage};
use testing::TestDatabase;
use tokio::time::timeout;
use uuid::Uuid;

/// Far more than it takes where nobody waits.
const LIMIT: Duration = Duration::from_secs(20);

async fn enter(conn: &mut PgConnection, call: u128) {
    let usage = Usage {
        id: Uuid::from_u128(call),
        student: UserId::from_uuid(Uuid::nil()),
        agent: Author::Concepts,
        model: "m",
        tokens_in: 1,
        tokens_out: 1,
        cost_micro_usd: 5,
        latency_ms: 1,
        cached: false,
    };
    let entered = timeout(LIMIT, model_usage::enter(conn, &usage, Clock::System.now())).await;
    entered.expect("it waits for nobody").expect("it is entered");
}

#[tokio::test]
async fn transactions_that_enter_several_calls_do_not_wait_for_each_other() {
    let database = TestDatabase::create().await;
    let (mut ada, mut bob) = (database.connect().await, database.connect().await);
    let mut first = ada.begin().await.expect("a transaction");
    let mut second = bob.begin().await.expect("a transaction");
    // Whatever a call's id is, and in whatever order they come.
    for call in 0..40 {
        enter(&mut first, 2 * call).await;
        enter(&mut second, 2 * (39 - call) + 1).await;
    }
    first.commit().await.expect("it is committed");
    second.commit().await.expect("it is committed");
    let nobody = UserId::from_uuid(Uuid::nil());
    let since = Clock::System.now() - chrono::TimeDelta::hours(1);
    let standing = model_usage::standing(&mut ada, nobody, since).await.expect("a total");
    assert_eq!(standing.all_micro_usd, 80 * 5);
    drop((ada, bob));
    database.remove().await;
}
