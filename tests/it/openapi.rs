//! The OpenAPI document describes everything.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::contract;

/// Finds schemas that do not fully describe a value: its type or types, and the contents of objects and lists.
fn find_faults(at: &str, schema: &Value, faults: &mut Vec<String>) {
    let mut inner =
        |name: &str, schema: &Value| find_faults(&format!("{at}.{name}"), schema, faults);
    if schema["$ref"].is_string() {
        return;
    }
    for parts in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[parts].as_array() {
            parts.iter().enumerate().for_each(|(number, part)| inner(&number.to_string(), part));
            return;
        }
    }
    let is_of = |name: &str| match &schema["type"] {
        Value::String(one) => one == name,
        Value::Array(all) => all.iter().any(|one| one == name),
        _ => false,
    };
    if is_of("object") {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            inner(name, property);
        }
        if schema["additionalProperties"].is_object() {
            inner("*", &schema["additionalProperties"]);
        } else if schema["properties"].as_object().is_none_or(|all| all.is_empty()) {
            faults.push(format!("{at}: an object of which nothing is said"));
        }
    } else if is_of("array") {
        let prefix = schema["prefixItems"].as_array();
        prefix.into_iter().flatten().for_each(|item| inner("item", item));
        if prefix.is_none() {
            inner("items", &schema["items"]);
        }
    } else if !["string", "integer", "number", "boolean", "null"].iter().any(|name| is_of(name)) {
        faults.push(format!("{at}: no type"));
    }
}

#[test]
fn every_schema_says_what_a_value_looks_like() {
    let document = contract::document();
    let mut faults = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        find_faults(name, schema, &mut faults);
    }
    for (method, path, operation) in contract::operations() {
        let at = format!("{method} {path}");
        for (number, parameter) in
            operation["parameters"].as_array().into_iter().flatten().enumerate()
        {
            find_faults(&format!("{at} parameter {number}"), &parameter["schema"], &mut faults);
        }
        let request = &operation["requestBody"];
        for content in request["content"].as_object().into_iter().flatten().map(|(_, it)| it) {
            find_faults(&format!("{at} request"), &content["schema"], &mut faults);
        }
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            let contents = response["content"].as_object();
            if contents.is_none() && !["204", "304"].contains(&status.as_str()) {
                faults.push(format!("{at} {status}: no content"));
            }
            for (_, content) in contents.into_iter().flatten() {
                find_faults(&format!("{at} {status}"), &content["schema"], &mut faults);
            }
        }
    }
    assert!(faults.is_empty(), "{} fault(s):\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_operation_has_a_name_of_its_own_and_every_response_a_description() {
    let mut names = BTreeSet::new();
    for (method, path, operation) in contract::operations() {
        let name = operation["operationId"].as_str().expect("a name");
        assert!(names.insert(name), "{method} {path} is the second {name}");
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            let words = response["description"].as_str().unwrap_or_default();
            assert!(!words.is_empty(), "{method} {path} {status}");
        }
    }
}

#[test]
fn an_empty_schema_is_detected() {
    for schema in [
        serde_json::json!({}),
        serde_json::json!({ "type": "object" }),
        serde_json::json!({ "type": ["object", "null"] }),
        serde_json::json!({ "type": "array", "items": {} }),
        serde_json::json!({ "oneOf": [{ "type": "null" }, { "type": "object" }] }),
        serde_json::json!({ "type": "object", "properties": { "inner": {} } }),
    ] {
        let mut faults = Vec::new();
        find_faults("schema", &schema, &mut faults);
        assert_eq!(faults.len(), 1, "{schema}: {faults:?}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn collect<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(value["$ref"].as_str());
                members.values().for_each(|member| collect(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let document = contract::document();
    let mut references = BTreeSet::new();
    collect(document, &mut references);
    assert!(references.len() > 100, "{references:?}");
    let leads_nowhere = |reference: &&str| {
        reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer)).is_none()
    };
    let lost: Vec<&str> = references.iter().copied().filter(leads_nowhere).collect();
    assert!(lost.is_empty(), "{lost:?}");
}
