//! Teachers are told about struggling students: once, where and when they want it, and nothing is lost on the way.

mod channels;
mod crashes;
mod webhooks;

use api_gateway::responses::{
    DeliveryPage, DeliveryStatus, ListedNotification, LoggedDelivery, NotificationPage,
    SubscriptionMade,
};
use domain::struggle::Severity;
use events::struggle_detected::AlertChange;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use testing::{HttpTarget, TargetAnswer, TargetRequest, bench::publish, eventually};
use tests::{PASSWORD, Reply, Setup, Student, World, put_alert};
use uuid::Uuid;

/// Lets webhooks reach this machine.
const LOOPBACK: (&str, &str) = ("WEBHOOK_NETWORKS", "127.0.0.0/8");

async fn world(settings: &[(&'static str, &str)]) -> World {
    let mut all = vec![
        (LOOPBACK.0, LOOPBACK.1.to_owned()),
        // Its minute never ends, since the clock stands still.
        ("RATE_LIMIT_ADDRESS", "1000000".to_owned()),
    ];
    all.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
    World::with(Setup { settings: all, ..Setup::default() }).await
}

/// A class with a teacher and a student.
struct Class {
    teacher: Student,
    student: Student,
    id: Uuid,
}

async fn class(world: &World, name: &str) -> Class {
    let teacher = world.student(&format!("{name}-teacher")).await;
    let student = world.student(&format!("{name}-student")).await;
    let id = world.clock().new_id();
    let mut conn = world.database().await;
    let made = sqlx::query(
        "WITH class AS (INSERT INTO classes (id, name, invite_code, created_at)
                        VALUES ($1, $4, $4, now()) RETURNING id),
              teacher AS (INSERT INTO class_teachers (class_id, teacher_id, added_at)
                          SELECT id, $2, now() FROM class)
         INSERT INTO enrollments (class_id, student_id, joined_at) SELECT id, $3, now() FROM class",
    );
    let made = made.bind(id).bind(teacher.id).bind(student.id).bind(name);
    made.execute(&mut conn).await.expect("the class is made");
    Class { teacher, student, id }
}

/// The teacher, after an hour in which their token has expired.
async fn logged_in_again(world: &World, name: &str) -> Student {
    world.log_in(&format!("{name}-teacher@example.org"), PASSWORD).await
}

/// An alert that progress has opened, changed or resolved. Returns the event's id.
async fn alert(world: &World, class: &Class, alert: Uuid, change: &str, severity: &str) -> Uuid {
    let id = world.clock().new_id();
    send_alert(world, class, id, alert, change, severity).await;
    id
}

async fn send_alert(
    world: &World,
    class: &Class,
    id: Uuid,
    alert: Uuid,
    change: &str,
    severity: &str,
) {
    let student = class.student.id;
    let event = json!({
        "specversion": "1.0", "id": id, "source": "learnflow/progress", "type": "struggle.detected.v1",
        "subject": student, "time": "2026-01-01T00:00:00Z", "correlationid": id,
        "datacontenttype": "application/json",
        "data": { "alert_id": alert, "student_id": student, "request_id": id, "topic": "lists",
                  "trigger": "failed_runs", "severity": severity, "change": change,
                  "summary": "Five failed runs in a row.", "evidence": [] }
    });
    let key = student.to_string();
    publish(world.kafka(), "struggle.detected", &key, Some(event.to_string().as_bytes())).await;
}

async fn handled(world: &World, event: Uuid) {
    eventually("the event is handled", async || {
        let sql = "SELECT count(*) FROM inbox WHERE function = 'notification' AND event_id = $1";
        (world.count(sql, event).await == 1).then_some(())
    })
    .await;
}

async fn subscribe(world: &World, person: &Student, body: Value) -> SubscriptionMade {
    let reply = world.post("/notifications/subscriptions", Some(&person.token), &body).await;
    reply.expect(StatusCode::CREATED)
}

async fn webhook(world: &World, person: &Student, url: String) -> SubscriptionMade {
    subscribe(world, person, json!({ "channel": "webhook", "target": url })).await
}

async fn inbox(world: &World, person: &Student, query: &str) -> Vec<ListedNotification> {
    let reply = world.get(&format!("/notifications{query}"), Some(&person.token)).await;
    reply.ok::<NotificationPage>().items
}

async fn log(world: &World, person: &Student, made: &SubscriptionMade) -> Vec<LoggedDelivery> {
    let path = format!("/notifications/subscriptions/{}/deliveries", made.subscription.id);
    world.get(&path, Some(&person.token)).await.ok::<DeliveryPage>().items
}

async fn logged(
    world: &World,
    person: &Student,
    made: &SubscriptionMade,
    what: &str,
    is: impl Fn(&LoggedDelivery) -> bool,
) -> LoggedDelivery {
    eventually(what, async || log(world, person, made).await.into_iter().find(|one| is(one))).await
}

async fn received(target: &HttpTarget, count: usize) -> Vec<TargetRequest> {
    eventually("the target is called", async || {
        Some(target.requests()).filter(|requests| requests.len() >= count)
    })
    .await
}

async fn act(world: &World, person: &Student, path: &str) -> Reply {
    world.post(path, Some(&person.token), &json!({})).await
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).expect("a header")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_teacher_is_told_once_and_again_only_when_it_gets_urgent_or_is_over() {
    let world = world(&[]).await;
    let (here, elsewhere) = (class(&world, "a").await, class(&world, "b").await);
    let id = world.clock().new_id();
    let opened = alert(&world, &here, id, "opened", "low").await;
    handled(&world, opened).await;
    // The same event again, and more evidence for the same.
    send_alert(&world, &here, opened, id, "opened", "low").await;
    let again = alert(&world, &here, id, "updated", "low").await;
    handled(&world, again).await;
    let first = inbox(&world, &here.teacher, "?unread=true").await.remove(0);
    assert_eq!(first.notification.title, "Needs help with Lists");
    assert_eq!(first.student_name.as_deref(), Some("a-student"));
    let path = format!("/notifications/{}/read", first.notification.id);
    assert_eq!(act(&world, &here.teacher, &path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(inbox(&world, &here.teacher, "?unread=true").await, []);
    let raised = alert(&world, &here, id, "updated", "high").await;
    handled(&world, raised).await;
    let now = inbox(&world, &here.teacher, "?unread=true").await.remove(0);
    assert_eq!(
        (now.notification.id, now.notification.severity),
        (first.notification.id, Severity::High)
    );
    let over = alert(&world, &here, id, "resolved", "high").await;
    handled(&world, over).await;
    let late = alert(&world, &here, id, "updated", "high").await;
    handled(&world, late).await;
    let all = inbox(&world, &here.teacher, "").await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].notification.change, Some(AlertChange::Resolved));
    assert_eq!(inbox(&world, &elsewhere.teacher, "").await, []);
    assert_eq!(inbox(&world, &here.student, "").await, []);
    let sql = "SELECT count(*) FROM events WHERE type = 'notification.made.v1' AND partition_key = $1::text";
    assert_eq!(world.count(sql, here.teacher.id).await, 3, "opened, raised, over");
    let read = act(&world, &here.teacher, "/notifications/read").await;
    assert_eq!(read.status, StatusCode::NO_CONTENT);
    assert_eq!(inbox(&world, &here.teacher, "?unread=true").await, []);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inbox_has_pages() {
    let world = world(&[]).await;
    let here = class(&world, "a").await;
    for _ in 0..60 {
        let alert_id = world.clock().new_id();
        let event = alert(&world, &here, alert_id, "opened", "low").await;
        handled(&world, event).await;
    }
    let path = "/notifications";
    let first = world.get(path, Some(&here.teacher.token)).await.ok::<NotificationPage>();
    let cursor = first.next_cursor.expect("there is more");
    let path = format!("{path}?cursor={cursor}");
    let second = world.get(&path, Some(&here.teacher.token)).await.ok::<NotificationPage>();
    assert_eq!((first.items.len(), second.items.len(), second.next_cursor), (50, 10, None));
    let mut ids: Vec<_> =
        first.items.iter().chain(&second.items).map(|one| one.notification.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 60);
    let wrong = world.get("/notifications?cursor=x", Some(&here.teacher.token)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quiet_hours_hold_back_what_is_sent_but_not_what_is_shown() {
    let target = HttpTarget::playing([], TargetAnswer::Status(200)).await;
    let world = world(&[]).await;
    let here = class(&world, "a").await;
    let made = webhook(&world, &here.teacher, target.url("/")).await;
    let local = |minutes: i64| {
        let at = world.now() + chrono::TimeDelta::minutes(minutes);
        at.format("%H:%M").to_string()
    };
    let settings = json!({
        "time_zone": "UTC", "digest_at": "07:00",
        "quiet_hours": { "from": local(-60), "to": local(30) }
    });
    let put = world.send("api-gateway", |client, url| {
        let request = client.put(format!("{url}/api/v1/notifications/settings"));
        request.bearer_auth(&here.teacher.token).json(&settings)
    });
    assert_eq!(put.await.status, StatusCode::OK);
    let read = world.get("/notifications/settings", Some(&here.teacher.token)).await;
    assert_eq!(read.body, settings);
    let event = alert(&world, &here, world.clock().new_id(), "opened", "high").await;
    handled(&world, event).await;
    assert_eq!(inbox(&world, &here.teacher, "").await.len(), 1);
    let held = log(&world, &here.teacher, &made).await.remove(0);
    assert_eq!((held.status, held.attempts), (DeliveryStatus::Waiting, 0));
    assert!(target.requests().is_empty());
    world.advance(31 * 60);
    received(&target, 1).await;
    logged(&world, &here.teacher, &made, "it is sent", |one| {
        one.status == DeliveryStatus::Delivered
    })
    .await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_passes_a_filter_is_told_and_a_day_is_summed_up() {
    let mut world = world(&[]).await;
    let here = class(&world, "a").await;
    let filter = json!({ "classes": [here.id], "min_severity": "high" });
    let in_app = json!({ "channel": "in_app", "filter": filter });
    subscribe(&world, &here.teacher, in_app).await;
    subscribe(&world, &here.teacher, json!({ "channel": "digest" })).await;
    for severity in ["low", "high"] {
        let alert_id = world.clock().new_id();
        let event = alert(&world, &here, alert_id, "opened", severity).await;
        handled(&world, event).await;
    }
    let shown = inbox(&world, &here.teacher, "").await;
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0].notification.severity, Severity::High);
    // Days are summed up when a process starts, and then each minute.
    world.stop().await;
    world.advance(25 * 60 * 60);
    world.start(Default::default()).await;
    let teacher = logged_in_again(&world, "a").await;
    let digest = eventually("the day is summed up", async || {
        let all = inbox(&world, &teacher, "").await;
        all.into_iter().find(|one| one.notification.alert_id.is_none())
    })
    .await;
    assert_eq!(digest.notification.title, "Your day: 2 open alerts");
    let expected = "2 alerts of 1 student; 0 alerts are over.\n\
                    - Needs help with Lists (high): 1 student\n\
                    - Needs help with Lists (low): 1 student";
    assert_eq!(digest.notification.text, expected);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_difficulty_of_many_students_is_told_once() {
    let target = HttpTarget::playing([], TargetAnswer::Status(200)).await;
    let world = world(&[]).await;
    let here = class(&world, "a").await;
    webhook(&world, &here.teacher, target.url("/hook")).await;
    let titles = async || {
        let shown = inbox(&world, &here.teacher, "").await;
        let mut titles: Vec<_> = shown.into_iter().map(|one| one.notification.title).collect();
        titles.sort();
        titles
    };
    for number in 1..=6 {
        let student = world.student(&format!("student-{number}")).await;
        let enrol =
            "INSERT INTO enrollments (class_id, student_id, joined_at) VALUES ($1, $2, now())";
        let enrol = sqlx::query(enrol).bind(here.id).bind(student.id);
        enrol.execute(&mut world.database().await).await.expect("they are enrolled");
        let alert_id = put_alert(&world, &student, "lists", "failed_runs").await;
        let one = Class { teacher: here.teacher.clone(), student, id: here.id };
        let severity = if number == 6 { "high" } else { "low" };
        let event = alert(&world, &one, alert_id, "opened", severity).await;
        handled(&world, event).await;
        if number == 5 {
            // The end of what was not told by itself is not told either.
            let event = alert(&world, &one, alert_id, "resolved", severity).await;
            handled(&world, event).await;
        }
    }
    let alone = "Needs help with Lists";
    let together = "5 students of a need help with Lists";
    assert_eq!(titles().await, [together, alone, alone, alone, alone]);
    received(&target, 5).await;
    let sent = target.requests().into_iter().filter(|sent| sent.body.contains("students of a"));
    assert_eq!(sent.count(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_parts_of_the_system_can_subscribe_people_and_tell_them_something() {
    let world = World::new().await;
    let here = class(&world, "a").await;
    let post = async |path: &str, body: Value| {
        let sent = world.send("notification", |client, url| {
            client.post(format!("{url}/notifications/{path}")).json(&body)
        });
        sent.await
    };
    let teacher = here.teacher.id;
    let target = "https://example.org/hook";
    let made =
        post("subscribe", json!({ "user_id": teacher, "channel": "webhook", "target": target }))
            .await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert!(made.body["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
    for wrong in [
        json!({ "user_id": teacher, "channel": "webhook", "target": "https://10.0.0.1/" }),
        json!({ "user_id": teacher, "channel": "webhook", "target": "http://example.org/" }),
        json!({ "user_id": teacher, "channel": "in_app", "target": target }),
        json!({ "user_id": teacher, "channel": "pigeon" }),
        json!({ "user_id": Uuid::nil(), "channel": "in_app" }),
        json!({ "user_id": teacher, "channel": "in_app", "colour": "red" }),
    ] {
        let refused = post("subscribe", wrong.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let alert =
        json!({ "title": "The exam is tomorrow", "text": "At nine.", "severity": "medium" });
    let path = format!("/notifications/subscriptions/{}", made.body["id"].as_str().expect("an id"));
    let ended = world.send("api-gateway", |client, url| {
        client.delete(format!("{url}/api/v1{path}")).bearer_auth(&here.teacher.token)
    });
    assert_eq!(ended.await.status, StatusCode::NO_CONTENT);
    for to in [json!({ "user_id": here.student.id }), json!({ "class_id": here.id })] {
        let mut body = to;
        body["alert"] = alert.clone();
        let told = post("publish", body).await;
        assert_eq!(told.status, StatusCode::ACCEPTED, "{:?}", told.body);
        assert!(told.body["id"].is_string());
    }
    for person in [&here.student, &here.teacher] {
        let all = inbox(&world, person, "").await;
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].notification.title, "The exam is tomorrow");
    }
    for wrong in [json!({}), json!({ "class_id": Uuid::nil() }), json!({ "user_id": Uuid::nil() })]
    {
        let mut body = wrong;
        body["alert"] = alert.clone();
        assert_eq!(post("publish", body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    world.finish().await;
}
