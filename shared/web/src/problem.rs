//! Errors as clients get them: RFC 9457 `application/problem+json`.

use std::borrow::Cow;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use environment::{chain, telemetry};
use serde::{Deserialize, Serialize};
use storage::DatabaseFault;
use utoipa::ToSchema;

/// Seconds after which a client may try again when the database is unavailable.
const UNAVAILABLE_RETRY_SECONDS: u32 = 2;

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field, as a dotted path; empty for the body as a whole.
    pub field: String,
    /// What is wrong, and what is accepted.
    pub detail: String,
}

/// An error as a client sees it. The `type` is always `about:blank`, RFC 9457's default: `code` distinguishes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The status in words.
    title: Cow<'static, str>,
    /// The HTTP status.
    status: u16,
    /// A stable name for programs: `validation_failed`, `rate_limited`, ….
    code: Cow<'static, str>,
    /// What went wrong here and what to do about it.
    #[schema(value_type = String)]
    detail: Box<str>,
    /// The faulty fields of a request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The id under which the logs have the details.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    trace_id: Option<Box<str>>,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
}

impl Problem {
    /// A problem with this status, machine-readable code and advice.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            title: status.canonical_reason().unwrap_or("Error").into(),
            status: status.as_u16(),
            code: code.into(),
            detail: detail.into().into(),
            errors: Vec::new(),
            trace_id: None,
            retry_after_seconds: None,
        }
    }

    /// 422: one field is missing, unknown or out of bounds.
    #[must_use]
    pub fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let error = FieldError { field: field.into(), detail: detail.into() };
        let detail = format!("{}: {}", error.field, error.detail);
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", detail);
        problem.errors.push(error);
        problem
    }

    /// 422: several things are wrong; all of them are listed.
    #[must_use]
    pub fn fields(detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", detail);
        problem.errors = errors;
        problem
    }

    /// 401: no valid token.
    #[must_use]
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// 403: the caller is known, and may not do this.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404: it does not exist, or is hidden from this caller.
    #[must_use]
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 503: the database is unavailable; the cause is logged here, once.
    #[must_use]
    pub fn unavailable(error: &sqlx::Error) -> Self {
        tracing::warn!(error = %chain(error), "the database is not available");
        Self::not_in_time()
    }

    /// 503: the work did not end, and its outcome is unknown: the response to a commit may have been lost.
    #[must_use]
    pub fn not_in_time() -> Self {
        let detail = "the service is unavailable at the moment; send the request again with the \
                      same Idempotency-Key, so that nothing is done twice";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            .retry_after(UNAVAILABLE_RETRY_SECONDS)
    }

    /// 500: a server error; the cause is logged here, once.
    #[must_use]
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %chain(error), "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "this is our fault, and it has been logged",
        )
    }

    /// Tells the client when to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// When to try again.
    #[must_use]
    pub const fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The stable name for programs.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What went wrong, and what to do about it.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The faulty fields of the request.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        match DatabaseFault::of(&error) {
            DatabaseFault::Away | DatabaseFault::Passing => Self::unavailable(&error),
            DatabaseFault::Permanent => Self::internal(&error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        self.trace_id = telemetry::current_trace_id().map(Into::into);
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
