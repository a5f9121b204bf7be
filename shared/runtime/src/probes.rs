//! Liveness and readiness probes.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use web::{Json, server::Endpoints};

use crate::Services;

/// Adds `/health` and `/ready`.
pub(crate) fn add(mut endpoints: Endpoints, services: &Arc<Services>) -> Endpoints {
    let probes = Router::new()
        .route("/health", get(async || Json(Health { status: "ok" })))
        .route("/ready", get(ready))
        .with_state(Arc::clone(services));
    endpoints.public = endpoints.public.merge(probes);
    endpoints
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    database: bool,
    kafka: bool,
    /// What an operator should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The database is needed to accept work, with a schema that this program can use. Kafka is not, since accepted work is
/// stored and sent later; its state is reported, and traffic still admitted.
async fn ready(State(services): State<Arc<Services>>) -> Response {
    let mut reason = None;
    let mut database = services.store.probe().await.is_ok();
    if database && let Err(error) = services.schema.check().await {
        (database, reason) = (false, Some(error.to_string()));
    }
    let kafka = services.producer.is_connected().await;
    let status = if database { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let words = if database { "ready" } else { "not ready" };
    (status, Json(Readiness { status: words, database, kafka, reason })).into_response()
}
