//! The code-review agent runs a program, reads it, and reports what is good and what to look at.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{Reply, Student, World};

async fn review(world: &World, student: &Student, code: &str) -> Reply {
    let body = json!({ "code": code, "topic": "lists" });
    world.post_with("/reviews", &student.token, &body, [("prefer", "wait=20")]).await
}

fn rules(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().filter_map(|finding| finding["rule"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_is_run_and_read_and_its_quality_goes_to_progress() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let code = "def longest(words):\n    best = ''\n    for i in range(len(words)):\n        if len(words[i]) > len(best):\n            best = words[i]\n    return best\n\nprint(longest(['a', 'abc']))\n";
    let reply = review(&world, &student, code).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    assert_eq!(reply.body["agent"], "code_review");
    let report = &reply.body["answer"]["details"];
    assert_eq!(rules(report), ["index_loop"]);
    assert_eq!(report["findings"][0]["line"], 3);
    let after = report["findings"][0]["after"].as_str().expect("better lines");
    assert!(
        after.starts_with("    for word in words:\n        if len(word) > len(best):"),
        "{after}"
    );
    // 7 statements and one style finding: 100 - 100 / 17.
    assert_eq!(report["score"], 94);
    let content = reply.body["answer"]["content"].as_str().expect("a text");
    assert!(content.contains("I ran it, and it runs to the end."), "{content}");
    assert!(content.contains("Quality: 94 out of 100."), "{content}");
    assert!(content.contains("This does the same. I ran it to make sure:"), "{content}");
    let id = reply.body["id"].as_str().expect("an id");
    let activities = world.events_of_request(id, "activity.recorded.v1").await;
    let expected = json!({ "type": "code_reviewed", "quality": 94, "topic": "lists" });
    assert_eq!(activities.len(), 1);
    assert_eq!(activities[0]["activity"], expected);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_of_the_run_come_first_and_three_are_shown() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let code = "import math\nlist = [3, 1]\nlist = list.sort()\nfor x in list:\n    if x == None:\n        print(x)\n";
    let reply = review(&world, &student, code).await;
    let report = &reply.body["answer"]["details"];
    let found = rules(report);
    assert_eq!(found[..2], ["ends_with_error", "in_place_result"]);
    assert_eq!(report["findings"][0]["line"], 4);
    assert!(found.len() > 3, "{found:?}");
    let content = reply.body["answer"]["content"].as_str().expect("a text");
    assert!(content.contains("\n\n3. ") && !content.contains("\n\n4. "), "{content}");
    assert!(content.contains("less important"), "{content}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suggestions_that_change_the_behaviour_are_not_shown() {
    let world = World::new().await;
    let student = world.student("ada").await;
    // 2 is truthy, but not equal to True.
    let code = "number = 2\nif number == True:\n    print('one')\nelse:\n    print('other')\n";
    let reply = review(&world, &student, code).await;
    let finding = &reply.body["answer"]["details"]["findings"][0];
    assert_eq!(finding["rule"], "compares_to_bool", "{:?}", reply.body);
    assert!(finding["after"].is_null(), "{finding}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clean_code_is_praised_and_nothing_is_invented() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let code = "def area(width, height):\n    \"\"\"Return the area of a rectangle.\"\"\"\n    return width * height\n\n\nprint(area(2, 3))\n";
    let reply = review(&world, &student, code).await;
    let report = &reply.body["answer"]["details"];
    assert_eq!((rules(report).len(), &report["score"]), (0, &json!(100)));
    assert!(report["praise"].as_str().is_some_and(|praise| praise.contains("docstring")));
    assert!(report["summary"].as_str().is_some_and(|text| text.contains("nothing to improve")));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_for_an_opinion_is_routed_with_its_program() {
    let world = World::new().await;
    let student = world.student("ada").await;
    let question = "Could you review my code and tell me how to improve it?\n```python\nx = True\nif x == True:\n    print('yes')\n```";
    let reply = world.ask(&student, question, 20).await;
    assert_eq!(reply.body["agent"], "code_review", "{:?}", reply.body);
    assert_eq!(rules(&reply.body["answer"]["details"]), ["compares_to_bool"]);
    let reply = world.ask(&student, "Please review my code for style", 20).await;
    let content = reply.body["answer"]["content"].as_str().expect("a text");
    assert!(content.contains("Paste it"), "{content}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_functions_own_endpoint_gives_the_same_report() {
    let world = World::new().await;
    let send = async |body: Value| {
        world
            .send("code-review", |client, url| client.post(format!("{url}/review")).json(&body))
            .await
    };
    let reply = send(json!({ "code": "x = 1\nx + 1\nprint(x)\n" })).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    assert_eq!((rules(&reply.body), &reply.body["score"]), (vec!["no_effect"], &json!(38)));
    assert_eq!(reply.body["answered_by"], "offline");
    assert_eq!(send(json!({ "kode": "" })).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.finish().await;
}
