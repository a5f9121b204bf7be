//! The course by HTTP: public, with entity tags, and at the reader's level.

use api_gateway::responses::{CourseConcept, CourseModule, CourseTopic};
use curriculum::{bank, embedded};
use domain::level::Level;
use reqwest::{StatusCode, header::HeaderMap};
use tests::{Reply, World};

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn get_if_changed(world: &World, path: &str, tag: &str) -> Reply {
    world
        .send("api-gateway", |client, url| {
            client.get(format!("{url}/api/v1{path}")).header("if-none-match", tag)
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_may_read_the_course() {
    let world = World::new().await;
    let course = embedded();
    let modules: Vec<CourseModule> = world.get("/modules", None).await.ok();
    let slugs = modules.iter().flat_map(|module| &module.topics).map(|topic| &topic.slug);
    assert_eq!(slugs.collect::<Vec<_>>(), course.topics().map(|t| &t.slug).collect::<Vec<_>>());
    let module: CourseModule = world.get("/modules/control-flow", None).await.ok();
    assert_eq!(module, modules[1]);
    assert_eq!(module.topics[0].prerequisites, ["operators"]);
    for topic in course.topics() {
        let reply = world.get(&format!("/topics/{}", topic.slug), None).await;
        let text = reply.body.to_string();
        let shown: CourseTopic = reply.ok();
        assert_eq!((&shown.slug, shown.level), (&topic.slug, Level::Beginner));
        assert_eq!(shown.explanation, topic.lesson.explanation.beginner);
        assert_eq!(shown.examples.len(), topic.lesson.examples.len());
        assert!(shown.examples.iter().all(|example| !example.output.is_empty()), "{text}");
        assert_eq!(shown.mistakes.len(), topic.lesson.mistakes.len());
        assert_eq!(shown.related, topic.lesson.related);
        assert_eq!(shown.quiz_questions, topic.practice.questions.len());
        let ids: Vec<_> = shown.exercises.iter().map(|exercise| exercise.id).collect();
        let own = bank(course).filter(|entry| entry.topic.slug == topic.slug);
        let (expected, exercises): (Vec<_>, Vec<_>) =
            own.map(|entry| (entry.id, entry.exercise)).unzip();
        assert_eq!(ids, expected);
        assert!(exercises.iter().all(|exercise| !text.contains(&exercise.reference)), "{text}");
        assert!(topic.practice.questions.iter().all(|question| !text.contains(&question.why)));
    }
    for missing in ["/modules/none", "/topics/none"] {
        assert_eq!(world.get(missing, None).await.status, StatusCode::NOT_FOUND, "{missing}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_has_is_not_sent_again() {
    let world = World::new().await;
    let mut tags = Vec::new();
    for path in [
        "/modules",
        "/modules/basics",
        "/topics/lists",
        "/topics/lists?level=learning",
        "/concepts",
        "/concepts?q=slice",
    ] {
        let first = world.get(path, None).await;
        assert_eq!(first.status, StatusCode::OK, "{path}");
        let tag = header(&first.headers, "etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 20, "a strong tag: {tag}");
        assert_eq!(header(&first.headers, "cache-control"), "public, max-age=300", "{path}");
        let same = get_if_changed(&world, path, &tag).await;
        assert_eq!((same.status, header(&same.headers, "etag")), (StatusCode::NOT_MODIFIED, &*tag));
        let other = get_if_changed(&world, path, "\"other\"").await;
        assert_eq!((other.status, other.body), (StatusCode::OK, first.body), "{path}");
        assert!(!tags.contains(&tag), "{path} has the tag of another one");
        tags.push(tag);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_is_explained_at_the_readers_level() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let sql = "INSERT INTO progress (student_id, topic_slug, score, evidence, updated_at)
               VALUES ($1, 'lists', 80, 1, 'epoch')";
    let score = sqlx::query(sql).bind(ada.id).execute(&mut world.database().await).await;
    score.expect("it is valid");
    let lesson = &embedded().topic("lists").expect("a topic").lesson.explanation;
    let service = world.service_token();
    for (path, token, level, text, kept) in [
        (
            "/topics/lists",
            Some(&ada.token),
            Level::Proficient,
            &lesson.proficient,
            "private, no-cache",
        ),
        (
            "/topics/lists?level=mastered",
            Some(&ada.token),
            Level::Mastered,
            &lesson.mastered,
            "public, max-age=300",
        ),
        (
            "/topics/lists?level=learning",
            None,
            Level::Learning,
            &lesson.learning,
            "public, max-age=300",
        ),
        // Whoever has no valid token of a person reads what everyone reads.
        ("/topics/lists", Some(&service), Level::Beginner, &lesson.beginner, "public, max-age=300"),
    ] {
        let reply = world.get(path, token.map(String::as_str)).await;
        assert_eq!(header(&reply.headers, "cache-control"), kept, "{path}");
        assert_eq!(header(&reply.headers, "vary"), "Authorization");
        let topic: CourseTopic = reply.ok();
        assert_eq!((topic.level, &topic.explanation), (level, text), "{path}");
    }
    let unknown: CourseTopic = world.get("/topics/tuples", Some(&ada.token)).await.ok();
    assert_eq!(unknown.level, Level::Beginner);
    let refused = world.get("/topics/lists?level=genius", None).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concepts_are_listed_and_found_by_words() {
    let world = World::new().await;
    let course = embedded();
    let all: Vec<CourseConcept> = world.get("/concepts", None).await.ok();
    let finer: usize = course.topics().map(|topic| topic.lesson.concepts.len()).sum();
    assert_eq!(all.len(), course.topics().count() + finer);
    let found = async |q: &str| -> Vec<CourseConcept> {
        world.get(&format!("/concepts?q={q}"), None).await.ok()
    };
    assert_eq!(found("what+is+a+dictionary").await[0].topic, "dictionaries");
    let concept = course.topics().find_map(|topic| topic.lesson.concepts.first());
    let concept = concept.expect("a finer idea");
    let first = &found(&concept.terms[0].replace(' ', "+")).await[0];
    assert_eq!((&first.title, &first.text), (&concept.title, &concept.text));
    assert_eq!(found("zorblax").await, []);
    for bad in ["/concepts?q=", "/concepts?query=list"] {
        let refused = world.get(bad, None).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    world.finish().await;
}
