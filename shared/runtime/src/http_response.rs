//! Responses as API Gateway gets them from a function.

use std::collections::BTreeMap;

use axum::{http::header::SET_COOKIE, response::Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use serde::Serialize;

/// A response.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpResponse {
    status_code: u16,
    headers: BTreeMap<String, String>,
    /// Values of `set-cookie`, which must not be joined. `None` for WebSocket APIs, whose responses have no such member.
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
    body: String,
    is_base64_encoded: bool,
}

impl HttpResponse {
    /// The same for a WebSocket API.
    pub(crate) fn of_socket(self) -> Self {
        Self { cookies: None, ..self }
    }
}

/// A response as an HTTP API gets it.
pub(crate) async fn http_response(
    response: Response,
) -> Result<HttpResponse, lambda_runtime::Error> {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let (body, is_base64_encoded) = match String::from_utf8(bytes.into()) {
        Ok(text) => (text, false),
        Err(binary) => (STANDARD.encode(binary.into_bytes()), true),
    };
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let mut cookies = Vec::new();
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        if name == SET_COOKIE {
            cookies.push(value.into_owned());
            continue;
        }
        headers
            .entry(name.to_string())
            .and_modify(|joined| *joined = format!("{joined},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    let (status_code, cookies) = (parts.status.as_u16(), Some(cookies));
    Ok(HttpResponse { status_code, headers, cookies, body, is_base64_encoded })
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, response::Response};
    use serde_json::json;

    use super::http_response;

    #[tokio::test]
    async fn headers_that_are_repeated_are_joined_and_cookies_are_not() {
        let response = Response::builder().status(201);
        let response = response.header("vary", "origin").header("vary", "accept");
        let response = response.header("set-cookie", "a=1; Path=/").header("set-cookie", "b=2");
        let response = response.body(Body::from("text")).unwrap();
        let http = http_response(response).await.unwrap();
        let mut expected = json!({
            "statusCode": 201, "headers": { "vary": "origin,accept" }, "cookies": ["a=1; Path=/", "b=2"],
            "body": "text", "isBase64Encoded": false
        });
        assert_eq!(serde_json::to_value(&http).unwrap(), expected);
        expected.as_object_mut().unwrap().remove("cookies");
        assert_eq!(serde_json::to_value(http.of_socket()).unwrap(), expected);
    }
}
