//! Sockets that API Gateway holds for a function under AWS Lambda: its WebSocket APIs, with the routes `$connect`,
//! `$default` and `$disconnect`.
//!
//! `$connect` becomes a request to the function's own endpoints, so that who may open a socket is written once. API
//! Gateway has no path, so it comes in the query: `?path=/ws/alerts`.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{self, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use delivery::HandlerError;
use events::CloudEvent;
use futures::future::BoxFuture;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::ServiceExt;
use web::{ClientAddress, Problem};

use crate::http_response::{HttpResponse, http_response};

/// API Gateway's name for a connection. A request that has one among its extensions asks for a socket that API Gateway
/// holds: whoever answers it with 101 has opened one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionId(pub String);

/// What a function does about the sockets that API Gateway holds for it. Each may happen twice, late, or never.
pub trait Connections: Send + Sync + 'static {
    /// A client has sent a message; its bytes, and whether they are text.
    fn receive(
        &self,
        connection: ConnectionId,
        message: Bytes,
        is_text: bool,
    ) -> BoxFuture<'_, Result<(), HandlerError>>;

    /// A connection has ended.
    fn end(&self, connection: ConnectionId) -> BoxFuture<'_, Result<(), HandlerError>>;

    /// An event on a topic that the function follows. It is delivered again after an error.
    fn hear(&self, event: CloudEvent) -> BoxFuture<'_, Result<(), HandlerError>>;
}

/// An event of a WebSocket API.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GatewayEvent {
    request_context: Context,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    multi_value_query_string_parameters: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    event_type: EventType,
    connection_id: String,
    #[serde(default)]
    identity: Option<Identity>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum EventType {
    Connect,
    Message,
    Disconnect,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    #[serde(default)]
    source_ip: Option<IpAddr>,
}

/// The answer to a message or an end, which no client sees.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Noted {
    status_code: u16,
}

/// Whether a WebSocket API sent this. Its events name a connection; clients have no say in that.
pub(crate) fn is_of_gateway(event: &Value) -> bool {
    event.pointer("/requestContext/connectionId").is_some()
}

/// Handles an event of a WebSocket API.
pub(crate) async fn handle(
    connections: &Arc<dyn Connections>,
    routes: Router,
    event: GatewayEvent,
) -> Result<Value, lambda_runtime::Error> {
    let connection = ConnectionId(event.request_context.connection_id.clone());
    match event.request_context.event_type {
        EventType::Connect => Ok(serde_json::to_value(connect(routes, connection, event).await?)?),
        EventType::Message => {
            let body = event.body.unwrap_or_default();
            let is_text = !event.is_base64_encoded;
            let message = if is_text { body.into() } else { STANDARD.decode(body)?.into() };
            noted(connections.receive(connection, message, is_text).await)
        }
        EventType::Disconnect => noted(connections.end(connection).await),
    }
}

/// A failed invocation: API Gateway tells the client that its message was not handled.
fn noted(result: Result<(), HandlerError>) -> Result<Value, lambda_runtime::Error> {
    result.map_err(|error| {
        let (HandlerError::Retry(cause) | HandlerError::Fail(cause)) = error;
        lambda_runtime::Error::from(cause)
    })?;
    Ok(serde_json::to_value(Noted { status_code: StatusCode::OK.as_u16() })?)
}

async fn connect(
    routes: Router,
    connection: ConnectionId,
    event: GatewayEvent,
) -> Result<HttpResponse, lambda_runtime::Error> {
    let response = match request(connection, event) {
        Ok(request) => routes.oneshot(request).await?,
        Err(problem) => problem.into_response(),
    };
    Ok(http_response(opened(response)).await?.of_socket())
}

/// API Gateway takes any success for an opened socket, and only 200 for sure. Another endpoint's success opens none.
fn opened(mut response: Response) -> Response {
    match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => {
            *response.status_mut() = StatusCode::OK;
            response
        }
        status if status.is_success() => no_such_socket().into_response(),
        _ => response,
    }
}

fn no_such_socket() -> Problem {
    Problem::not_found("name the socket in the query: ?path=/ws/chat/{student_id}")
}

fn request(
    ConnectionId(connection): ConnectionId,
    event: GatewayEvent,
) -> Result<http::Request<Body>, Problem> {
    let mut parameters = event.multi_value_query_string_parameters.unwrap_or_default();
    let path = parameters.remove("path").unwrap_or_default();
    let ([path], Ok(mut url)) = (path.as_slice(), Url::parse("http://gateway")) else {
        return Err(no_such_socket());
    };
    url.set_path(path);
    for (name, values) in &parameters {
        for value in values {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    let uri = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    let mut request = http::Request::get(uri).extension(ConnectionId(connection));
    for (name, values) in event.multi_value_headers.iter().flatten() {
        for value in values {
            request = request.header(name, value);
        }
    }
    if let Some(address) = event.request_context.identity.and_then(|identity| identity.source_ip) {
        request = request.extension(ClientAddress(address));
    }
    request.body(Body::empty()).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "malformed_request", error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use axum::http::header;
    use serde_json::json;

    use super::{ConnectionId, GatewayEvent, is_of_gateway, request};

    #[test]
    fn a_connect_event_becomes_a_request_to_the_path_in_its_query() {
        let event = json!({
            "requestContext": {
                "routeKey": "$connect", "eventType": "CONNECT", "connectionId": "Lr8=",
                "domainName": "abc.execute-api.us-east-1.amazonaws.com", "stage": "prod", "apiId": "abc",
                "identity": { "sourceIp": "1.2.3.4" }
            },
            "multiValueHeaders": { "Sec-WebSocket-Protocol": ["learnflow.v1, bearer.x"] },
            "multiValueQueryStringParameters": { "path": ["/ws/../a b?c=d"], "after": ["1&2"], "token": ["x", "y"] },
            "isBase64Encoded": false
        });
        assert!(is_of_gateway(&event));
        let event: GatewayEvent = serde_json::from_value(event).unwrap();
        let request = request(ConnectionId("Lr8=".to_owned()), event).unwrap();
        assert_eq!(request.uri(), "/a%20b%3Fc=d?after=1%262&token=x&token=y");
        assert_eq!(request.headers()[header::SEC_WEBSOCKET_PROTOCOL], "learnflow.v1, bearer.x");
        assert_eq!(request.extensions().get(), Some(&ConnectionId("Lr8=".to_owned())));
    }
}
