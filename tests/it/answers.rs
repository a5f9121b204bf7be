//! Answers are stored by the function that gives them, and given even if another version began the work.

use domain::agent::Author;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testing::{bench::publish, eventually};
use tests::{Reply, Student, World};
use uuid::Uuid;

async fn ask(world: &World, student: &Student, body: Value) -> Reply {
    let reply = world.post_with("/query", &student.token, &body, [("prefer", "wait=20")]).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    reply
}

fn id(reply: &Reply) -> Uuid {
    reply.body["id"].as_str().expect("an id").parse().expect("a UUID")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_response_equals_the_stored_result() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let received = ask(&world, &student, json!({ "question": "What is a list?" })).await;
    let stored = world.get(&format!("/queries/{}", id(&received)), Some(&student.token)).await;
    assert_eq!(stored.body, received.body);
    let run = world.post("/executions", Some(&student.token), &json!({ "code": "print(1)" })).await;
    let stored = world.get(&format!("/executions/{}", id(&run)), Some(&student.token)).await;
    // Only what is asked for by its id has the program.
    let mut expected = run.body.clone();
    expected["code"] = json!("print(1)");
    assert_eq!((&stored.body, &stored.body["stdout"]), (&expected, &json!("1\n")));
    world.finish().await;
}

/// Makes an answered question look as if its agent still waited for a run, with a draft that another version of it has
/// stored; then the run ends.
async fn wake(world: &World, student: &Student, query: Uuid, fallback: &Value) {
    let run = world.clock().new_id();
    let draft = json!({ "version": 99, "query_id": query, "student_id": student.id, "agent": "debug",
        "fallback": fallback, "shares": null, "state": { "nobody": "knows" } });
    let sql = "WITH unanswered AS (
                   UPDATE queries SET agent = NULL, answered_by = NULL, answer = NULL, answered_at = NULL
                   WHERE id = $1 RETURNING id, student_id)
               INSERT INTO drafts (id, query_id, student_id, agent, body, created_at, deadline_at)
               SELECT $2, id, student_id, 'debug', $3::text::json, now(), now() + interval '1 day' FROM unanswered";
    let mut conn = world.database().await;
    let query_result = sqlx::query(sql).bind(query).bind(run).bind(draft.to_string());
    query_result.execute(&mut conn).await.expect("it is valid");
    let result = json!({ "verdict": "ok", "exit_code": 0, "stdout": "", "stderr": "", "transcript": [],
        "truncated": false, "duration_ms": 1, "cpu_ms": 1, "memory_bytes": 1, "python": "3.14" });
    let finished = json!({ "specversion": "1.0", "id": world.clock().new_id(), "source": "learnflow/code-execution",
        "type": "execution.finished.v1", "subject": student.id,
        "correlationid": query, "partitionkey": student.id,
        "data": { "execution_id": run, "student_id": student.id, "request_id": query, "requester": "debug",
                  "result": result } });
    let key = student.id.to_string();
    publish(world.kafka(), "code.results", &key, Some(finished.to_string().as_bytes())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_of_another_version_is_answered_with_its_fallback() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let query = id(&ask(&world, &student, json!({ "question": "What is a list?" })).await);
    let fallback = json!({ "answered_by": "offline", "answer": { "content": "at least this" },
        "routing": { "agent": "debug", "confidence": 1.0, "reasons": [] } });
    wake(&world, &student, query, &fallback).await;
    let answered = world.answer(&student, query).await;
    assert_eq!(answered.agent, Some(Author::Debug));
    assert_eq!(answered.answer.expect("an answer").content, "at least this");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_of_the_last_version_are_stored_by_the_migration() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let received = ask(&world, &student, json!({ "question": "What is a list?" })).await;
    let run = world.post("/executions", Some(&student.token), &json!({ "code": "1 / 0" })).await;
    let mut conn = world.database().await;
    // That version did not seal what it stored.
    for (request, event_type) in
        [(id(&received), "question.answered.v1"), (id(&run), "execution.finished.v1")]
    {
        let data = world.events_of_request(&request.to_string(), event_type).await.remove(0);
        let unseal = "UPDATE events SET data = $3 WHERE correlation_id = $1 AND type = $2";
        let unseal = sqlx::query(unseal).bind(request).bind(event_type).bind(data);
        unseal.execute(&mut conn).await.expect("it is valid");
    }
    for sql in [
        "UPDATE queries SET agent = NULL, answered_by = NULL, answer = NULL, answered_at = NULL",
        "UPDATE executions SET verdict = NULL, error_type = NULL, result = NULL, duration_ms = NULL, finished_at = NULL",
        include_str!("../../migrations/0016_results_by_who_gives_them.sql"),
    ] {
        sqlx::raw_sql(sql).execute(&mut conn).await.expect("it is valid");
    }
    let stored = world.get(&format!("/queries/{}", id(&received)), Some(&student.token)).await;
    assert_eq!(stored.body, received.body);
    let stored = world.get(&format!("/executions/{}", id(&run)), Some(&student.token)).await;
    let mut expected = run.body.clone();
    expected["code"] = json!("1 / 0");
    assert_eq!(stored.body, expected);
    let sql = "SELECT count(*) FROM executions WHERE error_type = 'ZeroDivisionError' AND id = $1";
    assert_eq!(world.count(sql, id(&run)).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_cannot_be_continued_is_reported_as_failed() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let query = id(&ask(&world, &student, json!({ "question": "What is a list?" })).await);
    wake(&world, &student, query, &Value::Null).await;
    let path = format!("/queries/{query}");
    let conversation = eventually("it is said that it failed", async || {
        let reply = world.get(&path, Some(&student.token)).await;
        (reply.body["status"] == "failed").then_some(reply.body["conversation_id"].clone())
    })
    .await;
    let conversation = conversation.as_str().expect("an id");
    let path = format!("/conversations/{conversation}");
    let shown = world.get(&path, Some(&student.token)).await.body;
    assert_eq!(shown["exchanges"][0]["status"], "failed", "{shown}");
    world.finish_with_dead_letters("debug", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_is_explained_by_the_values_of_a_real_run() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let code = "total = 0\nfor n in range(4):\n    total += n * 2\nprint(total)\n";
    let reply =
        ask(&world, &student, json!({ "question": "explain this code", "code": code })).await;
    let content = reply.body["answer"]["content"].as_str().expect("a text");
    for part in [
        "`n` is `0`, `1`, `2`, `3`",
        "`total` is then `0`, `2`, `6`, `12`",
        "In the run it prints `12`",
    ] {
        assert!(content.contains(part), "{part}\n\n{content}");
    }
    assert_eq!(reply.body["agent"], "concepts");
    // The next question means the same program.
    let reply = ask(&world, &student, json!({ "question": "and what does line 3 do?" })).await;
    let content = reply.body["answer"]["content"].as_str().expect("a text");
    assert!(content.contains("**Line 3** `total += n * 2` adds `n * 2` to `total`"), "{content}");
    // To look into a program is no run of its student.
    let sql = "SELECT count(*) FROM events WHERE topic = 'progress.events' AND subject = $1
               AND data::text LIKE '%code_run%'";
    assert_eq!(world.count(sql, student.id).await, 0);
    world.finish().await;
}
