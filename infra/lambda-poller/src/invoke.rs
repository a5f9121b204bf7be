//! Invoking functions over HTTP.

use std::time::Duration;

use reqwest::{Client, Url, header::HeaderMap};

use crate::answer::Answer;

/// The most of an answer that is read: AWS's own limit for answers.
const ANSWER_LIMIT: usize = 6 * 1024 * 1024;
/// The longest for making a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// An endpoint that speaks Lambda's `Invoke`.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    client: Client,
    base: Url,
}

/// A client for calls on this machine: without proxies.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that builds a client; each call has its own limit"
)]
pub(crate) fn http_client() -> Result<Client, reqwest::Error> {
    Client::builder().connect_timeout(CONNECT_LIMIT).no_proxy().build()
}

impl Endpoint {
    pub(crate) fn new(base: Url) -> Result<Self, reqwest::Error> {
        Ok(Self { client: http_client()?, base })
    }

    /// Invokes a function and waits for its answer.
    pub(crate) async fn invoke(&self, function: &str, event: Vec<u8>, limit: Duration) -> Answer {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["2015-03-31", "functions", function, "invocations"]);
        }
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("x-amz-invocation-type", "RequestResponse")
            .body(event);
        match tokio::time::timeout(limit, answer(request)).await {
            Ok(answer) => answer,
            Err(_elapsed) => Answer::TimedOut { seconds: limit.as_secs() },
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => {
            return Answer::Unreachable(chain(&error));
        }
        Err(error) => return Answer::Broken(chain(&error)),
    };
    let status = response.status().as_u16();
    let function_error = text_of(response.headers(), "x-amz-function-error");
    let request_id = text_of(response.headers(), "x-amzn-requestid");
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_LIMIT => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => return Answer::Broken("the answer is larger than 6 MB".to_owned()),
            Ok(None) => break,
            Err(error) => return Answer::Broken(chain(&error)),
        }
    }
    Answer::Response { status, function_error, request_id, body }
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
