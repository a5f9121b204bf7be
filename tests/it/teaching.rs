//! What teachers see of their classes: scores, struggling students, common errors, timelines, alerts, assignments.

use api_gateway::responses::{
    AssignmentDetail, AssignmentPage, ClassAlert, ClassAlertPage, ClassError, ClassOverview,
    HeatMap, OwnAssignmentPage, StateCounts, TimelineEntry, TimelinePage,
};
use chrono::{DateTime, Utc};
use domain::{alert_status::AlertStatus, assignment::AssignmentState, struggle::Trigger};
use reqwest::StatusCode;
use runtime::web::Problem;
use serde_json::{Value, json};
use tests::{Reply, Student, World, put_alert};
use uuid::Uuid;

async fn get(world: &World, person: &Student, path: &str) -> Reply {
    world.get(path, Some(&person.token)).await
}

async fn post(world: &World, person: &Student, path: &str) -> Reply {
    world.post(path, Some(&person.token), &json!({})).await
}

async fn put_score(world: &World, student: &Student, topic: &str, score: i16) {
    let sql = "INSERT INTO progress (student_id, topic_slug, score, evidence, updated_at) VALUES ($1, $2, $3, 1, now())";
    let mut conn = world.database().await;
    let insert = sqlx::query(sql).bind(student.id).bind(topic).bind(score);
    insert.execute(&mut conn).await.expect("it is valid");
}

/// Puts a graded solution into the database: what the exercise agent would have stored.
async fn put_solution(world: &World, student: &Student, exercise: Uuid, passed: bool) {
    let sql = "INSERT INTO submissions (id, student_id, exercise_id, code, score, passed, submitted_at, graded_at)
               VALUES ($1, $2, $3, 'x = 1', $4, $5, $6, $6)";
    let score: i16 = if passed { 100 } else { 0 };
    let mut conn = world.database().await;
    let insert = sqlx::query(sql).bind(world.clock().new_id()).bind(student.id).bind(exercise);
    let insert = insert.bind(score).bind(passed).bind(world.now()).execute(&mut conn);
    insert.await.expect("it is valid");
}

/// Ids of exercises of the course in a topic.
fn exercises_of(topic: &str) -> Vec<Uuid> {
    let bank = curriculum::bank(curriculum::embedded());
    bank.filter(|entry| entry.topic.slug == topic).map(|entry| entry.id.as_uuid()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_overview_and_a_heat_map_show_scores_and_who_struggles_and_why() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    let [ada, bob, eve] =
        [world.student("ada").await, world.student("bob").await, world.student("eve").await];
    let class = world.class(&tom, &[&bob, &ada, &eve]).await;
    for (student, topic, score) in
        [(&ada, "lists", 90), (&ada, "variables", 71), (&bob, "lists", 30)]
    {
        put_score(&world, student, topic, score).await;
    }
    put_alert(&world, &bob, "lists", "low_quiz").await;
    let urgent = put_alert(&world, &ada, "lists", "says_so").await;
    let severe = sqlx::query("UPDATE alerts SET severity = 'high' WHERE id = $1").bind(urgent);
    severe.execute(&mut world.database().await).await.expect("it is valid");
    world.advance(60);
    put_alert(&world, &bob, "variables", "says_so").await;
    // Of another class, and one that is over.
    let other = world.student("zoe").await;
    world.class(&world.teacher("tess").await, &[&other]).await;
    put_alert(&world, &other, "lists", "low_quiz").await;
    let over = put_alert(&world, &eve, "lists", "low_quiz").await;
    let resolved = post(&world, &tom, &format!("/alerts/{over}/resolve")).await;
    assert_eq!(resolved.status, StatusCode::OK);

    let overview: ClassOverview =
        get(&world, &tom, &format!("/classes/{class}/overview")).await.ok();
    assert_eq!(overview.class.students, 3);
    // Ada has 81 (80.5), Bob 30.
    assert_eq!(overview.mastery, Some(56));
    let levels: Vec<usize> = overview.levels.iter().map(|level| level.students).collect();
    assert_eq!(levels, [1, 0, 1, 0]);
    let topics: Vec<_> =
        overview.topics.iter().map(|one| (one.topic.as_str(), one.mastery, one.students)).collect();
    assert_eq!(topics, [("variables", 71, 1), ("lists", 60, 2)], "in the order of the course");
    let struggling: Vec<_> =
        overview.struggling.iter().map(|one| (one.name.as_str(), one.alerts.len())).collect();
    assert_eq!(struggling, [("ada", 1), ("bob", 2)], "the most urgent first");
    let why = &overview.struggling[0].alerts[0];
    assert_eq!((why.trigger, why.topic.as_deref()), (Trigger::SaysSo, Some("lists")));
    assert_eq!(why.evidence[0].text, "the quiz on lists was at 40 percent");

    let map: HeatMap = get(&world, &tom, &format!("/classes/{class}/heatmap")).await.ok();
    assert_eq!(map.topics.len(), 31);
    let lists = map.topics.iter().position(|topic| topic.slug == "lists").expect("a column");
    let rows: Vec<_> = map
        .students
        .iter()
        .map(|row| (row.name.as_str(), row.mastery, row.scores[lists]))
        .collect();
    assert_eq!(
        rows,
        [("ada", Some(81), Some(90)), ("bob", Some(30), Some(30)), ("eve", None, None)]
    );
    assert!(map.students.iter().all(|row| row.scores.len() == 31));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn common_errors_come_with_real_programs_and_without_names() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    let [ada, bob, eve, kim] = [
        world.student("ada").await,
        world.student("bob").await,
        world.student("eve").await,
        world.student("kim").await,
    ];
    let class = world.class(&tom, &[&ada, &bob, &kim]).await;
    let run = async |student: &Student, code: &str| {
        let body = json!({ "code": code });
        let reply =
            world.post_with("/executions", &student.token, &body, [("prefer", "wait=20")]).await;
        assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    };
    run(&ada, "# Ada, ada@example.org\nnumbers = [1]\nprint(numbers[1])\n").await;
    world.advance(1);
    run(&ada, "print([][0])").await;
    run(&bob, "print('bob'[9])").await;
    // The same program again is no further example.
    run(&kim, "print([][0])\n").await;
    // One student's alone, and one of another class.
    run(&ada, "print(1 / 0)").await;
    run(&eve, "print([][1])").await;
    run(&eve, "print(1 / 0)").await;
    let path = format!("/classes/{class}/errors");
    let reply = get(&world, &tom, &path).await;
    let text = reply.body.to_string();
    let errors: Vec<ClassError> = reply.ok();
    assert_eq!(errors.len(), 1, "{text}");
    assert_eq!(
        (errors[0].error_type.as_str(), errors[0].students, errors[0].runs),
        ("IndexError", 3, 4)
    );
    let programs = errors[0].examples.iter().map(|one| one.code.trim());
    let mut programs: Vec<_> = programs.collect();
    programs.sort_unstable();
    assert_eq!(
        programs,
        ["print('[name]'[9])", "print([][0])"],
        "the different ones of the latest"
    );
    let example = &errors[0].examples[0];
    assert!(example.message.contains("out of range") && example.line == Some(1), "{example:?}");
    for private in [ada.id.to_string(), bob.id.to_string(), "ada".to_owned(), "bob".to_owned()] {
        assert!(!text.contains(&private), "{private} in {text}");
    }
    world.advance(31 * 24 * 60 * 60);
    let tom = world.log_in("tom@example.org", tests::PASSWORD).await;
    assert_eq!(
        get(&world, &tom, &path).await.ok::<Vec<ClassError>>(),
        [],
        "what is long ago does not count"
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_shows_everything_once_page_by_page() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    let ada = world.student("ada").await;
    world.class(&tom, &[&ada]).await;
    let exercise = exercises_of("lists")[0];
    let asked = world.ask(&ada, "What is a list?", 20).await.body["id"].clone();
    world.advance(1);
    let wait = [("prefer", "wait=20")];
    let body = json!({ "code": "print(1 / 0)" });
    let ran = world.post_with("/executions", &ada.token, &body, wait).await.body["id"].clone();
    world.advance(1);
    put_solution(&world, &ada, exercise, true).await;
    world.advance(1);
    let alert = put_alert(&world, &ada, "lists", "low_quiz").await;
    // More than a page, many at the same time.
    for _ in 0..60 {
        put_solution(&world, &ada, exercise, false).await;
    }
    let mut entries = Vec::new();
    let mut path = format!("/students/{}/timeline", ada.id);
    let mut pages = 0;
    loop {
        let page: TimelinePage = get(&world, &tom, &path).await.ok();
        pages += 1;
        entries.extend(page.items);
        let Some(cursor) = page.next_cursor else { break };
        path = format!("/students/{}/timeline?cursor={cursor}", ada.id);
    }
    assert_eq!((entries.len(), pages), (64, 2));
    let [.., solution, run, question] = entries.as_slice() else { panic!("{entries:?}") };
    assert!(
        matches!(question, TimelineEntry::Question { id, question, agent: Some(_), .. }
        if asked == json!(id) && question == "What is a list?"),
        "{question:?}"
    );
    assert!(
        matches!(run, TimelineEntry::Run { id, error_type: Some(error), .. }
        if ran == json!(id) && error == "ZeroDivisionError"),
        "{run:?}"
    );
    assert!(
        matches!(solution, TimelineEntry::Submission { passed: Some(true), topic, .. } if topic == "lists")
    );
    let alerts = entries.iter().filter(|entry| {
        matches!(entry, TimelineEntry::Alert { id, trigger: Trigger::LowQuiz, .. } if id.as_uuid() == alert)
    });
    assert_eq!(alerts.count(), 1);
    let mut ids: Vec<String> = entries.iter().map(|entry| json!(entry)["id"].to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 64, "nothing twice");
    let refused = get(&world, &tom, &format!("/students/{}/timeline?cursor=x", ada.id)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_are_acknowledged_and_resolved_and_only_move_forward() {
    let world = World::new().await;
    let [tom, tess] = [world.teacher("tom").await, world.teacher("tess").await];
    let [ada, bob] = [world.student("ada").await, world.student("bob").await];
    let first = world.class(&tom, &[&ada]).await;
    // In two classes of his, and still listed once.
    let second = world.class(&tom, &[&ada, &bob]).await;
    world.class(&tess, &[]).await;
    let mine = put_alert(&world, &ada, "lists", "low_quiz").await;
    world.advance(1);
    let other = put_alert(&world, &bob, "lists", "low_quiz").await;
    let listed = async |person: &Student, query: &str| {
        let page: ClassAlertPage = get(&world, person, &format!("/alerts{query}")).await.ok();
        page.items.into_iter().map(|alert| alert.id.as_uuid()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&tom, "").await, [other, mine]);
    assert_eq!(listed(&tom, &format!("?class_id={first}")).await, [mine]);
    assert_eq!(listed(&tom, &format!("?student_id={}", ada.id)).await, [mine]);
    let both = format!("?class_id={second}&student_id={}&status=open", bob.id);
    assert_eq!(listed(&tom, &both).await, [other]);
    for (person, filter) in [
        (&tom, format!("?class_id={first}&student_id={}", bob.id)),
        (&tom, format!("?student_id={}&status=resolved", ada.id)),
        (&tess, format!("?student_id={}", ada.id)),
        (&tom, format!("?student_id={}", Uuid::nil())),
    ] {
        assert_eq!(listed(person, &filter).await, [] as [Uuid; 0], "{filter}");
    }
    assert_eq!(listed(&tess, "").await, [] as [Uuid; 0]);
    assert_eq!(get(&world, &tess, &format!("/alerts?class_id={second}")).await.status, 404);
    for bad in ["?status=closed", "?colour=red", "?cursor=x", "?student_id=ada"] {
        assert_eq!(get(&world, &tom, &format!("/alerts{bad}")).await.status, 422, "{bad}");
    }
    let path = format!("/alerts/{mine}");
    let noted: ClassAlert = post(&world, &tom, &format!("{path}/acknowledge")).await.ok();
    assert_eq!(
        (noted.status, noted.acknowledged_at),
        (AlertStatus::Acknowledged, Some(world.now()))
    );
    world.advance(60);
    let again: ClassAlert = post(&world, &tom, &format!("{path}/acknowledge")).await.ok();
    assert_eq!(again, noted, "twice is once");
    assert_eq!(listed(&tom, "?status=open").await, [other]);
    let over: ClassAlert = post(&world, &tom, &format!("{path}/resolve")).await.ok();
    assert_eq!((over.status, over.resolved_at), (AlertStatus::Resolved, Some(world.now())));
    assert_eq!(over.acknowledged_at, noted.acknowledged_at);
    world.advance(60);
    assert_eq!(post(&world, &tom, &format!("{path}/resolve")).await.ok::<ClassAlert>(), over);
    let refused = post(&world, &tom, &format!("{path}/acknowledge")).await;
    assert_eq!(refused.expect::<Problem>(StatusCode::CONFLICT).code(), "alert_resolved");
    assert_eq!(get(&world, &tom, &path).await.ok::<ClassAlert>(), over);
    // Without having been acknowledged.
    let direct: ClassAlert = post(&world, &tom, &format!("/alerts/{other}/resolve")).await.ok();
    assert_eq!((direct.status, direct.acknowledged_at), (AlertStatus::Resolved, None));
    for attempt in [format!("{path}/acknowledge"), format!("{path}/resolve")] {
        assert_eq!(post(&world, &tess, &attempt).await.status, 404);
        assert_eq!(post(&world, &ada, &attempt).await.status, 403);
    }
    let body = json!({ "archived": true });
    for class in [first, second] {
        let archived = world.patch(&format!("/classes/{class}"), &tom.token, &body).await;
        assert_eq!(archived.status, StatusCode::OK);
    }
    assert_eq!(listed(&tom, "").await, [] as [Uuid; 0]);
    assert_eq!(get(&world, &tom, &path).await.status, 404);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assignment_is_not_begun_then_tried_then_solved_or_late() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    let [ada, bob, eve] =
        [world.student("ada").await, world.student("bob").await, world.student("eve").await];
    let class = world.class(&tom, &[&ada, &bob, &eve]).await;
    let path = format!("/classes/{class}/assignments");
    let (lists, due) = (exercises_of("lists"), world.now() + chrono::TimeDelta::hours(1));
    let assign = async |body: &Value, key: &'static str| {
        world.post_with(&path, &tom.token, body, [("idempotency-key", key)]).await
    };
    let body = json!({ "exercise_id": lists[0], "due_at": due });
    let one: AssignmentDetail = assign(&body, "one").await.expect(StatusCode::CREATED);
    let again: AssignmentDetail = assign(&body, "one").await.expect(StatusCode::CREATED);
    assert_eq!(one, again);
    let topic: AssignmentDetail =
        assign(&json!({ "topic": "lists" }), "two").await.expect(StatusCode::CREATED);
    assert_eq!(topic.assignment.title, "Lists");
    put_solution(&world, &ada, lists[0], true).await;
    put_solution(&world, &bob, lists[0], false).await;
    let states = async || {
        let page: AssignmentPage = get(&world, &tom, &path).await.ok();
        let ids: Vec<_> = page.items.iter().map(|item| item.assignment.id).collect();
        assert_eq!(ids, [topic.assignment.id, one.assignment.id]);
        (page.items[1].states, page.items[0].states)
    };
    let counts = |not_begun, tried, solved, late| StateCounts { not_begun, tried, solved, late };
    assert_eq!(states().await, (counts(1, 1, 1, 0), counts(1, 2, 0, 0)));
    world.advance(60 * 60 + 1);
    // In the meantime a token would have expired.
    let tom = world.log_in("tom@example.org", tests::PASSWORD).await;
    put_solution(&world, &bob, lists[0], true).await;
    for exercise in &lists[1..3] {
        put_solution(&world, &ada, *exercise, true).await;
    }
    let detail_path = format!("{path}/{}", one.assignment.id);
    let detail: AssignmentDetail = get(&world, &tom, &detail_path).await.ok();
    let rows: Vec<_> =
        detail.students.iter().map(|row| (row.name.as_str(), row.state, row.handed_in)).collect();
    assert_eq!(
        rows,
        [
            ("ada", AssignmentState::Solved, 1),
            ("bob", AssignmentState::Late, 2),
            ("eve", AssignmentState::Late, 0)
        ]
    );
    assert!(detail.students[1].solved_at.is_some() && detail.students[2].solved_at.is_none());

    // Students see their own, and nobody else's.
    let ada = world.log_in("ada@example.org", tests::PASSWORD).await;
    let reply = get(&world, &ada, "/assignments").await;
    assert!(!reply.body.to_string().contains("bob"), "{:?}", reply.body);
    let own: OwnAssignmentPage = reply.ok();
    let rows: Vec<_> = own
        .items
        .iter()
        .map(|item| (item.assignment.title.as_str(), item.state, item.handed_in))
        .collect();
    assert_eq!(
        (rows[0], rows[1].1),
        (("Lists", AssignmentState::Solved, 3), AssignmentState::Solved)
    );
    assert_eq!(own.items[0].class_name, "Python");
    let zoe = world.student("zoe").await;
    assert_eq!(get(&world, &zoe, "/assignments").await.ok::<OwnAssignmentPage>().items, []);

    check_gradebook(&world, &tom, &class, due).await;

    for _ in 0..2 {
        assert_eq!(world.delete(&detail_path, &tom.token).await.status, StatusCode::NO_CONTENT);
        assert_eq!(get(&world, &tom, &detail_path).await.status, StatusCode::NOT_FOUND);
    }
    world.finish().await;
}

/// Checks the gradebook of three students with two assignments.
async fn check_gradebook(world: &World, teacher: &Student, class: &str, due: DateTime<Utc>) {
    let book = get(world, teacher, &format!("/classes/{class}/gradebook.csv")).await;
    let book = book.body.as_str().expect("a file").to_owned();
    let lines: Vec<&str> = book.lines().collect();
    assert_eq!(lines.len(), 4, "{book}");
    assert!(lines[0].starts_with("name,email,mastery,variables,"), "{book}");
    let day = due.format("%Y-%m-%d");
    assert!(lines[0].ends_with(&format!(" (due {day}),Lists")), "{book}");
    assert!(
        lines[1].starts_with("ada,ada@example.org,,") && lines[1].ends_with(",solved,solved"),
        "{book}"
    );
    assert!(lines[2].ends_with(",late,tried") && lines[3].ends_with(",late,not_begun"), "{book}");
    let commas = lines.iter().map(|line| line.matches(',').count());
    assert!(commas.into_iter().all(|count| count == 2 + 31 + 2), "{book}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assignment_is_one_exercise_or_one_topic_and_due_in_the_future() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    let path = format!("/classes/{}/assignments", world.class(&tom, &[]).await);
    let lists = exercises_of("lists");
    for (bad, field) in [
        (json!({}), "exercise_id"),
        (json!({ "exercise_id": lists[0], "topic": "lists" }), "exercise_id"),
        (json!({ "exercise_id": Uuid::nil() }), "exercise_id"),
        (json!({ "topic": "cooking" }), "topic"),
        (json!({ "topic": "lists", "due_at": world.now() }), "due_at"),
        (json!({ "topic": "lists", "due_at": "tomorrow" }), "due_at"),
    ] {
        let refused = world.post(&path, Some(&tom.token), &bad).await;
        let refused = refused.expect::<Problem>(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.errors()[0].field, field, "{bad}");
    }
    world.finish().await;
}
