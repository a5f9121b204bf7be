//! A client that comes back gets what it has missed: all of it, once, in one order, from any instance.

use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use sqlx::{Connection, Executor, PgConnection};
use tests::{
    World,
    socket::{Received, Socket, emit, nudge},
};
use uuid::Uuid;

use super::{another_instance, id_of, text_of, world_with};

/// Events of the test with two instances, besides the last one.
const EVENTS: usize = 120;

async fn texts(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(text_of(&socket.next().await.frame()).to_owned());
    }
    texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_comes_first_and_then_what_is_new() {
    let mut world = World::new().await;
    let ada = world.student("ada").await;
    emit(&world, &[nudge(ada.id, "before")]).await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    emit(&world, &[nudge(ada.id, "1")]).await;
    let first = socket.next().await.frame();
    assert_eq!(text_of(&first), "1", "what was before the first visit is no message");
    socket.close().await;
    emit(&world, &[nudge(ada.id, "2"), nudge(ada.id, "3")]).await;
    emit(&world, &[nudge(ada.id, "4")]).await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, Some(&id_of(&first))).await;
    let second = socket.next().await.frame();
    assert_eq!(text_of(&second), "2");
    assert_eq!(texts(&mut socket, 2).await, ["3", "4"]);
    emit(&world, &[nudge(ada.id, "5")]).await;
    assert_eq!(texts(&mut socket, 1).await, ["5"]);
    // Everything is in the database.
    world.kill().await;
    world.start(Default::default()).await;
    emit(&world, &[nudge(ada.id, "6")]).await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, Some(&id_of(&second))).await;
    assert_eq!(texts(&mut socket, 4).await, ["3", "4", "5", "6"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_names_no_message_of_its_own_is_told() {
    let world = World::new().await;
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    let mut hers = Socket::chat(&world, eve.id, &eve.token, None).await;
    emit(&world, &[nudge(ada.id, "1"), nudge(eve.id, "2")]).await;
    let of_eve = id_of(&hers.next().await.frame());
    let mut socket = Socket::chat(&world, ada.id, &ada.token, Some(&of_eve)).await;
    let error = socket.next().await.frame();
    assert_eq!(error["errors"][0]["field"], "after", "{error}");
    assert_eq!(texts(&mut socket, 1).await, ["1"], "nothing is lost");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_later_there_is_nothing_to_catch_up_with() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    emit(&world, &[nudge(ada.id, "old")]).await;
    world.advance(25 * 3_600);
    let ada = world.log_in("ada@example.org", tests::PASSWORD).await;
    let unknown = world.clock().new_id().to_string();
    let mut socket = Socket::chat(&world, ada.id, &ada.token, Some(&unknown)).await;
    assert_eq!(socket.next().await.frame()["type"], "error");
    emit(&world, &[nudge(ada.id, "new")]).await;
    assert_eq!(texts(&mut socket, 1).await, ["new"]);
    world.finish().await;
}

/// Puts an event into the audit trail, as a transaction does that takes its time.
async fn insert(conn: &mut PgConnection, student: Uuid, text: &str) {
    let sql = "INSERT INTO events (id, topic, partition_key, type, source, subject, correlation_id, data,
                                   occurred_at, lease_until, published_at)
               VALUES (gen_random_uuid(), 'learning.responses', $1::text, 'nudge.given.v1', 'x', $1, $1,
                       json_build_object('student_id', $1, 'request_id', $1, 'text', $2::text), now(), now(), now())";
    conn.execute(sqlx::query(sql).bind(student).bind(text)).await.expect("it is valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_committed_late_is_not_lost() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let mut socket = Socket::chat(&world, ada.id, &ada.token, None).await;
    let (mut slow, mut quick) = (world.database().await, world.database().await);
    // Of two transactions, the one that began first ends last.
    let mut first = slow.begin().await.expect("a transaction");
    insert(&mut first, ada.id, "first").await;
    insert(&mut quick, ada.id, "second").await;
    emit(&world, &[nudge(ada.id, "third")]).await;
    let second = socket.next().await.frame();
    assert_eq!(text_of(&second), "second");
    let third = socket.next().await.frame();
    assert_eq!(text_of(&third), "third");
    first.commit().await.expect("it is committed");
    let mut again = Socket::chat(&world, ada.id, &ada.token, Some(&id_of(&second))).await;
    assert_eq!(texts(&mut again, 2).await, ["third", "first"]);
    // Whoever stayed gets it with the next one.
    emit(&world, &[nudge(ada.id, "fourth")]).await;
    assert_eq!(texts(&mut socket, 2).await, ["first", "fourth"]);
    assert_eq!(texts(&mut again, 1).await, ["fourth"]);
    world.finish().await;
}

/// A client that reads for a while, is cut off, and comes back to any instance, until it has everything.
async fn restless(
    urls: [String; 2],
    id: Uuid,
    token: String,
    begin: String,
    seed: u64,
) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut last, mut seen) = (begin, Vec::new());
    while seen.len() <= EVENTS {
        let url = &urls[random.random_range(0..2)];
        let mut socket = Socket::chat_at(url, id, &token, Some(&last)).await;
        for _ in 0..random.random_range(1..12) {
            let Received::Frame(frame) = socket.next().await else { break };
            last = id_of(&frame);
            seen.push(text_of(&frame).to_owned());
            if seen.len() > EVENTS {
                break;
            }
        }
        if random.random_bool(0.3) {
            socket.close().await;
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_two_instances_get_the_same_in_the_same_order() {
    let world = world_with([("RATE_LIMIT_ADDRESS", "1000000"), ("SOCKETS_PER_USER", "50")]).await;
    let ada = world.student("ada").await;
    let (host, other) = another_instance(&world).await;
    let urls = [world.stack().url("websocket").expect("it runs"), other];
    // Their first message, so that all of them begin at the same place.
    let mut socket = Socket::chat_at(&urls[0], ada.id, &ada.token, None).await;
    emit(&world, &[nudge(ada.id, "begin")]).await;
    let begin = socket.next().await.frame();
    let clients: Vec<_> = (0..4)
        .map(|seed| {
            let (urls, token, begin) = (urls.clone(), ada.token.clone(), id_of(&begin));
            tokio::spawn(restless(urls, ada.id, token, begin, seed))
        })
        .collect();
    // Some are committed in another order than they were stored in, and none of those is announced.
    for number in (0..EVENTS).step_by(3) {
        let (mut one, mut two) = (world.database().await, world.database().await);
        let mut late = one.begin().await.expect("a transaction");
        insert(&mut late, ada.id, &number.to_string()).await;
        insert(&mut two, ada.id, &(number + 1).to_string()).await;
        emit(&world, &[nudge(ada.id, (number + 2).to_string())]).await;
        late.commit().await.expect("it is committed");
    }
    emit(&world, &[nudge(ada.id, "end")]).await;
    let mut orders = Vec::new();
    for client in clients {
        orders.push(client.await.expect("it gets everything"));
    }
    let all: BTreeSet<&String> = orders[0].iter().collect();
    assert_eq!((orders[0].len(), all.len()), (EVENTS + 1, EVENTS + 1), "each once");
    assert!(orders.iter().all(|order| *order == orders[0]), "in one order");
    host.stop().await;
    world.finish().await;
}
