//! Classes: made by teachers, joined by students, and who may see what through them.

use std::{fs, path::Path};

use api_gateway::responses::{ClassDetail, ClassPage, ClassTeacher, JoinedClass};
use reqwest::StatusCode;
use runtime::web::Problem;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use testing::TestDatabase;
use tests::{Student, World};
use uuid::Uuid;

async fn detail(world: &World, teacher: &Student, class: &str) -> ClassDetail {
    world.get(&format!("/classes/{class}"), Some(&teacher.token)).await.ok()
}

async fn archive(world: &World, teacher: &Student, class: &str, archived: bool) {
    let body = json!({ "archived": archived });
    let changed = world.patch(&format!("/classes/{class}"), &teacher.token, &body).await;
    assert_eq!(changed.status, StatusCode::OK, "{:?}", changed.body);
}

async fn status(world: &World, person: &Student, path: &str) -> u16 {
    world.get(path, Some(&person.token)).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_is_joined_by_its_code_until_that_is_renewed_or_the_class_archived() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    let [ada, bob] = [world.student("ada").await, world.student("bob").await];
    let class = world.class(&tom, &[]).await;
    let join = async |student: &Student, code: &str| {
        world.post("/classes/join", Some(&student.token), &json!({ "code": code })).await
    };
    let first = detail(&world, &tom, &class).await.class.invite_code;
    // As people type it.
    let joined: JoinedClass = join(&ada, &first.to_lowercase().replace('-', " ")).await.ok();
    assert_eq!((joined.name.as_str(), joined.teachers), ("Python", vec!["tom".to_owned()]));
    let again: JoinedClass = join(&ada, &first).await.ok();
    assert_eq!(again.joined_at, joined.joined_at, "joining twice changes nothing");
    assert_eq!(detail(&world, &tom, &class).await.class.students, 1);

    let path = format!("/classes/{class}/invite-code");
    let renewed: ClassDetail = world.post(&path, Some(&tom.token), &json!({})).await.ok();
    let second = renewed.class.invite_code;
    assert_ne!(first, second);
    let problem = |reply: tests::Reply| reply.expect::<Problem>(StatusCode::NOT_FOUND);
    let replaced = problem(join(&bob, &first).await);
    archive(&world, &tom, &class, true).await;
    assert_eq!(detail(&world, &tom, &class).await.class.archived_at, Some(world.now()));
    // Nobody can tell which codes there are.
    for code in [second.as_str(), "0000-0000-0000", "nonsense", ""] {
        let refused = problem(join(&bob, code).await);
        assert_eq!((refused.code(), refused.detail()), (replaced.code(), replaced.detail()));
    }
    assert!(world.get("/me/classes", Some(&ada.token)).await.ok::<Vec<Value>>().is_empty());
    archive(&world, &tom, &class, false).await;
    assert_eq!(join(&bob, &second).await.status, StatusCode::OK);
    assert_eq!(world.get("/me/classes", Some(&ada.token)).await.ok::<Vec<JoinedClass>>().len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_cannot_be_guessed_at_length() {
    let world = World::new().await;
    let [ada, bob] = [world.student("ada").await, world.student("bob").await];
    let guess = async |student: &Student| {
        let body = json!({ "code": "0000-0000-0000" });
        world.post("/classes/join", Some(&student.token), &body).await
    };
    for _ in 0..10 {
        assert_eq!(guess(&ada).await.status, StatusCode::NOT_FOUND);
    }
    let refused = guess(&ada).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(guess(&bob).await.status, StatusCode::NOT_FOUND, "others are not affected");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn teachers_read_the_work_of_their_students_as_long_as_the_class_is_active() {
    let world = World::new().await;
    let [tom, tess] = [world.teacher("tom").await, world.teacher("tess").await];
    let [ada, bob] = [world.student("ada").await, world.student("bob").await];
    let class = world.class(&tom, &[&ada, &bob]).await;
    world.class(&tess, &[]).await;
    let asked = world.ask(&ada, "What is a list?", 20).await;
    let question = format!("/queries/{}", asked.body["id"].as_str().expect("an id"));
    for (person, expected) in [(&ada, 200), (&bob, 404), (&tom, 200), (&tess, 404)] {
        assert_eq!(status(&world, person, &question).await, expected);
    }
    // Archived, restored, removed from the roster by the student's own choice.
    let path = format!("/classes/{class}");
    archive(&world, &tom, &class, true).await;
    assert_eq!(status(&world, &tom, &question).await, 404);
    let path_of_code = format!("{path}/invite-code");
    let refused = world.post(&path_of_code, Some(&tom.token), &json!({})).await;
    assert_eq!(refused.expect::<Problem>(StatusCode::CONFLICT).code(), "class_archived");
    archive(&world, &tom, &class, false).await;
    assert_eq!(status(&world, &tom, &question).await, 200);
    let left = world.delete(&format!("/me{path}"), &ada.token).await;
    assert_eq!(left.status, StatusCode::NO_CONTENT);
    assert_eq!(status(&world, &tom, &question).await, 404);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_teachers_share_a_class_and_one_always_remains() {
    let world = World::new().await;
    let [tom, tess] = [world.teacher("tom").await, world.teacher("tess").await];
    let ada = world.student("ada").await;
    let class = world.class(&tom, &[&ada]).await;
    let path = format!("/classes/{class}/teachers");
    assert_eq!(status(&world, &tess, &format!("/classes/{class}")).await, 404);
    for unfit in ["ada@example.org", "nobody@example.org"] {
        let refused = world.post(&path, Some(&tom.token), &json!({ "email": unfit })).await;
        let refused = refused.expect::<Problem>(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.errors()[0].field, "email", "{unfit}");
    }
    for _ in 0..2 {
        let body = json!({ "email": "Tess@example.org" });
        let added = world.post(&path, Some(&tom.token), &body).await.ok::<Vec<ClassTeacher>>();
        assert_eq!(added.iter().map(|one| one.id.as_uuid()).collect::<Vec<_>>(), [tom.id, tess.id]);
    }
    let asked = world.ask(&ada, "What is a list?", 20).await;
    let question = format!("/queries/{}", asked.body["id"].as_str().expect("an id"));
    assert_eq!(status(&world, &tess, &question).await, 200);
    let remove = async |who: &Student, by: &Student| {
        world.delete(&format!("{path}/{}", who.id), &by.token).await
    };
    assert_eq!(remove(&tom, &tess).await.status, StatusCode::NO_CONTENT);
    assert_eq!(status(&world, &tom, &format!("/classes/{class}")).await, 404);
    assert_eq!(status(&world, &tom, &question).await, 404);
    let last = remove(&tess, &tess).await.expect::<Problem>(StatusCode::CONFLICT);
    assert_eq!(last.code(), "last_teacher");
    assert_eq!(status(&world, &tess, &format!("/classes/{class}")).await, 200);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_is_made_once_for_each_key_and_listed_page_by_page() {
    let world = World::new().await;
    let tom = world.teacher("tom").await;
    let create = async |name: &str, key: &'static str| {
        let headers = [("idempotency-key", key)];
        world.post_with("/classes", &tom.token, &json!({ "name": name }), headers).await
    };
    let first: ClassDetail = create("A", "one").await.expect(StatusCode::CREATED);
    let again: ClassDetail = create("A", "one").await.expect(StatusCode::CREATED);
    assert_eq!(first, again);
    let other = create("B", "one").await.expect::<Problem>(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.code(), "idempotency_key_reused");
    for bad in [json!({ "name": " " }), json!({ "name": "x".repeat(101) }), json!({})] {
        let refused = world.post("/classes", Some(&tom.token), &bad).await;
        let refused = refused.expect::<Problem>(StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.errors()[0].field, "name", "{bad}");
    }
    let mut ids = vec![first.class.id.to_string()];
    for _ in 0..50 {
        ids.push(world.class(&tom, &[]).await);
    }
    ids.reverse();
    let mut listed = Vec::new();
    let mut path = "/classes".to_owned();
    loop {
        let page: ClassPage = world.get(&path, Some(&tom.token)).await.ok();
        listed.extend(page.items.iter().map(|class| class.id.to_string()));
        let Some(cursor) = page.next_cursor else { break };
        path = format!("/classes?cursor={cursor}");
    }
    assert_eq!(listed, ids);
    assert_eq!(status(&world, &tom, "/classes?cursor=x").await, 422);
    let path = format!("/classes/{}", first.class.id);
    let renamed: ClassDetail = world.patch(&path, &tom.token, &json!({ "name": "C" })).await.ok();
    assert_eq!(renamed.class.name, "C");
    for missing in [Uuid::nil().to_string(), "x".to_owned()] {
        assert_eq!(status(&world, &tom, &format!("/classes/{missing}")).await, 404);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_class_from_before_there_were_several_teachers_keeps_its_own() {
    let database = TestDatabase::empty().await;
    let mut conn = database.connect().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let files = fs::read_dir(folder).expect("the migrations are there");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let at = files.iter().position(|file| file.ends_with("0021_classes.sql")).expect("this one");
    let old = "INSERT INTO users VALUES ('00000000-0000-0000-0000-000000000001', 'tom@example.org', 'Tom', NULL, 'teacher', now());
               INSERT INTO classes (id, teacher_id, name, invite_code, created_at)
               SELECT '00000000-0000-0000-0000-000000000002', id, 'Python', 'x', now() FROM users";
    let read = |file| fs::read_to_string(file).expect("it can be read");
    let steps = files[..at].iter().map(read).chain([old.to_owned(), read(&files[at])]);
    for sql in steps {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.expect("it is valid");
    }
    let taught =
        storage::classes::teachers(&mut conn, ids::ClassId::from_uuid(Uuid::from_u128(2)), 9);
    let taught = taught.await.expect("the query is valid");
    assert_eq!(taught.iter().map(|one| one.id.as_uuid()).collect::<Vec<_>>(), [Uuid::from_u128(1)]);
    database.remove().await;
}
