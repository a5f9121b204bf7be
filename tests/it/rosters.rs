//! Rosters: previewed and imported row by row, refused whole, exported, and joined by those who register later.

use api_gateway::responses::{
    JoinedClass, RosterImport, RosterPage, RosterState, RosterStudent, RowOutcome,
};
use domain::level::Level;
use reqwest::StatusCode;
use runtime::web::Problem;
use tests::{PASSWORD, Reply, Student, World};

async fn roster(world: &World, teacher: &Student, class: &str) -> Vec<RosterStudent> {
    let mut items = Vec::new();
    let mut path = format!("/classes/{class}/roster");
    loop {
        let page: RosterPage = world.get(&path, Some(&teacher.token)).await.ok();
        items.extend(page.items);
        let Some(cursor) = page.next_cursor else { break items };
        path = format!("/classes/{class}/roster?cursor={cursor}");
    }
}

fn outcomes(reply: Reply) -> Vec<(u64, RowOutcome)> {
    let import: RosterImport = reply.ok();
    assert_eq!(import.mistakes, []);
    import.rows.into_iter().map(|row| (row.line, row.outcome)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_does_what_its_preview_says_and_the_second_time_nothing() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    let [ada, _bob] = [world.student("ada").await, world.student("bob").await];
    let class = world.class(&tom, &[&ada]).await;
    let csv = "email;name\r\nbob@example.org;Robert\r\nADA@example.org;Ada\r\nzoe@example.org;\"Zoe; the first\"\r\n";
    let path = format!("/classes/{class}/roster");
    let preview = async || {
        let path = format!("{path}/preview");
        outcomes(world.post_csv(&path, &tom.token, csv).await)
    };
    let first = [(2, RowOutcome::Added), (3, RowOutcome::AlreadyThere), (4, RowOutcome::Invited)];
    assert_eq!(preview().await, first);
    assert_eq!(roster(&world, &tom, &class).await.len(), 1, "a preview changes nothing");
    assert_eq!(outcomes(world.post_csv(&path, &tom.token, csv).await), first);
    let again = [
        (2, RowOutcome::AlreadyThere),
        (3, RowOutcome::AlreadyThere),
        (4, RowOutcome::AlreadyInvited),
    ];
    assert_eq!(preview().await, again);
    assert_eq!(outcomes(world.post_csv(&path, &tom.token, csv).await), again);
    let listed = roster(&world, &tom, &class).await;
    let listed: Vec<_> =
        listed.iter().map(|one| (one.email.as_str(), one.name.as_str(), one.state)).collect();
    let expected = [
        ("ada@example.org", "ada", RosterState::Enrolled),
        ("bob@example.org", "bob", RosterState::Enrolled),
        ("zoe@example.org", "Zoe; the first", RosterState::Invited),
    ];
    assert_eq!(listed, expected);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invited_address_is_in_the_class_once_it_registers_or_logs_in() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    let (first, second) = (world.class(&tom, &[]).await, world.class(&tom, &[]).await);
    let csv = "email,name\nzoe@example.org,Zoe\n";
    for class in [&first, &second] {
        let imported = world.post_csv(&format!("/classes/{class}/roster"), &tom.token, csv).await;
        assert_eq!(outcomes(imported), [(2, RowOutcome::Invited)]);
    }
    let zoe = world.student("zoe").await;
    let joined: Vec<JoinedClass> = world.get("/me/classes", Some(&zoe.token)).await.ok();
    assert_eq!(joined.len(), 2);
    let listed = roster(&world, &tom, &first).await;
    assert_eq!(listed.len(), 1, "the invitation is used up");
    assert_eq!((listed[0].id, listed[0].state), (zoe.id, RosterState::Enrolled));

    // As if the account had been made while the file was imported.
    let sql = "INSERT INTO class_invitations (id, class_id, email, name, invited_at)
               SELECT gen_random_uuid(), id, 'amy@example.org', 'Amy', now() FROM classes";
    world.student("amy").await;
    sqlx::query(sql).execute(&mut world.database().await).await.expect("it is valid");
    let amy = world.log_in("amy@example.org", PASSWORD).await;
    assert_eq!(world.get("/me/classes", Some(&amy.token)).await.ok::<Vec<JoinedClass>>().len(), 2);

    // Neither an invitation nor a student stays when they are taken off.
    let path = format!("/classes/{first}/roster");
    let csv = "email,name\neve@example.org,Eve\n";
    outcomes(world.post_csv(&path, &tom.token, csv).await);
    for entry in roster(&world, &tom, &first).await {
        let gone = world.delete(&format!("{path}/{}", entry.id), &tom.token).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(roster(&world, &tom, &first).await, []);
    let eve = world.student("eve").await;
    assert_eq!(world.get("/me/classes", Some(&eve.token)).await.ok::<Vec<JoinedClass>>(), []);
    assert_eq!(roster(&world, &tom, &second).await.len(), 2, "other classes keep theirs");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_with_mistakes_is_refused_whole_and_every_mistake_is_listed() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    world.student("ada").await;
    let class = world.class(&tom, &[]).await;
    let path = format!("/classes/{class}/roster");
    let csv =
        "email,name\nada@example.org,Ada\nnobody,\nada@example.org,Ada\ntom@example.org,Tom\n";
    let expected = ["line 3, email", "line 3, name", "line 4, email", "line 5, email"];
    let preview = world.post_csv(&format!("{path}/preview"), &tom.token, csv).await;
    let preview: RosterImport = preview.ok();
    let places = preview.mistakes.iter().map(|one| format!("line {}, {}", one.line, one.column));
    assert_eq!(places.collect::<Vec<_>>(), expected);
    assert_eq!(preview.mistakes[0].value, "nobody");
    let refused = world.post_csv(&path, &tom.token, csv).await;
    let refused = refused.expect::<Problem>(StatusCode::UNPROCESSABLE_ENTITY);
    let fields: Vec<_> = refused.errors().iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, expected);
    assert_eq!(roster(&world, &tom, &class).await, [], "not even the row that is right");

    let most: String = (0..499).map(|number| format!("s{number}@example.org,S\n")).collect();
    let fits = world.post_csv(&path, &tom.token, format!("email,name\n{most}")).await;
    assert_eq!(outcomes(fits).len(), 499);
    let two = "email,name\nada@example.org,Ada\nzoe@example.org,Zoe\n";
    let refused = world.post_csv(&path, &tom.token, two).await;
    let refused = refused.expect::<Problem>(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.errors()[0].detail.contains("would be 501"), "{refused:?}");
    let one = "email,name\nada@example.org,Ada\n";
    assert_eq!(outcomes(world.post_csv(&path, &tom.token, one).await), [(2, RowOutcome::Added)]);
    assert_eq!(roster(&world, &tom, &class).await.len(), 500, "read page by page");
    let full = world.get(&format!("/classes/{class}"), Some(&tom.token)).await;
    let code = serde_json::json!({ "code": full.body["invite_code"] });
    let late = world.student("late").await;
    let refused = world.post("/classes/join", Some(&late.token), &code).await;
    assert_eq!(refused.expect::<Problem>(StatusCode::CONFLICT).code(), "class_full");

    let huge = vec![b'x'; 400 * 1024];
    let refused = world.post_csv(&path, &tom.token, huge).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    let json = world.post(&path, Some(&tom.token), &serde_json::json!({})).await;
    assert_eq!(json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_shows_how_students_get_on_and_its_export_can_be_imported() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    let ada = world.student("ada").await;
    let (class, other) = (world.class(&tom, &[&ada]).await, world.class(&tom, &[]).await);
    let path = format!("/classes/{class}/roster");
    let csv = "email,name\n=cmd@example.org,\"=HYPERLINK(\"\"http://x\"\")\"\n";
    outcomes(world.post_csv(&path, &tom.token, csv).await);
    let mut conn = world.database().await;
    for (topic, score) in [("lists", 70), ("tuples", 73)] {
        let sql = "INSERT INTO progress (student_id, topic_slug, score, evidence, updated_at) VALUES ($1, $2, $3, 1, now())";
        let insert = sqlx::query(sql).bind(ada.id).bind(topic).bind(score);
        insert.execute(&mut conn).await.expect("it is valid");
    }
    tests::put_alert(&world, &ada, "lists", "low_quiz").await;
    let listed = roster(&world, &tom, &class).await;
    assert_eq!((listed[1].mastery, listed[1].level), (Some(72), Some(Level::Proficient)));
    assert_eq!((listed[1].open_alerts, listed[0].mastery), (1, None));
    let exported = world.get(&format!("{path}.csv"), Some(&tom.token)).await;
    let disposition = exported.headers["content-disposition"].to_str().expect("text");
    assert!(disposition.contains("roster.csv"), "{disposition}");
    let text = exported.body.as_str().expect("a file").to_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].starts_with("'=cmd@example.org,\"'=HYPERLINK("), "{text}");
    assert!(lines[2].starts_with("ada@example.org,ada,enrolled,"), "{text}");
    assert!(lines[2].ends_with(",72,1"), "{text}");
    let path = format!("/classes/{other}/roster");
    let imported = outcomes(world.post_csv(&path, &tom.token, text).await);
    assert_eq!(imported, [(2, RowOutcome::Invited), (3, RowOutcome::Added)]);
    let copied = roster(&world, &tom, &other).await;
    assert_eq!((&copied[0].email, &copied[0].name), (&listed[0].email, &listed[0].name));
    world.finish().await;
}
