//! A function's routes: its own endpoints, metrics, and the middleware.

use std::{
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use environment::{config::SharedSecret, deadline, metrics, telemetry};
use futures::FutureExt;
use tower_http::cors::CorsLayer;
use tracing::Instrument;

use crate::{Problem, TrustedProxies, address, auth::Verifier, caller};

/// Who can reach a function's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only this machine.
    Private,
    /// Anyone, so internal endpoints ask for a service's token.
    Guarded,
}

impl Access {
    /// Who can reach a port at this address: on loopback only this machine, so its endpoints need no token.
    #[must_use]
    pub const fn at(address: IpAddr) -> Self {
        if address.is_loopback() { Self::Private } else { Self::Guarded }
    }
}

/// A path, and its handlers by method.
pub type Endpoint = (&'static str, MethodRouter);

/// What is served at one port.
#[derive(Debug, Default)]
pub struct Endpoints {
    /// Endpoints that check access themselves.
    pub public: Router,
    /// Endpoints for other services: open on a private port, with a service token anywhere else.
    pub internal: Vec<Endpoint>,
    /// Origins of pages that may call from a browser.
    pub origins: Vec<HeaderValue>,
    /// The proxies that are trusted to name the client.
    pub proxies: TrustedProxies,
}

impl Endpoints {
    /// The endpoints of `function`, with the middleware.
    pub fn into_router(
        self,
        function: &'static str,
        verifier: &Arc<Verifier>,
        access: Access,
    ) -> Router {
        let proxies = middleware::from_fn_with_state(Arc::new(self.proxies), address::locate);
        let mut internal = Router::new();
        for (path, endpoint) in self.internal {
            internal = internal.route(path, endpoint);
        }
        if access == Access::Guarded && internal.has_routes() {
            let guard = middleware::from_fn_with_state(Arc::clone(verifier), require_service);
            internal = internal.route_layer(guard);
        }
        self.public
            .merge(internal)
            .fallback(async || {
                Problem::not_found("there is no such endpoint; see /docs")
            })
            .method_not_allowed_fallback(async || {
                let detail =
                    "this endpoint does not support this method; the Allow header lists those that it does";
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
            })
            .layer(proxies)
            .layer(middleware::from_fn(move |request, next| observe(function, request, next)))
            // Outermost: without its headers a page cannot read why a request has failed, either.
            .layer(cors(self.origins))
    }
}

/// `/metrics`: with the token; if none is configured, only from this machine.
pub fn metrics_route(access: Access, token: Option<SharedSecret>) -> Router {
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

/// How long a browser need not ask again whether it may call: Chromium keeps it for two hours at most, and a change of
/// `CORS_ORIGINS` counts at once for the calls themselves.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3_600);

/// CORS for pages of the allowed origins; outside of all routes, since a browser asks before it calls.
fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static("prefer"),
            HeaderName::from_static("traceparent"),
            HeaderName::from_static("tracestate"),
        ])
        .max_age(PREFLIGHT_AGE)
        .expose_headers([
            header::ALLOW,
            header::CONTENT_DISPOSITION,
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("ratelimit-limit"),
            HeaderName::from_static("ratelimit-remaining"),
            HeaderName::from_static("ratelimit-reset"),
        ])
}

async fn require_service(
    State(verifier): State<Arc<Verifier>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let service = caller::service(request.headers(), &verifier).await?;
    tracing::debug!(service = service.name, "an internal endpoint is called");
    Ok(next.run(request).await)
}

/// A span, a time limit, a metric and a log line for every request; a panic becomes a 500.
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
        count(function, route, status, took);
        response
    }
    .instrument(span)
    .await
}

fn count(function: &'static str, route: String, status: u16, took: Duration) {
    let status = status.to_string();
    ::metrics::counter!("learnflow_http_requests_total",
        "function" => function, "route" => route.clone(), "status" => status)
    .increment(1);
    ::metrics::histogram!("learnflow_http_request_duration_seconds",
        "function" => function, "route" => route)
    .record(took);
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use environment::{Clock, config::Settings};
    use tower::ServiceExt;

    use super::*;
    use crate::auth::AuthConfig;

    #[tokio::test]
    async fn a_page_can_read_how_a_request_has_failed_even_by_a_panic() {
        let mut settings = Settings::from_pairs([("JWT_SECRET", "x".repeat(32))]);
        let config = AuthConfig::read(&mut settings);
        let client = environment::http_client().unwrap();
        let verifier = Arc::new(Verifier::new(config, client, Clock::System));
        let page = "https://school.example";
        let endpoints = Endpoints {
            public: Router::new().route("/", get(async || -> &'static str { panic!("a fault") })),
            origins: vec![HeaderValue::from_static(page)],
            ..Endpoints::default()
        };
        let router = endpoints.into_router("test", &verifier, Access::Private);
        let request = Request::get("/").header(header::ORIGIN, page).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], page);
    }
}
