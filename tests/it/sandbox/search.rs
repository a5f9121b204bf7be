//! The debug agent's search for the change that mends a program, with changes made by hand.

use serde_json::{Value, json};

use super::run_code;

const SEARCH: &str = include_str!("../../../functions/debug/content/search.py");
/// It never ends for a prime number.
const IS_PRIME: &str = "def is_prime(n):\n    d = 2\n    while d * d <= n:\n        if n % d == 0:\n            return False\n    return True\n";

/// A change that puts a text behind another one of the program.
fn behind(line: u32, before: &str, new: &str) -> Value {
    let at = IS_PRIME.find(before).expect("the program has it") + before.len();
    json!({ "line": line, "kind": "number", "edits": [[at, at, new]] })
}

fn counts() -> Value {
    behind(4, "<= n:\n", "        d += 1\n")
}

/// What the search finds, if the program should say that a number is prime.
async fn found(number: u32, changes: &[Value]) -> Value {
    let check = json!({
        "call": format!("is_prime({number})"), "stdin": null, "expected": "True", "raises": null,
    });
    let task = json!({ "program": IS_PRIME, "checks": [check], "changes": changes }).to_string();
    let result = run_code(&format!("TASK = {}\n{SEARCH}", json!(task))).await;
    let last = result.stdout.lines().next_back().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("no answer: {result:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_a_program_is_found_behind_many_changes_that_do_not() {
    let useless = (1..=60).map(|n| behind(3, "<= n", &format!(" + 0 * {n}")));
    let changes: Vec<Value> = useless.chain([counts()]).collect();
    let found = found(11, &changes).await;
    assert_eq!(found["places"][0]["line"], 4, "{found}");
    assert_eq!((&found["mends_all"], &found["others"]), (&json!(true), &json!([])), "{found}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_a_program_late_is_named_beside_what_ends_it_soon() {
    // For 10,007 the right change needs hundreds of lines; to leave the loop gives the same at once.
    let leaves = behind(5, "return False", "\n        break");
    let found = found(10_007, &[leaves, counts()]).await;
    let named: Vec<&Value> = [&found["places"][0]["line"], &found["others"][0]].into();
    assert!(named.contains(&&json!(4)) && named.contains(&&json!(5)), "{found}");
}
