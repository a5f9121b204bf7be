//! Whether the gateway's responses match its OpenAPI document.
//!
//! Checks the path, the method, the status, the content type, and every member of the body. [`crate::World`] checks
//! each response that a test gets from the gateway.

use std::{collections::BTreeMap, sync::LazyLock};

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(api_gateway::openapi()).expect("it is JSON"));

/// The OpenAPI document.
#[must_use]
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// All operations: the method in upper case, the path as in the document, and the operation itself.
pub fn operations() -> impl Iterator<Item = (String, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(|(method, operation)| (method.to_uppercase(), path.as_str(), operation))
    })
}

/// Checks a response; `body` is null if there is none.
///
/// # Errors
/// What does not match the document.
pub fn check(
    method: &Method,
    path: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &Value,
) -> Result<(), String> {
    let Some(operation) = operation(method, path) else {
        // A browser's preflight request is not documented.
        let is_refused = *method == Method::OPTIONS || matches!(status.as_u16(), 404 | 405);
        let is_document = path == "/openapi.json" || path == "/asyncapi.json";
        let is_page = is_document || path.starts_with("/docs") || path == "/metrics";
        let known = is_refused || is_page || path == "/health" || path == "/ready";
        return if known { Ok(()) } else { Err(format!("{method} {path} is not documented")) };
    };
    let responses = &operation["responses"];
    let response = match &responses[status.as_str()] {
        Value::Null if status.is_success() => return Err(format!("{status} is not documented")),
        Value::Null => &responses["default"],
        response => response,
    };
    let Some(content) = response["content"].as_object() else {
        return if body.is_null() { Ok(()) } else { Err("a body is not documented".to_owned()) };
    };
    let sent = headers.get("content-type").and_then(|value| value.to_str().ok());
    let sent = sent.unwrap_or_default().split(';').next().unwrap_or_default();
    let schema = content.get(sent).map(|content| &content["schema"]);
    let schema = schema.ok_or_else(|| format!("the content type {sent} is not documented"))?;
    if sent == "text/event-stream" {
        // Its events are no JSON together; the tests of streams read them one by one.
        return Ok(());
    }
    if sent == "application/zip" {
        return Ok(());
    }
    conforms(&DOCUMENT, schema, body)
}

/// The operation at a path; a fixed path takes precedence over one with parameters.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let (mut left, mut right) = (template.split('/'), path.split('/'));
        let all = left.by_ref().zip(right.by_ref());
        let same = all.fold(true, |same, (one, other)| {
            same && (one == other || one.starts_with('{') && !other.is_empty())
        });
        same && template.split('/').count() == path.split('/').count()
    };
    operations()
        .filter(|(of, template, _)| of == method.as_str() && fits(template))
        .min_by_key(|(_, template, _)| template.matches('{').count())
        .map(|(.., operation)| operation)
}

/// Checks a value against a schema, as far as our documents go: JSON Schema without patterns and bounds.
///
/// # Errors
/// The first member that does not match, and members that the schema does not name.
pub fn conforms(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = resolve(document, schema);
    for alternatives in ["oneOf", "anyOf"] {
        if let Some(alternatives) = schema[alternatives].as_array() {
            let faults = alternatives.iter().map(|one| conforms(document, one, value));
            let faults: Result<Vec<_>, ()> = faults.map(|fault| fault.err().ok_or(())).collect();
            return faults
                .map_or(Ok(()), |faults| Err(format!("fits none of: {}", faults.join("; "))));
        }
    }
    for (number, part) in schema["allOf"].as_array().into_iter().flatten().enumerate() {
        // Members of an object beside those of one of several kinds.
        if let Some(kinds) = resolve(document, part)["oneOf"].as_array() {
            let of_kind = kinds.iter().map(|kind| {
                let mut schema = schema.clone();
                schema["allOf"][number] = kind.clone();
                schema
            });
            let whole = json!({ "oneOf": of_kind.collect::<Vec<_>>() });
            return conforms(document, &whole, value);
        }
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        return Err(format!("{value} is none of {values:?}"));
    }
    match value {
        Value::Object(_) => object_conforms(document, schema, value),
        Value::Array(items) => {
            is_of_type(schema, "array", value)?;
            // A list of schemas is the older form of a tuple, which AsyncAPI has.
            let prefix = schema["prefixItems"].as_array().or_else(|| schema["items"].as_array());
            for (number, item) in items.iter().enumerate() {
                let own = prefix.and_then(|prefix| prefix.get(number));
                let own = own.unwrap_or_else(|| &schema["items"]);
                conforms(document, own, item).map_err(|fault| format!("[{number}]: {fault}"))?;
            }
            Ok(())
        }
        Value::Null => is_of_type(schema, "null", value),
        Value::Bool(_) => is_of_type(schema, "boolean", value),
        Value::String(_) => is_of_type(schema, "string", value),
        Value::Number(number) if number.is_f64() => is_of_type(schema, "number", value),
        Value::Number(_) => is_of_type(schema, "integer", value)
            .or_else(|fault| is_of_type(schema, "number", value).map_err(|_neither| fault)),
    }
}

fn is_of_type(schema: &Value, name: &str, value: &Value) -> Result<(), String> {
    let is = match &schema["type"] {
        Value::String(one) => one == name,
        Value::Array(all) => all.iter().any(|one| one == name),
        _ => false,
    };
    if is { Ok(()) } else { Err(format!("{value} is not {}", schema["type"])) }
}

fn object_conforms(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let mut shape = Shape::default();
    shape.add(document, schema, value)?;
    let members = value.as_object().into_iter().flatten();
    for (name, member) in members {
        let own = shape.properties.get(name.as_str()).copied().or(shape.others);
        let own = own.ok_or_else(|| format!("{name} is not documented"))?;
        conforms(document, own, member).map_err(|fault| format!("{name}: {fault}"))?;
    }
    match shape.required.into_iter().find(|name| value.get(name).is_none()) {
        Some(name) => Err(format!("{name} is missing")),
        None => Ok(()),
    }
}

/// The allowed and required members of an object, merged from all schemas that it must match.
#[derive(Default)]
struct Shape<'a> {
    properties: BTreeMap<&'a str, &'a Value>,
    required: Vec<&'a str>,
    others: Option<&'a Value>,
}

impl<'a> Shape<'a> {
    fn add(&mut self, document: &'a Value, schema: &'a Value, value: &Value) -> Result<(), String> {
        let schema = resolve(document, schema);
        if let Some(parts) = schema["allOf"].as_array() {
            return parts.iter().try_for_each(|part| self.add(document, part, value));
        }
        is_of_type(schema, "object", value)?;
        let properties = schema["properties"].as_object().into_iter().flatten();
        self.properties.extend(properties.map(|(name, own)| (name.as_str(), own)));
        let required = schema["required"].as_array().into_iter().flatten();
        self.required.extend(required.filter_map(Value::as_str));
        if schema["additionalProperties"].is_object() {
            self.others = Some(&schema["additionalProperties"]);
        }
        Ok(())
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    // A schema may be nothing but another name for one.
    pointer
        .and_then(|pointer| document.pointer(pointer))
        .map_or(schema, |found| resolve(document, found))
}
