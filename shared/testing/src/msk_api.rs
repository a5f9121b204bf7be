//! The one request of Amazon MSK's API that an operator's command makes: for the brokers of a cluster.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

/// The API, on loopback, with one cluster; it stops when dropped.
#[derive(Debug)]
pub struct MskApi {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// A cluster: its ARN, and what the API says about its brokers.
#[derive(Debug)]
struct Cluster {
    arn: String,
    brokers: Value,
}

impl Drop for MskApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl MskApi {
    /// An API that knows one cluster, with these members of the answer, such as `bootstrapBrokerStringSaslIam`.
    ///
    /// # Panics
    /// No port is free.
    pub async fn start(arn: &str, brokers: Value) -> Self {
        let cluster = Arc::new(Cluster { arn: arn.to_owned(), brokers });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let router = Router::new()
            .route("/v1/clusters/{arn}/bootstrap-brokers", get(answer))
            .with_state(cluster);
        let serving = axum::serve(listener, router).into_future();
        let task =
            tokio::spawn(async move { serving.await.expect("it serves until it is dropped") });
        Self { address, task }
    }

    /// Its address.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn answer(
    State(cluster): State<Arc<Cluster>>,
    Path(arn): Path<String>,
    headers: HeaderMap,
) -> (StatusCode, [(&'static str, &'static str); 1], Json<Value>) {
    let refused = |status, code, message: &str| {
        let body = json!({ "message": message, "invalidParameter": "clusterArn" });
        (status, [("x-amzn-errortype", code)], Json(body))
    };
    // Requests are signed for the region in the ARN.
    let scope = format!("/{}/kafka/aws4_request", arn.split(':').nth(3).unwrap_or_default());
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok());
    if !signed.is_some_and(|text| text.contains(&scope)) {
        return refused(StatusCode::FORBIDDEN, "ForbiddenException", "Credential is not scoped");
    }
    if arn != cluster.arn {
        let message = "Cluster not found for Arn.";
        return refused(StatusCode::NOT_FOUND, "NotFoundException", message);
    }
    (StatusCode::OK, [("x-amzn-errortype", "")], Json(cluster.brokers.clone()))
}
