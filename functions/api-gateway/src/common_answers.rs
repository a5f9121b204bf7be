//! What holds for all operations of the contract: errors are problems, and each kind of operation has answers of its
//! own that no endpoint needs to list.

use axum::http::StatusCode;
use runtime::web::Problem;
use utoipa::{
    ToSchema,
    openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder, path::Operation},
};

/// What an error is (RFC 9457).
const PROBLEM_JSON: &str = "application/problem+json";

/// What any request with a body may get: it is no JSON, comes too slowly, is too large, of another content type, or has
/// the wrong shape.
const WITH_BODY: [StatusCode; 5] = [
    StatusCode::BAD_REQUEST,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
];
/// What any request may get, but those of load balancers: too many of them, or the database is away.
const ANY: [StatusCode; 2] = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
/// The tag of what load balancers ask for.
const PROBES: &str = "Operations";

/// Completes all operations of a document.
pub(crate) fn complete(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(complete_operation);
    }
}

/// The statuses of an operation's kind.
fn of_kind(operation: &Operation) -> Vec<StatusCode> {
    let mut statuses = Vec::new();
    if operation.security.is_some() {
        statuses.push(StatusCode::UNAUTHORIZED);
    }
    if operation.request_body.is_some() {
        statuses.extend(WITH_BODY);
    }
    if operation.tags.iter().flatten().all(|tag| tag != PROBES) {
        statuses.extend(ANY);
    }
    statuses
}

fn complete_operation(operation: &mut Operation) {
    let problem = Content::new(Some(Ref::from_schema_name(Problem::name())));
    let statuses = of_kind(operation);
    let responses = &mut operation.responses.responses;
    for status in statuses {
        let response = ResponseBuilder::new().content(PROBLEM_JSON, problem.clone()).build();
        responses.entry(status.as_str().to_owned()).or_insert_with(|| response.into());
    }
    let other = ResponseBuilder::new()
        .description("Any other error")
        .content(PROBLEM_JSON, problem.clone())
        .build();
    responses.insert("default".to_owned(), other.into());
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            let code = status.parse::<StatusCode>().ok();
            let words = code.and_then(|code| code.canonical_reason()).unwrap_or_default();
            response.description = words.to_owned();
        }
        for (content_type, content) in std::mem::take(&mut response.content) {
            let is_problem = content == RefOr::T(problem.clone());
            let content_type = if is_problem { PROBLEM_JSON.to_owned() } else { content_type };
            response.content.insert(content_type, content);
        }
    }
}
