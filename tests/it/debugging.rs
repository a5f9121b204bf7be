//! The debug agent runs the program, says where and why it fails, and gives one hint at a time.

use domain::execution::Verdict;
use events::question_answered::Details;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{Reply, Student, World, worker_command};

async fn help(world: &World, student: &Student, body: Value) -> Reply {
    world.post_with("/debug", &student.token, &body, [("prefer", "wait=20")]).await
}

fn details(reply: &Reply) -> &Value {
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    assert_eq!(reply.body["agent"], "debug");
    &reply.body["answer"]["details"]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_alone_is_run_and_the_error_is_found_in_it() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let code = "prices = [3, 4]\nfor place in range(3):\n    print(prices[place])\n";
    let reply = help(&world, &student, json!({ "code": code })).await;
    let found = details(&reply);
    assert_eq!(
        found["error"],
        json!({ "type": "IndexError", "message": "list index out of range", "line": 3 })
    );
    assert!(found["cause"].as_str().is_some_and(|cause| cause.contains("index is 2")), "{found}");
    assert_eq!(found["misconception"], "positions start at 1, or end at the length");
    assert_eq!((&found["hint"]["level"], &found["hint"]["of"]), (&json!(1), &json!(3)));
    // To look into a program is no run of its student.
    let sql = "SELECT count(*) FROM events WHERE topic = 'progress.events' AND subject = $1
               AND data::text LIKE '%code_run%'";
    assert_eq!(world.count(sql, student.id).await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ladder_goes_up_for_a_new_attempt_or_with_time_and_not_for_asking_again() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let level = async |code: &str| {
        let reply = help(&world, &student, json!({ "code": code })).await;
        let hint = &details(&reply)["hint"];
        (hint["level"].as_u64(), hint["text"].as_str().expect("a text").to_owned())
    };
    let (first, text) = level("ages = {}\nprint(ages['Bob'])\n").await;
    assert_eq!(first, Some(1));
    assert!(!text.contains("```") && !text.contains("get("), "{text}");
    assert_eq!(level("ages = {}\nprint(ages['Bob'])\n").await.0, Some(1));
    world.advance(91);
    assert_eq!(level("ages = {}\nprint(ages['Bob'])\n").await.0, Some(2));
    // A new attempt at the same line: the lines above it have changed.
    let (third, text) = level("ages = {'Eve': 3}\nprint(ages['Bob'])\n").await;
    assert_eq!(third, Some(3));
    assert!(text.contains("capitals.get") && text.contains("unknown"), "{text}");
    // Another problem begins at the bottom, and another student has a ladder of their own.
    assert_eq!(level("print(1 / 0)\n").await.0, Some(1));
    let other = world.student("bob").await;
    let reply = help(&world, &other, json!({ "code": "ages = {}\nprint(ages['Bob'])\n" })).await;
    assert_eq!(details(&reply)["hint"]["level"], 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_with_a_traceback_comes_to_the_debug_agent_whatever_it_was_pasted_from() {
    let world = World::new().await;
    let student = world.student("ada").await;
    for (question, kind, line) in [
        (
            "Why?\n```\nx = '3'\nprint(x + 4)\n```\nTraceback (most recent call last):\n  File \"main.py\", line 2, in <module>\n    print(x + 4)\nTypeError: can only concatenate str (not \"int\") to str",
            "TypeError",
            2,
        ),
        (
            "help, what is this\n>>> total = 1\n>>> print(totl)\nNameError: name 'totl' is not defined",
            "NameError",
            2,
        ),
        (
            "my notebook says\n---------------------------------------------------------------------------\nNameError                                 Traceback (most recent call last)\nCell In[3], line 1\n----> 1 print(y)\n\nNameError: name 'y' is not defined",
            "NameError",
            1,
        ),
        (
            "It broke:\n  File \"/home/a/game.py\", line 40, in play\n    score = lives / turns\nZeroDivisionError: division by zero\n```python\nlives = 3\nturns = 0\nscore = lives / turns\n```",
            "ZeroDivisionError",
            3,
        ),
        (
            "the error is KeyError: 'b' and during handling\nTraceback (most recent call last):\n  File \"a.py\", line 2, in <module>\nKeyError: 'b'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\", line 4, in <module>\n    raise ValueError('no b')\nValueError: no b",
            "ValueError",
            4,
        ),
    ] {
        let reply = world.ask(&student, question, 20).await;
        let found = details(&reply);
        assert_eq!(found["error"]["type"], kind, "{question}\n{found}");
        assert_eq!(found["error"]["line"], line, "{question}\n{found}");
    }
    let reply = world.ask(&student, "Uncaught TypeError: x.map is not a function", 20).await;
    assert!(
        reply.body["answer"]["content"].as_str().is_some_and(|text| text.contains("JavaScript"))
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_that_end_without_an_error_are_looked_into_too() {
    let world = World::new().await;
    let student = world.student("ada").await;
    for (code, says) in [
        ("def greet():\n    print('hi')\n", "nothing calls it"),
        ("x = 1 + 1\n", "prints nothing"),
        ("def f(n):\n    print(n)\n\nprint(f(3))\n", "None is printed"),
        ("print(10 - 3)\n", "prints:"),
        ("name = input()\nprint(name[9])\n", "waits for input on line 1"),
        ("age = input()\nif age > 3:\n    print(age)\n", "I noticed line 2"),
        ("def f(a):\n    for x in a:\n        return x\n\nprint(f([1]))\n", "I noticed line 3"),
        ("n = 1\nwhile n > 0:\n    n = n + 1\n", "line"),
        ("if True\n    print(1)\n", "line 1"),
    ] {
        let reply = help(&world, &student, json!({ "code": code })).await;
        details(&reply);
        let content = reply.body["answer"]["content"].as_str().expect("a text");
        assert!(content.contains(says), "{code}\n{content}");
    }
    world.finish().await;
}

/// What is found for a program and a question about its results.
async fn wrong(world: &World, student: &Student, code: &str, question: &str) -> (Value, String) {
    let reply = help(world, student, json!({ "code": code, "question": question })).await;
    let content = reply.body["answer"]["content"].as_str().expect("a text").to_owned();
    (details(&reply)["error"]["line"].clone(), content)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_line_of_a_wrong_output_is_found_by_trying_changes() {
    let world = World::new().await;
    let student = world.student("ada").await;
    for (code, question, line) in [
        (
            "side = int(input('Side: '))\narea = side + side\nprint('Area', area)\n",
            "when I type 5 it prints Area 10 instead of Area 25",
            2,
        ),
        (
            "total = 0\nfor price in [2, 3, 4]:\n    total = price\nprint(total)\n",
            "The output is 4 but it should be 9.",
            3,
        ),
    ] {
        let (found, content) = wrong(&world, &student, code, question).await;
        assert_eq!(found, line, "{content}");
        assert!(content.contains("This should come out"), "{content}");
    }
    let (_, content) = wrong(&world, &student, "print(2 + 3)\n", "it prints 6 instead of 5").await;
    assert!(content.contains("it printed what you expect"), "{content}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_search_knows_recursion_and_what_it_cannot_know() {
    let world = World::new().await;
    let student = world.student("ada").await;
    // Each call makes two: only a function that remembers its results ends soon enough.
    let ways = "def ways(right, down):\n    if right == 0 or down == 0:\n        return 1\n    return ways(right - 1, down) + ways(right - 1, down - 1)\n";
    let asked = "ways(9, 9) should be 48620";
    let (line, content) = wrong(&world, &student, ways, asked).await;
    assert_eq!(line, 4, "{content}");

    let total = "def total(prices):\n    rest = 0\n    for price in prices:\n        rest += price\n    return rest - 1\n";
    let asked = "total([2, 3]) gives 4 but it should be 5";
    let (_, content) = wrong(&world, &student, total, asked).await;
    assert!(content.contains("I am not certain of the line"), "{content}");

    // No change helps, but one line only runs when it goes wrong.
    let word = "def word(n):\n    if n > 9:\n        return '?'\n    return str(n)\n";
    let asked = "word(3) should be '3', and word(12) should be 'twelve'";
    let (line, content) = wrong(&world, &student, word, asked).await;
    assert_eq!(line, 3, "{content}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_functions_own_endpoint_gives_the_same_diagnosis() {
    let world = World::new().await;
    let send = async |body: Value| {
        world.send("debug", |client, url| client.post(format!("{url}/debug")).json(&body)).await
    };
    let reply = send(json!({ "code": "print(1 / 0)" })).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    assert_eq!(reply.body["error"]["type"], "ZeroDivisionError");
    assert_eq!(
        (&reply.body["hint"]["level"], &reply.body["answered_by"]),
        (&json!(1), &json!("offline"))
    );
    let reply = send(json!({ "code": "1", "colour": 1 })).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_dies_and_the_hint_comes_all_the_same_and_counts_once() {
    let mut world = World::new().await;
    let student = world.student("ada").await;
    let body = json!({ "code": "print(1 / 0)" });
    let reply = world.post_with("/debug", &student.token, &body, [("prefer", "wait=0")]).await;
    world.kill().await;
    world.start(runtime::fault::Faults::default()).await;
    // What the dead process had not published is the relay's when its lease is over.
    world.advance(11);
    let id = reply.body["id"].as_str().expect("an id");
    let answered = world.answer(&student, id).await;
    let details = answered.answer.and_then(|answer| answer.details);
    let Some(Details::Debug(diagnosis)) = details else { panic!("no diagnosis: {details:?}") };
    assert_eq!(diagnosis.hint.level, 1);
    let sql = "SELECT coalesce(sum(given), 0) FROM hint_ladders WHERE student_id = $1";
    assert_eq!(world.count(sql, student.id).await, 1);
    let sql = "SELECT count(*) FROM drafts WHERE student_id = $1";
    assert_eq!(world.count(sql, student.id).await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_of_the_last_rung_prints_what_it_says() {
    let workers = code_execution::workers::Workers::processes(&worker_command(), 1);
    for parallel in debug::hint::parallels() {
        let program = serde_json::from_value(json!({ "code": parallel.code })).expect("a program");
        let now = runtime::Clock::System.now();
        let result =
            code_execution::execute::execute(&workers, &program, now).await.expect("a free worker");
        assert_eq!(result.verdict, Verdict::Ok, "{}", parallel.code);
        assert_eq!(result.stdout, parallel.output, "{}", parallel.code);
    }
}
