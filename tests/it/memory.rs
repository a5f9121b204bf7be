//! Conversations: follow-ups are understood within one, and the student can read and delete it.

use api_gateway::responses::{Conversation, ListedConversation, QueryResponse, QueryStatus};
use reqwest::StatusCode;
use runtime::{
    Clock,
    fault::{FaultPoint, Faults},
};
use serde_json::{Value, json};
use storage::events::{Claims, StoredEvent};
use testing::TestDatabase;
use tests::{Reply, Student, UNPUBLISHED, World};
use uuid::Uuid;

async fn ask(world: &World, student: &Student, question: &str) -> Reply {
    let reply = world.ask(student, question, 20).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    reply
}

fn content(reply: &Reply) -> &str {
    reply.body["answer"]["content"].as_str().expect("a text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_can_follow_up_on_the_previous_answer() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let first = ask(&world, &student, "What is a list?").await;
    let mut said = vec![content(&first).to_owned()];
    for question in [
        "show me another example",
        "one more example please",
        "I still don't get it",
        "and why?",
        "tell me more",
    ] {
        let reply = ask(&world, &student, question).await;
        assert_eq!(reply.body["agent"], "concepts", "{question}: {:?}", reply.body);
        assert_eq!(reply.body["answer"]["topics"][0], "lists", "{question}");
        assert_eq!(reply.body["conversation_id"], first.body["conversation_id"], "{question}");
        assert!(!said.iter().any(|before| before == content(&reply)), "{question} repeats");
        said.push(content(&reply).to_owned());
    }
    let other = ask(&world, &student, "What is a tuple?").await;
    assert_eq!(other.body["answer"]["topics"][0], "tuples");
    let follow = ask(&world, &student, "another example please").await;
    assert_eq!(follow.body["answer"]["topics"][0], "tuples", "{:?}", follow.body);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_of_the_last_question_is_still_meant() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let question = "why does it fail?\n```python\nages = [3, 4]\nprint(ages[2])\n```";
    let body =
        json!({ "question": "why does it fail?", "code": "ages = [3, 4]\nprint(ages[2])\n" });
    let first = world.post_with("/query", &student.token, &body, [("prefer", "wait=20")]).await;
    assert_eq!(first.body["agent"], "debug", "{question}: {:?}", first.body);
    world.advance(100);
    let next = ask(&world, &student, "I still don't get it").await;
    assert_eq!(next.body["agent"], "debug", "{:?}", next.body);
    let hint = |reply: &Reply| reply.body["answer"]["details"]["hint"]["level"].as_u64();
    assert_eq!(hint(&next), hint(&first).map(|level| level + 1));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_exchanges_and_other_students_exchanges_are_ignored() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let first = ask(&world, &ada, "What is a list?").await;
    let strange = ask(&world, &bob, "show me another example").await;
    assert_ne!(strange.body["answer"]["topics"][0], "lists", "{:?}", strange.body);
    world.advance(31 * 60);
    let late = ask(&world, &ada, "show me another example").await;
    assert_ne!(late.body["conversation_id"], first.body["conversation_id"]);
    assert_ne!(late.body["answer"]["topics"][0], "lists", "{:?}", late.body);
    // Unless the student says where they go on.
    let named = first.body["conversation_id"].clone();
    let body = json!({ "question": "show me another example", "conversation_id": named });
    let stolen = world.post_with("/query", &bob.token, &body, [("prefer", "wait=20")]).await;
    assert_eq!(stolen.status, StatusCode::UNPROCESSABLE_ENTITY, "{:?}", stolen.body);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_conversation_begins_on_request() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let first = ask(&world, &ada, "What is a list?").await;
    world.advance(1);
    let question = json!({ "question": "show me another example", "new_conversation": true });
    let headers = [("prefer", "wait=20"), ("idempotency-key", "new")];
    let new = world.post_with("/query", &ada.token, &question, headers).await;
    assert_eq!(new.status, StatusCode::OK, "{:?}", new.body);
    assert_ne!(new.body["conversation_id"], first.body["conversation_id"]);
    assert_ne!(new.body["answer"]["topics"][0], "lists", "it follows up on nothing");
    // Sent again, it begins no other one.
    let again = world.post_with("/query", &ada.token, &question, headers).await;
    assert_eq!(again.body["id"], new.body["id"]);
    assert_eq!(again.body["conversation_id"], new.body["conversation_id"]);
    let question = json!({ "question": "show me another example" });
    let other = world.post_with("/query", &ada.token, &question, headers).await;
    assert_eq!(other.body["code"], "idempotency_key_reused", "{:?}", other.body);
    // The next question goes on with it.
    world.advance(1);
    let next = ask(&world, &ada, "What is a tuple?").await;
    assert_eq!(next.body["conversation_id"], new.body["conversation_id"]);
    let both = json!({ "question": "and why?", "new_conversation": true,
                       "conversation_id": first.body["conversation_id"] });
    let both = world.post_with("/query", &ada.token, &both, [("prefer", "wait=0")]).await;
    assert_eq!(both.status, StatusCode::UNPROCESSABLE_ENTITY, "{:?}", both.body);
    assert_eq!(both.body["errors"][0]["field"], "new_conversation", "{:?}", both.body);
    let sql = "SELECT count(*) FROM conversations WHERE student_id = $1";
    assert_eq!(world.count(sql, ada.id).await, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_student_reads_and_deletes_what_is_remembered() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let first = ask(&world, &ada, "What is a list? My secret is swordfish.").await;
    ask(&world, &ada, "What is a tuple?").await;
    let id = first.body["conversation_id"].as_str().expect("an id");
    let listed: Vec<ListedConversation> = world.get("/conversations", Some(&ada.token)).await.ok();
    assert_eq!(listed[0].questions, 2);
    assert_eq!(listed[0].title, "What is a list? My secret is swordfish.");
    let path = format!("/conversations/{id}");
    let exchanges = world.get(&path, Some(&ada.token)).await.ok::<Conversation>().exchanges;
    assert_eq!(exchanges[1].question, "What is a tuple?");
    assert!(exchanges.iter().all(|exchange| exchange.content.is_some()), "{exchanges:?}");
    let delete = async |student: &Student| {
        let token = student.token.clone();
        let path = path.clone();
        world
            .send("api-gateway", |client, url| {
                client.delete(format!("{url}/api/v1{path}")).bearer_auth(token)
            })
            .await
            .status
    };
    assert_eq!(world.get(&path, Some(&bob.token)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(delete(&bob).await, StatusCode::NOT_FOUND);
    testing::eventually("everything is published", async || {
        let left = sqlx::query_scalar(UNPUBLISHED).fetch_one(&mut world.database().await).await;
        let left: i64 = left.expect("the query is valid");
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(delete(&ada).await, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&path, Some(&ada.token)).await.status, StatusCode::NOT_FOUND);
    let query = first.body["id"].as_str().expect("an id");
    assert_eq!(
        world.get(&format!("/queries/{query}"), Some(&ada.token)).await.status,
        StatusCode::NOT_FOUND
    );
    let left = "SELECT count(*) FROM events WHERE data::text LIKE '%swordfish%' AND $1 IS NOT NULL";
    assert_eq!(world.count(left, Uuid::nil()).await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_has_all_that_its_answers_say_and_the_own_ratings() {
    let world = World::new().await;
    let (ada, tom) = (world.student("ada").await, world.teacher("tom").await);
    world.class(&tom, &[&ada]).await;
    let explained = ask(&world, &ada, "What is a list?").await;
    world.advance(1);
    let hinted = json!({ "question": "why does it fail?", "code": "ages = [3]\nprint(ages[1])\n" });
    let hinted = world.post_with("/query", &ada.token, &hinted, [("prefer", "wait=20")]).await;
    assert_eq!(hinted.body["answer"]["details"]["kind"], "debug", "{:?}", hinted.body);
    let [first, second] = [&explained, &hinted].map(|reply| {
        let id = reply.body["id"].as_str().expect("an id");
        format!("/queries/{id}")
    });
    let rating = world.send("api-gateway", |client, url| {
        let request = client.put(format!("{url}/api/v1{first}/rating")).bearer_auth(&ada.token);
        request.json(&json!({ "helpful": false }))
    });
    assert_eq!(rating.await.status, StatusCode::NO_CONTENT);
    let id = explained.body["conversation_id"].as_str().expect("an id");
    let path = format!("/conversations/{id}");
    for (reader, rating) in [(&ada, Some(false)), (&tom, None)] {
        let exchanges = world.get(&path, Some(&reader.token)).await.ok::<Conversation>().exchanges;
        assert_eq!(exchanges.len(), 2);
        for (exchange, own) in exchanges.iter().zip([&first, &second]) {
            let alone: QueryResponse = world.get(own, Some(&reader.token)).await.ok();
            assert_eq!((&exchange.query, exchange.query_id), (&alone, alone.id));
            assert_eq!(exchange.content, alone.answer.map(|answer| answer.content));
        }
        let ratings: Vec<_> = exchanges.iter().map(|exchange| exchange.query.helpful).collect();
        assert_eq!(ratings, [rating, None], "a rating is for who gave it");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_a_later_version_hides_no_other() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let later = ask(&world, &ada, "What is a list?").await;
    world.advance(1);
    ask(&world, &ada, "What is a tuple?").await;
    let id: Uuid = later.body["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let sql = r#"UPDATE queries SET answer = '{"version": 99}' WHERE id = $1"#;
    sqlx::query(sql).bind(id).execute(&mut world.database().await).await.expect("it is valid");
    let path = format!("/conversations/{}", later.body["conversation_id"].as_str().expect("an id"));
    let exchanges = world.get(&path, Some(&ada.token)).await.ok::<Conversation>().exchanges;
    let [unreadable, readable] = exchanges.as_slice() else { panic!("{exchanges:?}") };
    assert_eq!((unreadable.query.status, &unreadable.query.answer), (QueryStatus::Answered, &None));
    assert!(readable.query.answer.is_some(), "{readable:?}");
    let alone = world.get(&format!("/queries/{id}"), Some(&ada.token)).await;
    assert_eq!(alone.status, StatusCode::INTERNAL_SERVER_ERROR, "{:?}", alone.body);
    world.finish().await;
}

/// Erases a conversation, and waits until no trace of a word in it is left, while its question is in work.
async fn check_erased_in_work(question: Value, function: &'static str) {
    let mut world = World::new().await;
    let student = world.student("ada").await;
    world.stop().await;
    // The function holds the question back until the conversation is deleted.
    let faults = Faults::armed(function, FaultPoint::Received);
    world.start(faults.clone()).await;
    let asked = world.post_with("/query", &student.token, &question, [("prefer", "wait=0")]).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{:?}", asked.body);
    faults.reached().await;
    let id = asked.body["conversation_id"].as_str().expect("an id").to_owned();
    let deleted = world
        .send("api-gateway", |client, url| {
            let url = format!("{url}/api/v1/conversations/{id}");
            client.delete(url).bearer_auth(&student.token)
        })
        .await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    world.kill().await;
    world.start(Faults::default()).await;
    world.advance(11);
    // The next question comes after it in every topic.
    let next = ask(&world, &student, "What is a list?").await;
    assert_eq!(next.status, StatusCode::OK);
    let left = "SELECT (SELECT count(*) FROM events WHERE data::text LIKE '%swordfish%')
                     + (SELECT count(*) FROM drafts WHERE body::text LIKE '%swordfish%')
                     + (SELECT count(*) FROM queries WHERE question::text LIKE '%swordfish%')
                WHERE $1 IS NOT NULL";
    testing::eventually("no trace is left", async || {
        (world.count(left, Uuid::nil()).await == 0).then_some(())
    })
    .await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_that_is_deleted_while_its_question_is_in_progress_leaves_no_trace() {
    let question = json!({ "question": "What is a list? My secret is swordfish." });
    check_erased_in_work(question, "triage").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_that_is_deleted_while_its_program_runs_leaves_no_trace() {
    let question =
        json!({ "question": "why does it fail?", "code": "swordfish = 1\nprint(swordfsh)" });
    check_erased_in_work(question, "code-execution").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_emitted_for_a_deleted_question_is_kept_without_its_text_and_not_sent() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let (now, request) = (Clock::System.now(), Uuid::from_u128(7));
    storage::erasure::erase(&mut conn, &[request], now).await.expect("it is erased");
    let event = |number: u128, correlation_id: Uuid| StoredEvent {
        id: Uuid::from_u128(number).to_string().parse().expect("an id"),
        topic: "learning.responses".to_owned(),
        partition_key: "ada".to_owned(),
        event_type: "question.answered.v1".to_owned(),
        source: "learnflow/test".to_owned(),
        subject: None,
        correlation_id,
        causation_id: None,
        traceparent: None,
        data: json!({ "text": "swordfish" }).into(),
        occurred_at: now,
    };
    let events = [event(1, request), event(2, Uuid::from_u128(8))];
    let (writer, _) = storage::outbox::register(&mut conn, now).await.expect("it is registered");
    let inserted =
        storage::events::claim_and_insert(&mut conn, Claims::default(), &events, Some(writer), now)
            .await;
    let inserted = inserted.expect("they are stored").expect("the writer is alive");
    let sent: Vec<Uuid> =
        inserted.iter().filter(|event| event.is_sent).map(|event| event.id).collect();
    assert_eq!(sent, [Uuid::from_u128(2)], "the other question's is sent");
    let sql = "SELECT data::text, writer IS NULL FROM events ORDER BY sequence";
    let kept: Vec<(String, bool)> = sqlx::query_as(sql).fetch_all(&mut conn).await.expect("valid");
    let expected = [("{\"erased\": true}", true), ("{\"text\":\"swordfish\"}", false)];
    assert_eq!(kept, expected.map(|(data, is_done)| (data.to_owned(), is_done)));
    drop(conn);
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_with_characters_that_jsonb_cannot_represent_is_answered() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let body = json!({ "question": "why does it fail?", "code": "print('a\\0b')\nraise ValueError('c\\0d')" });
    let reply = world.post_with("/query", &student.token, &body, [("prefer", "wait=20")]).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    let id = reply.body["id"].as_str().expect("an id");
    world.answer(&student, id).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_student_rates_an_answer() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let reply = ask(&world, &ada, "What is a list?").await;
    let id = reply.body["id"].as_str().expect("an id");
    let rate = async |student: &Student, body: Value| {
        let token = student.token.clone();
        world
            .send("api-gateway", |client, url| {
                client
                    .put(format!("{url}/api/v1/queries/{id}/rating"))
                    .bearer_auth(token)
                    .json(&body)
            })
            .await
            .status
    };
    assert_eq!(rate(&bob, json!({ "helpful": false })).await, StatusCode::NOT_FOUND);
    assert_eq!(rate(&ada, json!({ "helpful": "yes" })).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(rate(&ada, json!({ "helpful": true })).await, StatusCode::NO_CONTENT);
    let activities = world.events_of_request(id, "activity.recorded.v1").await;
    assert_eq!(activities[0]["activity"]["type"], "answer_rated", "{activities:?}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_whose_run_is_lost_is_answered_all_the_same() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let body = json!({ "question": "why does it fail?", "code": "print(1 / 0)" });
    let lost = world.post_with("/query", &student.token, &body, [("prefer", "wait=0")]).await;
    let id = lost.body["id"].as_str().expect("an id").to_owned();
    world.answer(&student, &id).await;
    // As if its run had never ended.
    let sql = "WITH gone AS (UPDATE queries SET agent = NULL, answered_by = NULL, answer = NULL, answered_at = NULL
                             WHERE id = $1 RETURNING id, student_id)
               INSERT INTO drafts (id, query_id, student_id, agent, body, created_at, deadline_at)
               SELECT gen_random_uuid(), id, student_id, 'debug', '{}', 'epoch', 'epoch' FROM gone";
    let query: Uuid = id.parse().expect("a UUID");
    sqlx::query(sql).bind(query).execute(&mut world.database().await).await.expect("it is valid");
    // Lost ones are looked for twice a minute.
    world.advance(31);
    let answer = world.answer(&student, &id).await;
    let text = answer.answer.expect("an answer").content;
    assert!(text.contains("Please ask it again"), "{text}");
    world.finish().await;
}
