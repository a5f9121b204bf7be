//! A function's routes: its own endpoints, probes, metrics, and what every request goes through.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::FutureExt;
use serde::Serialize;
use tower_http::cors::CorsLayer;
use tracing::Instrument;

use super::{Json, Problem, address, caller, deadline};
use crate::{Function, Services, config::SharedSecret, metrics, telemetry};

/// Who can reach a function's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// This machine only.
    Private,
    /// Anyone, so internal endpoints ask for a service's token.
    Guarded,
}

/// A function's own routes, and what every function has.
pub(crate) fn routes(function: Function, services: &Arc<Services>, access: Access) -> Router {
    let name = function.spec.name;
    let cors = cors(function.origins);
    let proxies = middleware::from_fn_with_state(Arc::new(function.proxies), address::locate);
    let mut internal = Router::new();
    for (path, endpoint) in function.internal {
        internal = internal.route(path, endpoint);
    }
    if access == Access::Guarded && internal.has_routes() {
        let guard = middleware::from_fn_with_state(Arc::clone(services), require_service);
        internal = internal.route_layer(guard);
    }
    let probes = Router::new()
        .route("/health", get(async || Json(Health { status: "ok" })))
        .route("/ready", get(ready))
        .with_state(Arc::clone(services));
    function
        .public
        .merge(internal)
        .merge(probes)
        .fallback(async || {
            Problem::not_found("there is nothing at this address; /docs lists what there is")
        })
        .method_not_allowed_fallback(async || {
            let detail =
                "this address does not take this method; the Allow header names those it takes";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .layer(cors)
        .layer(proxies)
        .layer(middleware::from_fn(move |request, next| observe(name, request, next)))
}

/// `/metrics`: for whoever shows the token; without one for this machine, and nobody else.
pub(crate) fn metrics_route(access: Access, token: Option<SharedSecret>) -> Router {
    if access == Access::Guarded && token.is_none() {
        return Router::new();
    }
    let show = async move |headers: HeaderMap| {
        let shown = caller::bearer_token(&headers).unwrap_or_default();
        if token.is_some_and(|token| !token.is(shown.as_bytes())) {
            let detail = "send the header Authorization: Bearer with METRICS_TOKEN";
            return Problem::unauthorized(detail).into_response();
        }
        metrics::render().into_response()
    };
    Router::new().route("/metrics", get(show))
}

/// What pages of the allowed origins may send and see; outside all routes, since a browser asks
/// before it calls.
fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("prefer"),
            HeaderName::from_static("traceparent"),
            HeaderName::from_static("tracestate"),
        ])
        .expose_headers([
            header::ALLOW,
            header::LOCATION,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("ratelimit-limit"),
            HeaderName::from_static("ratelimit-remaining"),
            HeaderName::from_static("ratelimit-reset"),
        ])
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

/// The database is needed to accept work, and must have what this program uses; Kafka is not, since accepted work is kept and sent later,
/// so its state is told but does not turn traffic away.
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

async fn require_service(
    State(services): State<Arc<Services>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let service = caller::service(request.headers(), &services.verifier).await?;
    tracing::debug!(service = service.name, "an internal endpoint is called");
    Ok(next.run(request).await)
}

/// A span, a bound, a metric and a log line for every request; a panic becomes a 500 and no more.
async fn observe(function: &'static str, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "unmatched".to_owned());
    let method = request.method().clone();
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        function,
        %method,
        route,
        trace_id = tracing::field::Empty,
    );
    let traceparent = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    telemetry::adopt(&span, traceparent);
    async move {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind();
        let response = match deadline::keep(deadline::WORK_LIMIT, answered).await {
            Ok(Ok(response)) => response,
            Ok(Err(_panic)) => {
                Problem::internal(&std::io::Error::other("a handler panicked")).into_response()
            }
            Err(deadline::Elapsed) => {
                tracing::warn!("a request took too long");
                Problem::not_in_time().into_response()
            }
        };
        let (status, took) = (response.status().as_u16(), started.elapsed());
        tracing::info!(status, duration_ms = took.as_secs_f64() * 1e3, "request served");
        metrics::request_served(function, route, status, took);
        response
    }
    .instrument(span)
    .await
}
