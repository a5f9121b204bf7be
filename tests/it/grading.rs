//! Grades are correct, and reveal no more than they may.

use domain::execution::{ExecutionResult, Verdict};
use ids::{ExecutionId, UserId};
use reqwest::StatusCode;
use runtime::Clock;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use storage::{executions, feature_health};
use testing::TestDatabase;
use tests::{Reply, Student, World};
use uuid::Uuid;

use crate::sandbox::grading::CHANNELS;

/// Keeps an exercise that is not of the course; its address.
async fn set_up(world: &World, tests: Value) -> String {
    let id = world.clock().new_id();
    let exercise = json!({
        "slug": "of-a-test", "title": "Of a test", "difficulty": "easy", "task": "Write `f(x)`.",
        "starter": "def f(x):\n    pass\n", "reference": "def f(x):\n    return 'right'\n",
        "hints": ["Think.", "Think again."], "tests": tests
    });
    let sql = "INSERT INTO exercises (id, topic_slug, difficulty, title, statement, starter, solution, status, created_at)
               VALUES ($1, 'lists', 'easy', 'Of a test', 'Write f.', '', $2, 'verified', now())";
    let query = sqlx::query(sql).bind(id).bind(exercise);
    query.execute(&mut world.database().await).await.expect("it is valid");
    format!("/exercises/{id}")
}

async fn hand_in(
    world: &World,
    student: &Student,
    path: &str,
    code: &str,
    wait: &'static str,
) -> Reply {
    let body = json!({ "code": code });
    let path = format!("{path}/submissions");
    world.post_with(&path, &student.token, &body, [("prefer", wait)]).await
}

/// Waits until a solution is no longer graded.
async fn settled(world: &World, student: &Student, reply: &Reply) -> Value {
    let path = format!("/submissions/{}", reply.body["id"].as_str().expect("an id"));
    testing::eventually("the solution is settled", async || {
        let found = world.get(&path, Some(&student.token)).await.body;
        (found["status"] != "pending").then_some(found)
    })
    .await
}

/// A solution that tells each hidden test by another channel, and at its top what it finds of its test in the
/// interpreter.
fn leaky_solution() -> String {
    let branches: String = CHANNELS
        .iter()
        .enumerate()
        .map(|(number, channel)| {
            format!("    if x == 'Secret{number}':\n        {}\n", channel.replace("\n", "\n    "))
        })
        .collect();
    let looks = "import sys\nframe = sys._getframe()\nwhile frame:\n    for value in list(frame.f_locals.values()):\n        \
                 print(getattr(value, 'call', ''), file=sys.stderr)\n    frame = frame.f_back\n";
    format!("{looks}def f(x):\n{branches}    return 'wrong'\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_response_to_a_student_contains_a_hidden_value() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let hidden = (0..CHANNELS.len()).map(|number| {
        json!({ "call": format!("f('Secret{number}')"), "expected": "'Expected'", "hidden": "a case" })
    });
    let shown = json!({ "call": "f('shown')", "expected": "'right'" });
    let typed =
        json!({ "stdin": "Secret stdin\n", "expected": "Expected output", "hidden": "typed" });
    let raising =
        json!({ "call": "f('SecretError')", "raises": "ExpectedError", "hidden": "raising" });
    let tests: Vec<Value> = hidden.chain([shown, typed, raising]).collect();
    let path = set_up(&world, tests.into()).await;
    let code = leaky_solution();
    let id = path.rsplit('/').next().expect("an id");
    let mut replies = vec![hand_in(&world, &student, &path, &code, "wait=25").await];
    assert_eq!(replies[0].body["status"], "graded", "{:?}", replies[0].body);
    let message = replies[0].body["feedback"]["message"].as_str().expect("a message");
    assert!(message.contains("`f('shown')`"), "{message}");
    let statuses = replies[0].body["feedback"]["tests"].as_array().expect("tests").iter();
    assert!(statuses.filter(|test| test["hidden"] == true).all(|test| test["status"] != "pass"));
    let debug = json!({ "code": code, "exercise_id": id, "question": "why is it wrong?" });
    for visible in [&code, &code.replace("return 'wrong'", "return 'right'")] {
        let body = json!({ "code": visible, "exercise_id": id });
        replies
            .push(world.post_with("/debug", &student.token, &body, [("prefer", "wait=25")]).await);
        replies.push(hand_in(&world, &student, &path, visible, "wait=25").await);
    }
    replies.push(world.post_with("/query", &student.token, &debug, [("prefer", "wait=25")]).await);
    replies.push(
        world
            .post_with(
                "/reviews",
                &student.token,
                &json!({ "code": code, "exercise_id": id }),
                [("prefer", "wait=25")],
            )
            .await,
    );
    replies.push(world.get(&path, Some(&student.token)).await);
    replies.push(world.get(&format!("{path}/submissions"), Some(&student.token)).await);
    let submission = replies[0].body["id"].as_str().expect("an id");
    replies.push(world.get(&format!("/submissions/{submission}"), Some(&student.token)).await);
    for reply in &replies {
        // What the student has written may come back; the program has `Secret0` and the like in it.
        let text = reply.body.to_string().replace(&json!(code).to_string(), "");
        for secret in ["f('Secret", "Secret stdin", "Expected", "SecretError"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(reply.status.is_success(), "{reply:?}");
    }
    // No run with hidden tests is the student's to be read, and its result holds nothing.
    let kind = "FROM events WHERE type = 'execution.finished.v1' ORDER BY sequence";
    let sql = format!("SELECT correlation_id {kind}");
    let runs = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut world.database().await).await;
    let runs: Vec<Uuid> = runs.expect("it is valid");
    let sql = format!("SELECT id, type, data::text {kind}");
    let results = world.opened(sqlx::query(AssertSqlSafe(sql))).await;
    assert!(runs.len() >= 5, "{}", runs.len());
    for (run, result) in runs.into_iter().zip(results) {
        let result = result.to_string();
        let read = world.get(&format!("/executions/{run}"), Some(&student.token)).await;
        assert_eq!(read.status, StatusCode::NOT_FOUND);
        for secret in ["f('Secret", "Secret stdin", "Expected"] {
            assert!(!result.contains(secret), "{secret}: {result}");
        }
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_solution_that_cannot_be_judged_is_not_graded_and_is_no_attempt() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let case = |expected: &str| {
        json!([{ "call": "f(1)", "expected": "'right'" },
        { "call": "f(2)", "expected": expected, "hidden": "another" }])
    };
    let path = set_up(&world, case("what_nobody_can_work_out")).await;
    let right = "def f(x):\n    return 'right'\n";
    let reply = hand_in(&world, &student, &path, right, "wait=0").await;
    let found = settled(&world, &student, &reply).await;
    assert_eq!((&found["status"], &found["feedback"]), (&json!("failed"), &Value::Null), "{found}");
    let own = world.get(&format!("{path}/submissions"), Some(&student.token)).await;
    assert_eq!(own.body[0]["status"], "failed", "{:?}", own.body);
    let id = reply.body["id"].as_str().expect("an id");
    assert!(world.events_of_request(id, "activity.recorded.v1").await.is_empty());
    // It was tried more than once.
    let runs =
        "SELECT count(*) FROM events WHERE type = 'execution.requested.v1' AND $1 IS NOT NULL";
    assert_eq!(world.count(runs, Uuid::nil()).await, 3);
    let body = json!({ "code": right, "exercise_id": path.rsplit('/').next() });
    let debug = world.post_with("/debug", &student.token, &body, [("prefer", "wait=20")]).await;
    let cause = debug.body["answer"]["details"]["cause"].as_str().expect("a cause");
    assert!(cause.contains("my fault"), "{cause}");
    let list = world.get("/exercises?topic=lists&difficulty=easy", Some(&student.token)).await;
    let items = list.body["items"].as_array().expect("items");
    assert!(items.iter().all(|item| item["attempts"] == 0), "{items:?}");
    let fixed = "UPDATE exercises SET solution = jsonb_set(solution::jsonb, '{tests,1,expected}', '\"''right''\"')::json WHERE slug_is";
    let fixed = fixed.replace("WHERE slug_is", "WHERE title = 'Of a test'");
    sqlx::query(sqlx::AssertSqlSafe(fixed))
        .execute(&mut world.database().await)
        .await
        .expect("valid");
    let graded = hand_in(&world, &student, &path, right, "wait=20").await;
    let feedback = &graded.body["feedback"];
    assert_eq!(
        (&feedback["passed"], &feedback["attempt"]),
        (&json!(true), &json!(1)),
        "{feedback}"
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn correct_solutions_pass_whatever_is_below_them_and_untestable_ones_say_why() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let tests = json!([{ "call": "f(1)", "expected": "'right'" },
        { "call": "f(2)", "expected": "'right'", "hidden": "another" }]);
    let path = set_up(&world, tests).await;
    let right = "def f(x):\n    return 'right'\n";
    for below in
        ["if __name__ == '__main__':\n    print(f(input()))\n", "import sys\nsys.exit(1)\n"]
    {
        let other = world.student(&format!("s{}", below.len())).await;
        let reply = hand_in(&world, &other, &path, &format!("{right}{below}"), "wait=20").await;
        assert_eq!(reply.body["feedback"]["score"], 100, "{below}: {:?}", reply.body);
    }
    // What could not be tested says nothing of what the student can do, so it brings no solution nearer.
    for (code, part) in [
        (format!("{right}print(f(input()))\n"), "asks for input on line 3"),
        (right.replace("f(", "g("), "There is no function `f`; yours is called `g`."),
        (format!("{right}x = int(input('x? '))\n"), "asks for input on line 3"),
        (format!("import sys\n{right}x = int(sys.stdin.readline())\n"), "asks for input on line 4"),
        (format!("import sys\n{right}print(sys.argv[1])\n"), "asks for input on line 4"),
        ("print('hello')\n".to_owned(), "There is no function `f`"),
    ] {
        let reply = hand_in(&world, &student, &path, &code, "wait=20").await;
        let feedback = &reply.body["feedback"];
        let message = feedback["message"].as_str().expect("a message");
        assert!(message.starts_with("Nothing could be tested yet: "), "{message}");
        assert!(message.contains(part), "{message}");
        assert!(
            feedback["tests"][0]["message"].as_str().is_some_and(|text| text.contains(part)),
            "{feedback}"
        );
        assert_eq!(
            (&feedback["parsons"], &feedback["tested"]),
            (&json!(false), &json!(false)),
            "{feedback}"
        );
    }
    let early = world.post(&format!("{path}/parsons"), Some(&student.token), &json!({})).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "{:?}", early.body);
    let leaves = "def f(x):\n    exit()\n";
    let reply = hand_in(&world, &student, &path, leaves, "wait=20").await;
    let first = &reply.body["feedback"]["tests"][0];
    assert!(
        first["message"].as_str().is_some_and(|text| text.contains("ends the whole program")),
        "{first}"
    );
    assert_eq!(reply.body["feedback"]["tested"], Value::Null, "{:?}", reply.body);
    let body =
        json!({ "code": format!("{right}f(input())\n"), "exercise_id": path.rsplit('/').next() });
    let debug = world.post_with("/debug", &student.token, &body, [("prefer", "wait=20")]).await;
    let cause = debug.body["answer"]["details"]["cause"].as_str().expect("a cause");
    assert!(cause.contains("before its functions can be tested"), "{cause}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_line_of_a_wrong_result_is_found_by_trying_changes() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let tests = json!([
        { "call": "f([1, 3, 2])", "expected": "3" },
        { "call": "f([5])", "expected": "5" },
        { "call": "f([])", "expected": "None", "hidden": "nothing" },
    ]);
    let path = set_up(&world, tests).await;
    let id = path.rsplit('/').next().expect("an id");
    for (code, line, hint) in [
        (
            // What an import runs does not count as the student's lines.
            "import heapq\ndef f(a):\n    best = 0\n    for x in a:\n        if x < best:\n            best = x\n    return best\n",
            5,
            "Look at line 5.",
        ),
        // Without the line before its last the loop never ends: the search must. Another program with the same wrong
        // result is a new attempt at the same problem, and earns the next hint.
        (
            "def f(a):\n    best = a[0]\n    i = 1\n    while i < len(a):\n        if a[i] < best:\n            best = a[i]\n        i += 1\n    return best\n",
            5,
            "With a small change on line 5, it passes the tests that you can see.",
        ),
    ] {
        let body = json!({ "code": code, "exercise_id": id });
        let reply = world.post_with("/debug", &student.token, &body, [("prefer", "wait=25")]).await;
        let found = &reply.body["answer"]["details"];
        assert_eq!(found["error"]["line"], line, "{code}\n{:?}", reply.body);
        let given = found["hint"]["text"].as_str().expect("a hint");
        assert!(given.contains(hint), "{given}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_run_that_a_busy_machine_gave_no_time_is_no_error_of_the_student() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let (now, student) = (Clock::System.now(), UserId::from_uuid(Uuid::from_u128(1)));
    let rows = "WITH ada AS (INSERT INTO users (id, email, display_name, role, created_at)
                             VALUES ($1, 'ada@example.org', 'Ada', 'student', $2) RETURNING id)
                INSERT INTO executions (id, student_id, request, created_at)
                SELECT number, id, '{}', $2 FROM ada, unnest($3::uuid[]) AS number";
    let runs = [Verdict::Busy, Verdict::Timeout].map(|verdict| (Clock::System.new_id(), verdict));
    let insert =
        sqlx::query(rows).bind(student.as_uuid()).bind(now).bind(runs.map(|(id, _)| id).to_vec());
    insert.execute(&mut conn).await.expect("rows");
    for (id, verdict) in runs {
        let result = json!({
            "verdict": verdict, "exit_code": 124, "stdout": "", "stderr": "", "transcript": [], "truncated": false,
            "error": { "type": "Timeout", "message": "", "traceback": "" },
            "duration_ms": 1, "cpu_ms": 1, "memory_bytes": 1, "python": "3.14.0"
        });
        let result: ExecutionResult = serde_json::from_value(result).expect("a result");
        let stored =
            executions::record_result(&mut conn, ExecutionId::from_uuid(id), &result, now).await;
        assert!(stored.expect("it is stored"), "{verdict:?}");
    }
    let errors = executions::recent_error_types(&mut conn, student, 9).await.expect("a list");
    assert_eq!(errors, ["Timeout"], "only that of the run that had its time");
    let later = now + chrono::TimeDelta::seconds(1);
    let outcomes = feature_health::runs(&mut conn, now, later).await.expect("numbers");
    assert_eq!((outcomes.done, outcomes.failed), (1, 1));
    drop(conn);
    database.remove().await;
}
