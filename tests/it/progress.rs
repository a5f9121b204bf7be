//! Progress: mastery, streaks, the next step, alerts about struggling students, and working it all out again.

use ids::UserId;
use progress_report::{ProgressHistory, ProgressReport};
use reqwest::{Method, StatusCode};
use runtime::{Clock, Store};
use serde_json::{Value, json};
use sqlx::Row;
use storage::event_log;
use testing::eventually;
use tests::{Reply, Student, World};
use uuid::Uuid;

/// An exercise of the course by its slug: its path, its topic and its solution.
fn exercise(slug: &str) -> (String, String, String) {
    let mut all = curriculum::bank(curriculum::embedded());
    let found = all.find(|entry| entry.exercise.slug == slug).expect(slug);
    let path = format!("/exercises/{}", found.id);
    (path, found.topic.slug.clone(), found.exercise.reference)
}

async fn hand_in(world: &World, student: &Student, path: &str, code: &str) {
    let path = format!("{path}/submissions");
    let body = json!({ "code": code });
    let reply = world.post_with(&path, &student.token, &body, [("prefer", "wait=20")]).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
}

/// Runs a program, and waits until progress has heard of it.
async fn run(world: &World, student: &Student, code: &str) {
    let body = json!({ "code": code });
    let reply =
        world.post_with("/executions", &student.token, &body, [("prefer", "wait=20")]).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    let id: Uuid = reply.body["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    eventually("the run is recorded", async || {
        let sql = "SELECT count(*) FROM activities WHERE source_id = $1";
        (world.count(sql, id).await == 1).then_some(())
    })
    .await;
    world.advance(5);
}

async fn progress(world: &World, student: &Student) -> ProgressReport {
    world.get(&format!("/progress/{}", student.id), Some(&student.token)).await.ok()
}

/// Reports an activity of another front end.
async fn report(world: &World, body: Value) -> Reply {
    let service = world.service_token();
    world
        .send("progress", |client, url| {
            client.request(Method::POST, format!("{url}/progress")).bearer_auth(service).json(&body)
        })
        .await
}

/// The alerts of a student: trigger, severity and status, oldest first.
async fn alerts(world: &World, student: &Student) -> Vec<(String, String, String)> {
    let sql =
        "SELECT trigger, severity, status FROM alerts WHERE student_id = $1 ORDER BY opened_at, id";
    let query = sqlx::query(sql).bind(student.id);
    let rows = query.fetch_all(&mut world.database().await).await.expect("the query is valid");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// The changes of alerts that teachers hear of, oldest first.
async fn told(world: &World, student: &Student) -> Vec<(String, String)> {
    let sql = "SELECT id, type, data::text FROM events
               WHERE type = 'struggle.detected.v1' AND partition_key = $1 ORDER BY sequence";
    let events = world.opened(sqlx::query(sql).bind(student.id.to_string())).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    events.iter().map(|event| (text(&event["trigger"]), text(&event["change"]))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_student_does_becomes_mastery_a_streak_and_a_next_step() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let before = progress(&world, &student).await;
    assert_eq!((before.overall.score, before.streak.current), (None, 0));
    assert_eq!(before.modules.len(), 8);
    assert_eq!(before.next[0].topic, "variables", "{:?}", before.next);
    let suggested = before.next[0].exercise.as_ref().expect("an exercise");
    let first = curriculum::bank(curriculum::embedded()).find(|entry| {
        entry.topic.slug == "variables" && entry.exercise.difficulty == before.next[0].difficulty
    });
    assert_eq!(suggested.title, first.expect("an exercise").exercise.title);

    let (path, topic, solution) = exercise("second-largest");
    hand_in(&world, &student, &path, "def second_largest(numbers):\n    return None\n").await;
    hand_in(&world, &student, &path, &solution).await;
    let after = eventually("the solution counts", async || {
        let report = progress(&world, &student).await;
        report.overall.score.filter(|score| *score > 50).map(|_| report)
    })
    .await;
    let found =
        after.modules.iter().flat_map(|module| &module.topics).find(|found| found.slug == topic);
    let found = found.expect("the topic");
    assert_eq!(found.components.exercises, Some(100), "the best attempt counts");
    assert_eq!((found.evidence, found.components.quizzes), (2, None));
    assert_eq!(found.components.consistency, Some(3), "one day of thirty");
    assert_eq!(found.standing.score, after.overall.score);
    assert_eq!((after.streak.current, after.streak.longest), (1, 1));

    world.advance(24 * 3_600);
    let body =
        json!({ "user_id": student.id, "type": "quiz_submitted", "topic": topic, "score": 50 });
    assert_eq!(report(&world, body).await.status, StatusCode::ACCEPTED);
    let student = world.log_in("ada@example.org", tests::PASSWORD).await;
    let later = eventually("the quiz counts", async || {
        let report = progress(&world, &student).await;
        (report.streak.current == 2).then_some(report)
    })
    .await;
    let found =
        later.modules.iter().flat_map(|module| &module.topics).find(|found| found.slug == topic);
    assert_eq!(found.expect("the topic").components.quizzes, Some(50));
    assert!(later.overall.score < after.overall.score, "{:?}", later.overall);

    let path = format!("/progress/{}/history?days=3", student.id);
    let history: ProgressHistory = world.get(&path, Some(&student.token)).await.ok();
    let graded: Vec<_> = history.days.iter().map(|day| day.graded).collect();
    assert_eq!(graded, [0, 2, 1]);
    assert_eq!(history.days[2].score, later.overall.score);
    let own = world.get("/progress/me", Some(&student.token)).await;
    assert_eq!(own.ok::<ProgressReport>().overall, later.overall);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_for_an_exercise_count_as_work_on_it() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let (path, topic, _) = exercise("second-largest");
    let id = path.trim_start_matches("/exercises/");
    let run_for = async |exercise: &str, code: String| {
        let path = format!("/executions?exercise_id={exercise}");
        let body = json!({ "code": code });
        world.post_with(&path, &ada.token, &body, [("prefer", "wait=20")]).await
    };
    for wrong in ["x", &Uuid::nil().to_string()] {
        let refused = run_for(wrong, "1".to_owned()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.body["errors"][0]["field"], "exercise_id");
    }
    for attempt in 0..5 {
        let reply = run_for(id, format!("1 / 0  # {attempt}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    }
    let found = eventually("teachers hear of it", async || {
        let sql = "SELECT exercise_id::text, topic_slug FROM alerts WHERE student_id = $1 AND trigger = 'failed_runs'";
        let query = sqlx::query_as::<_, (String, String)>(sql).bind(ada.id);
        query.fetch_optional(&mut world.database().await).await.expect("the query is valid")
    });
    assert_eq!(found.await, (id.to_owned(), topic));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_with_the_same_key_counts_once() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let service = world.service_token();
    let send = async |score: u8| {
        let body = json!({ "user_id": ada.id, "type": "quiz_submitted", "topic": "lists", "score": score });
        let sent = world.send("progress", |client, url| {
            let request = client.request(Method::POST, format!("{url}/progress"));
            request.bearer_auth(&service).header("idempotency-key", "quiz-7").json(&body)
        });
        sent.await
    };
    let first = send(50).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{:?}", first.body);
    let again = send(50).await;
    assert_eq!((again.status, &again.body), (StatusCode::ACCEPTED, &first.body));
    assert_eq!(send(60).await.status, StatusCode::UNPROCESSABLE_ENTITY, "it is another request");
    let sql =
        "SELECT count(*) FROM events WHERE type = 'activity.recorded.v1' AND correlation_id = $1";
    let id = first.body["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    assert_eq!(world.count(sql, id).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fifth_failed_run_in_a_row_raises_an_alert_which_resolves_itself() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let failing = ["print(a)", "1 + ''", "[][1]", "{}['x']", "int('x')"];
    for code in &failing[..4] {
        run(&world, &ada, code).await;
        run(&world, &bob, code).await;
    }
    run(&world, &bob, "print('it works')").await;
    run(&world, &bob, failing[4]).await;
    assert_eq!(alerts(&world, &ada).await, []);
    run(&world, &ada, failing[4]).await;
    let opened = |severity: &str, status: &str| {
        vec![("failed_runs".to_owned(), severity.to_owned(), status.to_owned())]
    };
    assert_eq!(alerts(&world, &ada).await, opened("low", "open"));
    assert_eq!(alerts(&world, &bob).await, [], "one run was fine in between");
    // A further failure is added to the alert and not repeated.
    run(&world, &ada, "1 / 0").await;
    let sql = "SELECT evidence, summary FROM alerts WHERE student_id = $1";
    let row = sqlx::query(sql).bind(ada.id).fetch_one(&mut world.database().await).await;
    let row = row.expect("an alert");
    let evidence: Value = row.get(0);
    assert_eq!(evidence.as_array().map(Vec::len), Some(6), "{evidence}");
    assert_eq!(row.get::<String, _>(1), "6 failed runs in a row.");
    assert_eq!(told(&world, &ada).await, [("failed_runs".to_owned(), "opened".to_owned())]);
    run(&world, &ada, "print('at last')").await;
    assert_eq!(alerts(&world, &ada).await, opened("low", "resolved"));
    assert_eq!(told(&world, &ada).await[1].1, "resolved");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_are_delivered_again_change_nothing() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        let body = json!({ "code": "print(a)" });
        let reply =
            world.post_with("/executions", &ada.token, &body, [("prefer", "wait=20")]).await;
        runs.push(reply.body["id"].as_str().expect("an id").to_owned());
        world.advance(5);
    }
    let opened = vec![("repeated_error".to_owned(), "low".to_owned(), "open".to_owned())];
    eventually("an alert", async || (alerts(&world, &ada).await == opened).then_some(())).await;
    let sql = "UPDATE inbox SET function = 'forgotten' WHERE function = 'progress'";
    sqlx::query(sql).execute(&mut world.database().await).await.expect("the query is valid");
    for run in runs.iter().rev() {
        world.redeliver(run, "progress.events").await;
    }
    // An activity that is new comes after them on the same partition.
    run(&world, &ada, "b = 1").await;
    let resolved = vec![("repeated_error".to_owned(), "low".to_owned(), "resolved".to_owned())];
    assert_eq!(alerts(&world, &ada).await, resolved);
    let changes: Vec<String> =
        told(&world, &ada).await.into_iter().map(|(_, change)| change).collect();
    assert_eq!(changes, ["opened", "resolved"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_to_be_stuck_gets_a_word_and_the_teacher_an_alert() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let reply = world.ask(&ada, "I don't understand this, I'm so lost. What is a list?", 20).await;
    let id = reply.body["id"].as_str().expect("an id").to_owned();
    eventually("an alert", async || (!alerts(&world, &ada).await.is_empty()).then_some(())).await;
    assert_eq!(told(&world, &ada).await, [("says_so".to_owned(), "opened".to_owned())]);
    let nudges = world.events_of_request(&id, "nudge.given.v1").await;
    assert_eq!(nudges.len(), 1, "{nudges:?}");
    let text = nudges[0]["text"].as_str().expect("a text");
    assert!(!text.to_lowercase().contains("struggl"), "{text}");
    world.ask(&ada, "I'm not stuck, I only want to know: what is a tuple?", 20).await;
    assert_eq!(alerts(&world, &ada).await.len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_that_is_worked_out_again_from_the_log_is_the_same() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let (path, topic, solution) = exercise("second-largest");
    hand_in(&world, &ada, &path, "def second_largest(numbers):\n    return 1\n").await;
    hand_in(&world, &ada, &path, &solution).await;
    let quiz =
        json!({ "user_id": ada.id, "type": "quiz_submitted", "topic": "loops", "score": 40 });
    assert_eq!(
        report(&world, quiz).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "no such topic"
    );
    let quiz = json!({ "user_id": ada.id, "type": "quiz_submitted", "topic": "sets", "score": 40 });
    report(&world, quiz).await;
    eventually("all of it counts", async || {
        let sql = "SELECT count(*) FROM activities WHERE student_id = $1 AND counts";
        (world.count(sql, ada.id).await == 3).then_some(())
    })
    .await;

    let again = async || {
        let mut conn = world.database().await;
        let page = event_log::page(&mut conn, 0, &progress::EVENT_TYPES).await.expect("a page");
        assert_eq!(page.next, None);
        let store = Store::open(world.database_url()).expect("a database");
        let events = store.keys().open_logged(page.events).await.expect("they can be opened");
        let own = events.iter().filter(|event| event.student == Some(UserId::from_uuid(ada.id)));
        let activities: Vec<_> = own.map(progress::activities_of).collect();
        let mut tx = store.begin("recompute").await.expect("a transaction");
        let done = progress::recompute(tx.conn(), UserId::from_uuid(ada.id), &activities)
            .await
            .expect("it is valid");
        let cause = ids::EventId::from_uuid(Clock::System.new_id());
        tx.commit(cause, runtime::Outgoing::none(), world.now()).await.expect("it is committed");
        store.close().await;
        done.expect("an account")
    };
    let first = again().await;
    assert_eq!(first.before, first.after);
    assert_eq!(first.after.len(), 2);
    // What is damaged is found and mended.
    let damage = "UPDATE progress SET score = 1 WHERE student_id = $1 AND topic_slug = $2";
    let query = sqlx::query(damage).bind(ada.id).bind(&topic);
    query.execute(&mut world.database().await).await.expect("the query is valid");
    let second = again().await;
    assert_eq!(second.different().collect::<Vec<_>>(), [topic.as_str()]);
    assert_eq!(second.after, first.after);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_are_those_of_the_students_time_zone() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let change = async |body: Value| {
        let token = ada.token.clone();
        world
            .send("api-gateway", |client, url| {
                client.patch(format!("{url}/api/v1/me")).bearer_auth(token).json(&body)
            })
            .await
    };
    let refused = change(json!({ "time_zone": "Middle/Earth" })).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.to_string().contains("time_zone"), "{}", refused.body);
    let changed =
        change(json!({ "time_zone": "Pacific/Kiritimati", "display_name": "Ada L." })).await;
    assert_eq!(changed.body["time_zone"], "Pacific/Kiritimati");
    assert_eq!(changed.body["display_name"], "Ada L.");
    // 14 hours ahead of UTC: two moments on one day in UTC that are two days there.
    let day = (world.now() - chrono::TimeDelta::days(2)).date_naive();
    for hour in [9, 11] {
        let at = day.and_hms_opt(hour, 0, 0).expect("a time").and_utc();
        let body = json!({ "user_id": ada.id, "type": "quiz_submitted", "topic": "lists", "score": 80,
                           "occurred_at": at });
        assert_eq!(report(&world, body).await.status, StatusCode::ACCEPTED);
    }
    let report = eventually("both count", async || {
        let report = progress(&world, &ada).await;
        let lists = report.modules.iter().flat_map(|module| &module.topics);
        let evidence: u32 = lists.map(|topic| topic.evidence).sum();
        (evidence == 2).then_some(report)
    })
    .await;
    assert_eq!(report.streak.longest, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_refused_with_the_field() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let good =
        json!({ "user_id": ada.id, "type": "quiz_submitted", "topic": "lists", "score": 80 });
    for (field, value) in [
        ("score", json!(101)),
        ("topic", json!("cooking")),
        ("user_id", json!(Uuid::nil())),
        ("occurred_at", json!("2999-01-01T00:00:00Z")),
        ("occurred_at", json!("1999-01-01T00:00:00Z")),
        ("type", json!("slept")),
        ("mood", json!("fine")),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let reply = report(&world, bad).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", reply.body);
        assert!(reply.body.to_string().contains(field), "{field}: {}", reply.body);
    }
    for days in ["0", "367", "x"] {
        let path = format!("/progress/me/history?days={days}");
        let reply = world.get(&path, Some(&ada.token)).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{days}");
    }
    world.finish().await;
}
