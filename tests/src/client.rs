//! Requests of tests to the functions, and their responses, which are read as the gateway's own types.

use std::time::Duration;

use api_gateway::responses::Session;
use reqwest::{StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

/// A logged-in person, usually a student.
#[derive(Debug, Clone)]
pub struct Student {
    /// The account's id.
    pub id: Uuid,
    /// The access token.
    pub token: String,
    /// The refresh token, unless it is in a cookie.
    pub refresh_token: String,
}

impl From<Session> for Student {
    fn from(session: Session) -> Self {
        let Session { access_token, refresh_token, user, .. } = session;
        let refresh_token = refresh_token.unwrap_or_default();
        Self { id: user.id.as_uuid(), token: access_token, refresh_token }
    }
}

/// An HTTP response.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; a CSV file as a string; null if it is neither.
    pub body: Value,
}

impl Reply {
    /// The body as a type of the API, if the status is as expected.
    ///
    /// # Panics
    /// The status is another one, or the body has another type.
    #[must_use]
    pub fn expect<T: DeserializeOwned>(self, status: StatusCode) -> T {
        assert_eq!(self.status, status, "{:?}", self.body);
        serde_json::from_value(self.body).expect("the body is of this type")
    }

    /// The body of a successful response.
    ///
    /// # Panics
    /// The request failed, or the body has another type.
    #[must_use]
    pub fn ok<T: DeserializeOwned>(self) -> T {
        self.expect(StatusCode::OK)
    }
}

/// Sends a request and reads the response; `None` if the connection breaks.
pub async fn reply(request: reqwest::RequestBuilder) -> Option<Reply> {
    let response = request.timeout(Duration::from_secs(60)).send().await.ok()?;
    let (status, headers) = (response.status(), response.headers().clone());
    let is_csv = headers
        .get("content-type")
        .is_some_and(|content_type| content_type.as_bytes().starts_with(b"text/csv"));
    let body = if is_csv {
        response.text().await.map_or(Value::Null, Value::String)
    } else {
        response.json().await.unwrap_or(Value::Null)
    };
    Some(Reply { status, headers, body })
}
