//! Quizzes: started, answered, submitted once, and explained; nothing tells a right answer before.

use api_gateway::responses::{
    ListedQuiz, Quiz, QuizOrigin, QuizPage, QuizResult, QuizStatus, StartedQuiz,
};
use curriculum::{Question, embedded};
use futures::future::join_all;
use reqwest::StatusCode;
use runtime::{fault::Faults, web::Problem};
use serde_json::{Value, json};
use testing::eventually;
use tests::{Reply, Student, World};

async fn start(world: &World, student: &Student, body: Value) -> Reply {
    world.post("/quizzes", Some(&student.token), &body).await
}

async fn started(world: &World, student: &Student, body: Value) -> Quiz {
    start(world, student, body).await.expect(StatusCode::CREATED)
}

async fn answer(world: &World, student: &Student, quiz: &Quiz, number: i16, choice: i16) -> Reply {
    let path = format!("/api/v1/quizzes/{}/answers/{number}", quiz.id);
    world
        .send("api-gateway", |client, url| {
            let request = client.put(format!("{url}{path}")).bearer_auth(&student.token);
            request.json(&json!({ "choice": choice }))
        })
        .await
}

async fn submit(world: &World, student: &Student, quiz: &Quiz) -> Reply {
    let path = format!("/quizzes/{}/submission", quiz.id);
    world.post(&path, Some(&student.token), &json!({})).await
}

async fn get(world: &World, student: &Student, quiz: &Quiz, what: &str) -> Reply {
    world.get(&format!("/quizzes/{}{what}", quiz.id), Some(&student.token)).await
}

/// The question of the course that a quiz asks.
fn question(quiz: &Quiz, number: i16) -> &'static Question {
    let asked = quiz.questions.iter().find(|asked| asked.number == number).expect("a question");
    let topic = embedded().topic(&asked.topic).expect("a topic");
    let mut all = topic.practice.questions.iter();
    all.find(|q| q.ask == asked.ask && q.code == asked.code).expect("a question of the course")
}

/// The number of an option.
fn option(quiz: &Quiz, number: i16, text: &str) -> i16 {
    let asked = quiz.questions.iter().find(|asked| asked.number == number).expect("a question");
    let place = asked.options.iter().position(|option| option == text).expect("an option");
    i16::try_from(place + 1).expect("few options")
}

fn right(quiz: &Quiz, number: i16) -> i16 {
    option(quiz, number, &question(quiz, number).answer)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiz_is_answered_submitted_once_and_explained() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let quiz = started(&world, &ada, json!({ "topic": "lists" })).await;
    assert_eq!((quiz.topic.as_deref(), quiz.questions.len()), (Some("lists"), 3));
    let wrong = &question(&quiz, 1).wrong[1];
    let chosen = option(&quiz, 1, wrong);
    assert_eq!(
        answer(&world, &ada, &quiz, 1, right(&quiz, 1)).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(answer(&world, &ada, &quiz, 1, chosen).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        answer(&world, &ada, &quiz, 2, right(&quiz, 2)).await.status,
        StatusCode::NO_CONTENT
    );
    for (number, choice, status) in [(1, 0, 422), (1, 5, 422), (0, 1, 404), (4, 1, 404)] {
        let refused = answer(&world, &ada, &quiz, number, choice).await;
        assert_eq!(refused.status.as_u16(), status, "question {number}, option {choice}");
    }
    assert_eq!(answer(&world, &bob, &quiz, 1, 1).await.status, StatusCode::NOT_FOUND);
    let shown: Quiz = get(&world, &ada, &quiz, "").await.ok();
    let choices: Vec<Option<i16>> = shown.questions.iter().map(|asked| asked.choice).collect();
    assert_eq!(choices, [Some(chosen), Some(right(&quiz, 2)), None], "the last answer counts");
    let early: Problem = get(&world, &ada, &quiz, "/result").await.expect(StatusCode::CONFLICT);
    assert_eq!(early.code(), "quiz_not_submitted");

    let result: QuizResult = submit(&world, &ada, &quiz).await.ok();
    assert_eq!((result.score, result.late), (33, false));
    assert_eq!((result.topics[0].right, result.topics[0].of), (1, 3));
    let [first, second, third] = &result.questions[..] else { panic!("{result:?}") };
    assert_eq!((first.is_right, second.is_right, third.is_right), (false, true, false));
    assert_eq!(first.misconception.as_ref(), question(&quiz, 1).because.get(1));
    assert_eq!((&second.misconception, &third.misconception), (&None, &None));
    assert_eq!(first.why, question(&quiz, 1).why);
    let answers = [first, second, third].map(|question| question.answer);
    assert_eq!(answers, [1, 2, 3].map(|number| right(&quiz, number)));

    let again = join_all((0..4).map(|_| submit(&world, &ada, &quiz))).await;
    for reply in again {
        assert_eq!(reply.ok::<QuizResult>(), result, "the same result again");
    }
    assert_eq!(get(&world, &ada, &quiz, "/result").await.ok::<QuizResult>(), result);
    let late: Problem = answer(&world, &ada, &quiz, 3, 1).await.expect(StatusCode::CONFLICT);
    assert_eq!(late.code(), "quiz_submitted");
    let events = world.events_of_request(&quiz.id.to_string(), "activity.recorded.v1").await;
    let expected = json!([{
        "student_id": ada.id, "request_id": quiz.id,
        "activity": { "type": "quiz_submitted", "attempt_id": quiz.id, "topic": "lists", "score": 33,
                      "topics": [{ "topic": "lists", "right": 1, "of": 3 }] }
    }]);
    assert_eq!(Value::from(events), expected, "announced once");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submissions_at_the_same_time_count_once() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let quiz = started(&world, &ada, json!({ "topic": "sets" })).await;
    let replies = join_all((0..8).map(|_| submit(&world, &ada, &quiz))).await;
    assert!(replies.into_iter().all(|reply| reply.ok::<QuizResult>().score == 0));
    let events = world.events_of_request(&quiz.id.to_string(), "activity.recorded.v1").await;
    assert_eq!(events.len(), 1);
    world.finish().await;
}

/// What must not be seen before the submission.
fn secrets(quiz: &Quiz) -> Vec<&'static str> {
    let numbers = quiz.questions.iter().map(|asked| asked.number);
    let texts = numbers.flat_map(|number| {
        let question = question(quiz, number);
        std::iter::once(&question.why).chain(&question.because)
    });
    texts.map(String::as_str).collect()
}

fn leaks<'a>(text: &str, secrets: &[&'a str]) -> Vec<&'a str> {
    let escaped = |secret: &str| json!(secret).to_string().trim_matches('"').to_owned();
    secrets.iter().copied().filter(|secret| text.contains(&escaped(secret))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_tells_a_right_answer_before_the_submission() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    let first = start(&world, &ada, json!({ "questions": 20 })).await;
    let mut said = vec![first.body.clone()];
    let quiz: Quiz = first.expect(StatusCode::CREATED);
    let secrets = secrets(&quiz);
    for number in 1..=20 {
        said.push(answer(&world, &ada, &quiz, number, right(&quiz, number)).await.body);
    }
    said.push(answer(&world, &ada, &quiz, 1, 9).await.body);
    said.push(start(&world, &ada, json!({})).await.body);
    said.push(world.get("/quizzes", Some(&ada.token)).await.body);
    for reader in [&ada, &admin] {
        said.push(get(&world, reader, &quiz, "").await.body);
        said.push(get(&world, reader, &quiz, "/result").await.body);
    }
    let sql = "SELECT id, type, data::text FROM events";
    let events = async || Value::from(world.opened(sqlx::query(sql)).await);
    said.push(events().await);
    let text = Value::from(said).to_string();
    assert_eq!(leaks(&text, &secrets), [""; 0]);
    for member in
        ["\"answer\"", "\"is_right\"", "\"why\"", "\"misconception\"", "\"score\"", "\"right\""]
    {
        assert!(!text.contains(member), "{member}");
    }
    // Right answers are found in no place more often than by chance.
    let places: Vec<i16> = (1..=20).map(|number| right(&quiz, number)).collect();
    assert!(places.iter().any(|place| *place != places[0]), "{places:?}");
    let result = submit(&world, &ada, &quiz).await;
    let whys = leaks(&result.body.to_string(), &secrets);
    assert_eq!(whys.len(), 20, "the test would see them");
    assert_eq!(result.ok::<QuizResult>().score, 100);
    assert_eq!(leaks(&events().await.to_string(), &secrets), [""; 0]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_time_is_over_what_was_answered_in_time_counts() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let body = json!({ "topic": "json", "questions": 2, "time_limit_seconds": 60 });
    let quiz = started(&world, &ada, body.clone()).await;
    assert_eq!(quiz.ends_at.map(|end| (end - quiz.started_at).num_seconds()), Some(60));
    world.advance(59);
    assert_eq!(
        answer(&world, &ada, &quiz, 1, right(&quiz, 1)).await.status,
        StatusCode::NO_CONTENT
    );
    world.advance(1);
    let late: Problem =
        answer(&world, &ada, &quiz, 2, right(&quiz, 2)).await.expect(StatusCode::CONFLICT);
    assert_eq!(late.code(), "quiz_time_over");
    assert_eq!(get(&world, &ada, &quiz, "").await.ok::<Quiz>().status, QuizStatus::TimeOver);
    let result: QuizResult = submit(&world, &ada, &quiz).await.ok();
    assert_eq!((result.score, result.late), (50, true));
    // One that was left is submitted when the next one begins.
    let left = started(&world, &ada, body.clone()).await;
    assert_eq!(
        answer(&world, &ada, &left, 1, right(&left, 1)).await.status,
        StatusCode::NO_CONTENT
    );
    world.advance(61);
    let next = started(&world, &ada, body).await;
    assert_ne!(next.id, left.id);
    let result: QuizResult = get(&world, &ada, &left, "/result").await.ok();
    assert_eq!((result.score, result.late), (50, true));
    let events = world.events_of_request(&left.id.to_string(), "activity.recorded.v1").await;
    assert_eq!(events.len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiz_that_was_left_is_submitted_once_its_time_is_over() {
    let mut world = World::new().await;
    let ada = world.student("ada").await;
    let limited = |topic: &str| json!({ "topic": topic, "questions": 2, "time_limit_seconds": 60 });
    let begun = started(&world, &ada, limited("json")).await;
    answer(&world, &ada, &begun, 1, right(&begun, 1)).await;
    let untouched = started(&world, &ada, limited("sets")).await;
    let unlimited = started(&world, &ada, json!({ "topic": "lists" })).await;
    world.advance(60 + 61);
    // A process that has just started does all periodic work.
    world.stop().await;
    world.start(Faults::default()).await;
    let submitted = eventually("it is submitted", async || {
        let reply = get(&world, &ada, &begun, "/result").await;
        (reply.status == StatusCode::OK).then(|| reply.ok::<QuizResult>())
    });
    let result = submitted.await;
    assert_eq!((result.score, result.late), (50, true));
    let activities = async |quiz: &Quiz| {
        world.events_of_request(&quiz.id.to_string(), "activity.recorded.v1").await
    };
    let recorded = activities(&begun).await;
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0]["done_at"], json!(begun.ends_at), "it was done when its time was over");
    let result: QuizResult = get(&world, &ada, &untouched, "/result").await.ok();
    assert_eq!(result.score, 0);
    assert!(
        activities(&untouched).await.is_empty(),
        "who left before the first answer shows nothing"
    );
    let open: Quiz = get(&world, &ada, &unlimited, "").await.ok();
    assert_eq!(open.status, QuizStatus::Open);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_student_has_one_open_quiz_of_a_topic_and_goes_on_with_it() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let lists = json!({ "topic": "lists" });
    let together = join_all((0..6).map(|_| start(&world, &ada, lists.clone()))).await;
    let created = together.iter().filter(|reply| reply.status == StatusCode::CREATED).count();
    let ids: Vec<&Value> = together.iter().map(|reply| &reply.body["id"]).collect();
    assert!(created == 1 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let location = together[0].headers.get("location").and_then(|value| value.to_str().ok());
    assert_eq!(location, ids[0].as_str().map(|id| format!("/api/v1/quizzes/{id}")).as_deref());
    let quiz: Quiz = start(&world, &ada, lists.clone()).await.ok();
    let mixed = started(&world, &ada, json!({})).await;
    assert_eq!((mixed.topic.as_ref(), mixed.questions.len()), (None, 8));
    assert_eq!(start(&world, &ada, json!({})).await.ok::<Quiz>().id, mixed.id);
    assert_ne!(started(&world, &bob, lists.clone()).await.id, quiz.id);
    for body in [
        json!({ "topic": "cooking" }),
        json!({ "questions": 0 }),
        json!({ "questions": 21 }),
        json!({ "time_limit_seconds": 29 }),
        json!({ "time_limit_seconds": 10_801 }),
        json!({ "colour": "red" }),
    ] {
        let refused = start(&world, &bob, body.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gets_an_open_quiz_instead_of_a_new_one_is_told_so() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let wish = json!({ "topic": "lists", "questions": 2, "time_limit_seconds": 60 });
    let new: StartedQuiz = start(&world, &ada, wish.clone()).await.expect(StatusCode::CREATED);
    let both = ["questions", "time_limit_seconds"];
    assert_eq!(new.origin, QuizOrigin::New);
    assert_eq!(new.ignored, both[..0]);
    for (body, ignored) in [
        (wish.clone(), &both[..0]),
        (json!({ "topic": "lists" }), &both[..0]),
        (json!({ "topic": "lists", "questions": 1 }), &both[..1]),
        (json!({ "topic": "lists", "questions": 2, "time_limit_seconds": 61 }), &both[1..]),
        (json!({ "topic": "lists", "questions": 1, "time_limit_seconds": 61 }), &both[..]),
    ] {
        let open: StartedQuiz = start(&world, &ada, body.clone()).await.ok();
        assert_eq!(open.origin, QuizOrigin::Open, "{body}");
        assert_eq!(open.ignored, ignored, "{body}");
        assert_eq!(open.quiz, new.quiz, "{body}");
    }
    // Sent again, a request whose answer was lost still says what came of its wishes.
    let body = json!({ "topic": "lists", "questions": 1 });
    for origin in [QuizOrigin::Open, QuizOrigin::Repeated] {
        let headers = [("idempotency-key", "lost")];
        let again: StartedQuiz = world.post_with("/quizzes", &ada.token, &body, headers).await.ok();
        assert_eq!((again.origin, again.quiz.id), (origin, new.quiz.id));
        assert_eq!(again.ignored, ["questions"]);
    }
    world.advance(61);
    let next: StartedQuiz = start(&world, &ada, wish).await.expect(StatusCode::CREATED);
    assert_ne!(next.quiz.id, new.quiz.id, "one whose time is over is open no more");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_the_same_key_starts_one_quiz() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let send = async |body: Value| {
        world.post_with("/quizzes", &ada.token, &body, [("idempotency-key", "k1")]).await
    };
    let quiz: Quiz = send(json!({ "topic": "lists" })).await.expect(StatusCode::CREATED);
    assert_eq!(submit(&world, &ada, &quiz).await.status, StatusCode::OK);
    let again: Quiz = send(json!({ "topic": "lists" })).await.ok();
    assert_eq!((again.id, again.status), (quiz.id, QuizStatus::Submitted));
    let other: Problem =
        send(json!({ "topic": "sets" })).await.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.code(), "idempotency_key_reused");
    let count = "SELECT count(*) FROM quiz_attempts WHERE student_id = $1";
    assert_eq!(world.count(count, ada.id).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retake_asks_something_else() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let asks = |quiz: &Quiz| -> Vec<String> {
        quiz.questions.iter().map(|asked| format!("{} {:?}", asked.ask, asked.code)).collect()
    };
    let body = json!({ "topic": "scope", "questions": 2 });
    let first = started(&world, &ada, body.clone()).await;
    assert_eq!(submit(&world, &ada, &first).await.status, StatusCode::OK);
    world.advance(1);
    let second = started(&world, &ada, body).await;
    assert!(asks(&second).iter().all(|ask| !asks(&first).contains(ask)), "of four questions");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mixed_quiz_asks_what_is_due_and_then_what_is_weak() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let today = world.now().date_naive();
    let sql = "INSERT INTO progress (student_id, topic_slug, score, due_on, evidence, updated_at)
               SELECT $1, topic, score, $2 + days, 1, 'epoch'
               FROM (VALUES ('json', 70, NULL), ('csv', 20, 30), ('sets', 90, -3), ('scope', 80, -9)) AS known (topic, score, days)";
    let scores = sqlx::query(sql).bind(ada.id).bind(today);
    scores.execute(&mut world.database().await).await.expect("it is valid");
    let mixed = started(&world, &ada, json!({ "questions": 9 })).await;
    let topics: Vec<&str> = mixed.questions.iter().map(|asked| asked.topic.as_str()).collect();
    let expected = ["scope", "scope", "sets", "sets", "csv", "csv", "json", "json", "variables"];
    assert_eq!(topics, expected);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quizzes_are_listed_page_by_page_newest_first() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let mut expected = Vec::new();
    for (place, topic) in embedded().topics().take(22).enumerate() {
        // Some at the same time.
        world.advance((place % 2).try_into().expect("small"));
        let quiz = started(&world, &ada, json!({ "topic": topic.slug, "questions": 1 })).await;
        expected.push((quiz.started_at, quiz.id));
    }
    expected.sort_unstable_by(|one, other| other.cmp(one));
    let page: QuizPage = world.get("/quizzes", Some(&ada.token)).await.ok();
    let cursor = page.next_cursor.expect("there are more");
    let path = format!("/quizzes?cursor={cursor}");
    let last: QuizPage = world.get(&path, Some(&ada.token)).await.ok();
    assert_eq!((page.items.len(), last.items.len(), last.next_cursor), (20, 2, None));
    let key = |listed: &ListedQuiz| (listed.started_at, listed.id);
    let found: Vec<_> = page.items.iter().chain(&last.items).map(key).collect();
    assert_eq!(found, expected);
    let one: QuizPage = world.get("/quizzes?topic=variables", Some(&ada.token)).await.ok();
    assert_eq!((one.items.len(), one.items[0].questions), (1, 1));
    let none: QuizPage = world.get("/quizzes", Some(&bob.token)).await.ok();
    assert_eq!(none.items, []);
    let far = [i64::MIN, -9_000_000_000_000_000, -1, 253_402_300_800_000_000, i64::MAX];
    let far = far.map(|time| format!("/quizzes?cursor={time}.{}", ada.id));
    let malformed = ["/quizzes?cursor=x", "/quizzes?page=2"].map(str::to_owned);
    for bad in far.into_iter().chain(malformed) {
        let refused = world.get(&bad, Some(&ada.token)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    world.finish().await;
}
