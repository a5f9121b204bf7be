//! Responses as API Gateway gets them from a function.

use std::collections::BTreeMap;

use axum::{
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http_body_util::BodyExt;
use serde::Serialize;
use web::Problem;

/// Most bytes of a body as it is sent, binary ones in base64. A function's response has 6 MB at most, headers, quotes and
/// what JSON escapes included; our largest JSON is far smaller.
const BODY_LIMIT: usize = 5_500_000;

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
    pub(crate) fn of_socket(mut self) -> Self {
        // The only header that it reads, spelled as in AWS's documentation.
        if let Some(protocol) = self.headers.remove("sec-websocket-protocol") {
            self.headers.insert("Sec-WebSocket-Protocol".to_owned(), protocol);
        }
        Self { cookies: None, ..self }
    }
}

/// A response as an HTTP API gets it.
pub(crate) async fn http_response(
    response: Response,
) -> Result<HttpResponse, lambda_runtime::Error> {
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let (mut body, mut is_base64_encoded) = match String::from_utf8(bytes.into()) {
        Ok(text) => (text, false),
        Err(binary) => (STANDARD.encode(binary.into_bytes()), true),
    };
    if body.len() > BODY_LIMIT {
        let (instead, problem) = too_large().into_response().into_parts();
        parts.status = instead.status;
        // Those that let a page of another origin read the answer stay.
        for of_body in [CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, ETAG] {
            parts.headers.remove(of_body);
        }
        parts.headers.extend(instead.headers);
        body = String::from_utf8(problem.collect().await?.to_bytes().into())?;
        is_base64_encoded = false;
    }
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

/// Instead of an answer that API Gateway would not take: the caller would only read "Internal Server Error".
fn too_large() -> Problem {
    let detail =
        "the answer is larger than AWS Lambda can send; ask whoever runs this service for the file";
    Problem::new(StatusCode::NOT_IMPLEMENTED, "answer_too_large", detail)
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

    #[tokio::test]
    async fn an_answer_that_lambda_cannot_send_is_a_problem() {
        // As base64 it is a third larger.
        let binary = vec![0xff; 4_500_000];
        let response = Response::builder().header("access-control-allow-origin", "*");
        let response = response.header("content-type", "application/zip").body(Body::from(binary));
        let http = http_response(response.unwrap()).await.unwrap();
        assert_eq!((http.status_code, http.is_base64_encoded), (501, false));
        assert_eq!(http.headers["content-type"], "application/problem+json");
        assert_eq!(http.headers["access-control-allow-origin"], "*");
        assert!(http.body.contains("answer_too_large"), "{}", http.body);
        let http = http_response(Response::new(Body::from(vec![0xff; 4_000_000]))).await.unwrap();
        assert_eq!((http.status_code, http.is_base64_encoded), (200, true));
    }
}
