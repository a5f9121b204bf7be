//! Reports on bad answers: made by who asked, read by their teachers.

use api_gateway::responses::{AnswerReport, ReportPage};
use domain::answer_report::ReportReason;
use reqwest::StatusCode;
use runtime::web::Problem;
use serde_json::{Value, json};
use tests::{Reply, Student, World};
use uuid::Uuid;

async fn report(world: &World, student: &Student, query: &str, body: Value) -> Reply {
    world.post(&format!("/queries/{query}/report"), Some(&student.token), &body).await
}

async fn reports(world: &World, reader: &Student) -> Vec<AnswerReport> {
    world.get("/reports", Some(&reader.token)).await.ok::<ReportPage>().items
}

async fn asked(world: &World, student: &Student) -> String {
    let reply = world.ask(student, "What is a list?", 20).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    reply.body["id"].as_str().expect("an id").to_owned()
}

/// Puts a student into a class of a teacher.
async fn enroll(world: &World, teacher: &Student, student: &Student) -> Uuid {
    let class = world.clock().new_id();
    let mut conn = world.database().await;
    for sql in [
        "INSERT INTO classes (id, name, invite_code, created_at)
         SELECT $1, 'x', $1::text, 'epoch' WHERE $2::uuid IS NOT NULL AND $3::uuid IS NOT NULL",
        "INSERT INTO class_teachers (class_id, teacher_id, added_at)
         SELECT $1, $2, 'epoch' WHERE $3::uuid IS NOT NULL",
        "INSERT INTO enrollments (class_id, student_id, joined_at)
         SELECT $1, $3, 'epoch' WHERE $2::uuid IS NOT NULL",
    ] {
        let row = sqlx::query(sql).bind(class).bind(teacher.id).bind(student.id);
        row.execute(&mut conn).await.expect("it is valid");
    }
    class
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_seen_by_the_students_teachers_and_administrators_alone() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let teacher = world.log_in("teacher@example.org", "learnflow-teacher").await;
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    let (query, other) = (asked(&world, &ada).await, asked(&world, &bob).await);
    let sent = json!({ "reason": "wrong", "comment": "Lists can change." });
    assert_eq!(report(&world, &ada, &query, sent).await.status, StatusCode::NO_CONTENT);
    let sent = json!({ "reason": "unclear" });
    assert_eq!(report(&world, &bob, &other, sent).await.status, StatusCode::NO_CONTENT);
    assert_eq!(reports(&world, &teacher).await, [], "neither is in a class of the teacher");
    let class = enroll(&world, &teacher, &ada).await;
    enroll(&world, &teacher, &ada).await;
    let seen = reports(&world, &teacher).await;
    let [one] = &seen[..] else { panic!("once, and of ada alone: {seen:?}") };
    assert_eq!((one.student.id.as_uuid(), one.student.display_name.as_str()), (ada.id, "ada"));
    assert_eq!(
        (one.reason, one.comment.as_deref()),
        (ReportReason::Wrong, Some("Lists can change."))
    );
    assert_eq!(one.question, "What is a list?");
    assert!(one.content.as_ref().is_some_and(|text| text.contains("list")), "{one:?}");
    assert_eq!(reports(&world, &admin).await.len(), 2);
    let refused = world.get("/reports", Some(&ada.token)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    // A later report replaces the earlier one.
    world.advance(5);
    let sent = json!({ "reason": "gave_solution" });
    assert_eq!(report(&world, &ada, &query, sent).await.status, StatusCode::NO_CONTENT);
    let changed = &reports(&world, &teacher).await[0];
    assert_eq!((changed.reason, &changed.comment), (ReportReason::GaveSolution, &None));
    assert_eq!(reports(&world, &admin).await[0], *changed, "the newest first");
    let archive = sqlx::query("UPDATE classes SET archived_at = 'epoch' WHERE id <> $1");
    let archived = archive.bind(class).execute(&mut world.database().await).await;
    archived.expect("it is valid");
    assert_eq!(reports(&world, &teacher).await.len(), 1, "one class is not archived");
    let archive = sqlx::query("UPDATE classes SET archived_at = 'epoch'");
    archive.execute(&mut world.database().await).await.expect("it is valid");
    assert_eq!(reports(&world, &teacher).await, []);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_ones_own_answers_can_be_reported_and_reports_go_with_them() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    let query = asked(&world, &ada).await;
    let sent = json!({ "reason": "other" });
    assert_eq!(report(&world, &bob, &query, sent.clone()).await.status, StatusCode::NOT_FOUND);
    assert_eq!(report(&world, &admin, &query, sent.clone()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(report(&world, &ada, "none", sent.clone()).await.status, StatusCode::NOT_FOUND);
    for bad in [
        json!({ "reason": "boring" }),
        json!({ "reason": "other", "comment": "" }),
        json!({ "reason": "other", "comment": "x".repeat(1_001) }),
        json!({ "comment": "x" }),
    ] {
        let refused = report(&world, &ada, &query, bad.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    assert_eq!(report(&world, &ada, &query, sent.clone()).await.status, StatusCode::NO_CONTENT);
    let id: Uuid = query.parse().expect("a UUID");
    let unanswer =
        "UPDATE queries SET agent = NULL, answered_by = NULL, answer = NULL, answered_at = NULL
                    WHERE id = $1";
    sqlx::query(unanswer).bind(id).execute(&mut world.database().await).await.expect("it is valid");
    let early: Problem = report(&world, &ada, &query, sent).await.expect(StatusCode::CONFLICT);
    assert_eq!(early.code(), "not_answered");
    let conversation = &world.get("/conversations", Some(&ada.token)).await.body[0]["id"];
    let path = format!("/api/v1/conversations/{}", conversation.as_str().expect("an id"));
    let deleted = world
        .send("api-gateway", |client, url| {
            client.delete(format!("{url}{path}")).bearer_auth(&ada.token)
        })
        .await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(reports(&world, &admin).await, []);
    world.finish().await;
}
