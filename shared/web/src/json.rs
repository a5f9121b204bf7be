//! Request bodies: bounded, then parsed, with precise error messages.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use environment::deadline;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::error::Category;

use crate::Problem;

/// Most bytes of a request body: code, error and question at their longest, escaped, fit well.
pub const BODY_LIMIT: usize = 512 * 1024;

/// The longest for a body to arrive: the largest one over a slow phone connection.
const BODY_PATIENCE: Duration = Duration::from_secs(20);

/// A JSON body: read from requests with full diagnostics, written to responses.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let is_json = content_type
            .and_then(|value| value.to_str().ok())
            .is_some_and(|text| text.to_ascii_lowercase().starts_with("application/json"));
        if !is_json {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send the header Content-Type: application/json",
            ));
        }
        let body = read_body(request.into_body(), BODY_LIMIT).await?;
        read_json(&body).map(Json)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Reads a body of up to `limit` bytes.
pub async fn read_body(body: Body, limit: usize) -> Result<bytes::Bytes, Problem> {
    deadline::allow(BODY_PATIENCE);
    let read = tokio::time::timeout(BODY_PATIENCE, to_bytes(body, limit)).await;
    let read = read.map_err(|_elapsed| {
        let detail = format!("the body did not arrive within {} s", BODY_PATIENCE.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail)
    })?;
    read.map_err(|error| {
        let too_long = std::error::Error::source(&error)
            .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if too_long {
            let detail = format!("the body may have at most {limit} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "body_unreadable", "the body ended early")
        }
    })
}

/// Parses a JSON body.
///
/// # Errors
/// 400 with the position for what is not JSON, 422 with the field for what has the wrong shape.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        match error.classify() {
            Category::Data => wrong_shape(&path, &error),
            Category::Io | Category::Syntax | Category::Eof => not_json(&error),
        }
    })?;
    deserializer.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    let detail = format!("the body is not valid JSON: {error}");
    Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail)
}

/// 422: a part of a request has the wrong shape at this path.
///
/// serde names a missing or unknown field only in its message, after the path of its parent.
#[must_use]
pub fn wrong_shape(path: &str, error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text);
    let parent = if path == "." { "" } else { path };
    let named = ["missing field `", "unknown field `"]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix).and_then(|rest| rest.split('`').next()));
    let field = match named {
        Some(name) if parent.is_empty() || parent.ends_with(name) => name.to_owned(),
        Some(name) => format!("{parent}.{name}"),
        None => parent.to_owned(),
    };
    Problem::field(field, message)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::read_json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Order {
        name: String,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Inner {
        count: u8,
    }

    fn check(body: &str, status: u16, expected: &str) {
        let problem = read_json::<Order>(body.as_bytes()).unwrap_err();
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(problem.status(), status, "{text}");
        assert!(text.contains(expected), "{expected} not in {text}");
    }

    #[test]
    fn the_fault_is_named_where_it_is() {
        check("{\"name\": \"x\",}", 400, "line 1 column 14");
        check("", 400, "EOF while parsing");
        check("{\"name\": \"x\"} trailing", 400, "trailing characters");
        check("[]", 422, "validation_failed");
        check("{}", 422, "\"field\":\"name\",\"detail\":\"missing field `name`\"");
        check("{\"name\": 3}", 422, "\"field\":\"name\",\"detail\":\"invalid type: integer");
        check(
            "{\"name\": \"x\", \"nmae\": 1}",
            422,
            "\"field\":\"nmae\",\"detail\":\"unknown field `nmae`",
        );
        check("{\"name\": \"x\", \"inner\": {}}", 422, "\"field\":\"inner.count\"");
        check("{\"name\": \"x\", \"inner\": {\"count\": 300}}", 422, "\"field\":\"inner.count\"");
    }
}
