//! The map of `/api/v1`, its contract and its documentation.

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use runtime::http::Json;
use serde::Serialize;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use crate::{Gateway, accounts, conversation, executions, help, limits, practice, queries};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "LearnFlow",
        description = "The back end of AI-tutored Python courses. Errors are `application/problem+json` \
                       (RFC 9457); `code` tells them apart."
    ),
    modifiers(&Bearer),
    tags((name = "Tutor", description = "Asking and being answered"),
         (name = "Code", description = "Running programs"),
         (name = "Exercises", description = "Something to practise, and grades"),
         (name = "Accounts", description = "Who you are"),
         (name = "Operations", description = "For load balancers"))
)]
struct ApiDoc;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Everything that the gateway serves.
pub(crate) fn routes(gateway: Gateway) -> Router {
    let limited = OpenApiRouter::new()
        .routes(routes!(accounts::register))
        .routes(routes!(accounts::login))
        .routes(routes!(accounts::refresh))
        .routes(routes!(accounts::logout))
        .routes(routes!(accounts::me))
        .routes(routes!(queries::ask))
        .routes(routes!(queries::get))
        .routes(routes!(queries::rate))
        .routes(routes!(conversation::list))
        .routes(routes!(conversation::get, conversation::delete))
        .routes(routes!(help::debug))
        .routes(routes!(help::review))
        .routes(routes!(practice::list))
        .routes(routes!(practice::get))
        .routes(routes!(practice::generate))
        .routes(routes!(practice::submit, practice::attempts))
        .routes(routes!(practice::submission))
        .routes(routes!(practice::parsons))
        .routes(routes!(executions::run))
        .routes(routes!(executions::get))
        .route_layer(middleware::from_fn_with_state(gateway.clone(), limits::per_address));
    let probes = OpenApiRouter::new().routes(routes!(health)).routes(routes!(ready));
    let (router, openapi) = OpenApiRouter::with_openapi(ApiDoc::openapi())
        .nest("/api/v1", limited.merge(probes))
        .split_for_parts();
    let document = openapi;
    router
        .with_state(gateway)
        .route("/openapi.json", get(async move || axum::Json(document.clone())))
        .merge(SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json")))
}

/// A probe's answer.
#[derive(Debug, Serialize, ToSchema)]
struct Probe {
    /// `ok`, `ready` or `not ready`.
    status: &'static str,
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/health", tag = "Operations", responses((status = 200, body = Probe)))]
async fn health() -> Json<Probe> {
    Json(Probe { status: "ok" })
}

/// Whether work can be accepted: the database answers. Kafka may be away, since accepted work is kept.
#[utoipa::path(get, path = "/ready", tag = "Operations",
    responses((status = 200, body = Probe), (status = 503, body = Probe)))]
async fn ready(State(gateway): State<Gateway>) -> Response {
    match gateway.services.store.probe().await {
        Ok(()) => Json(Probe { status: "ready" }).into_response(),
        Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(Probe { status: "not ready" })).into_response()
        }
    }
}
