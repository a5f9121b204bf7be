//! The harness itself: a test without final checks fails, and so does one whose final checks find something.

use serde_json::{Value, json};
use tests::{World, contract::conforms};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "forgotten its final checks")]
async fn a_test_that_forgets_its_final_checks_fails() {
    let world = World::new().await;
    world.student("ada").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "dead letters")]
async fn a_test_that_leaves_a_dead_letter_fails() {
    let world = World::new().await;
    let sql = "INSERT INTO events (id, topic, partition_key, type, source, correlation_id, data, occurred_at, lease_until, published_at)
               SELECT gen_random_uuid(), 'dead.letters', 'key', 'message.dead_lettered.v1', 'learnflow/test',
                      gen_random_uuid(), '{}', now(), now(), now()";
    sqlx::query(sql).execute(&mut world.database().await).await.expect("the event is kept");
    world.finish().await;
}

#[test]
fn an_undocumented_response_is_detected() {
    let document = json!({ "components": { "schemas": {
        "Dog": { "type": "object", "required": ["name"], "properties": {
            "name": { "type": "string" }, "age": { "type": ["integer", "null"] },
            "size": { "type": "string", "enum": ["small", "large"] } } },
        "Pack": { "allOf": [{ "$ref": "#/components/schemas/Dog" },
                            { "type": "object", "required": ["dogs"], "properties": {
                                "dogs": { "type": "array", "items": { "$ref": "#/components/schemas/Dog" } },
                                "by_name": { "type": "object", "additionalProperties": { "$ref": "#/components/schemas/Dog" } } } }] },
        "Either": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Dog" }] }
    } } });
    let check = |name: &str, value: &Value| {
        conforms(&document, &document["components"]["schemas"][name], value)
    };
    for (name, value) in [
        ("Dog", json!({ "name": "Rex", "age": null })),
        ("Dog", json!({ "name": "Rex", "age": 3, "size": "large" })),
        (
            "Pack",
            json!({ "name": "all", "dogs": [{ "name": "Rex" }], "by_name": { "Rex": { "name": "Rex" } } }),
        ),
        ("Either", Value::Null),
        ("Either", json!({ "name": "Rex" })),
    ] {
        assert_eq!(check(name, &value), Ok(()), "{name} {value}");
    }
    for (name, value, fault) in [
        ("Dog", json!({}), "name is missing"),
        ("Dog", json!([]), "[] is not \"object\""),
        ("Dog", json!({ "name": 1 }), "name: 1 is not \"string\""),
        ("Dog", json!({ "name": "Rex", "age": 3.5 }), "age: 3.5 is not [\"integer\",\"null\"]"),
        ("Dog", json!({ "name": "Rex", "colour": "red" }), "colour is not documented"),
        ("Dog", json!({ "name": "Rex", "size": "huge" }), "size: \"huge\" is none of"),
        ("Pack", json!({ "name": "all" }), "dogs is missing"),
        ("Pack", json!({ "name": "all", "dogs": [{}] }), "dogs: [0]: name is missing"),
        (
            "Pack",
            json!({ "name": "all", "dogs": [], "by_name": { "Rex": 1 } }),
            "by_name: Rex: 1 is not",
        ),
        ("Either", json!({}), "fits none of"),
    ] {
        let found = check(name, &value).expect_err("it is not as documented");
        assert!(found.contains(fault), "{name} {value}: {found}");
    }
}
