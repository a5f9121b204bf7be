//! The map of `/api/v1`, its contract and its documentation.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use domain::text::SearchText;
use runtime::web::Json;
use serde::{Deserialize, Serialize};
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    accounts, admin, answer_reports, classes, common_answers, conversation, course, drafts,
    executions,
    gateway::Gateway,
    help, limits, me,
    notifications::{deliveries, inbox, settings, subscriptions},
    page, practice, progress, queries, quizzes, streaming, tickets,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "LearnFlow",
        description = "The back end of AI-tutored Python courses. Errors are `application/problem+json` \
                       (RFC 9457); `code` distinguishes them."
    ),
    modifiers(&Bearer),
    // What only a parameter names is not found by itself.
    components(schemas(SearchText)),
    tags((name = "Course", description = "What is taught; needs no token"),
         (name = "Tutor", description = "Questions and answers"),
         (name = "Code", description = "Running programs"),
         (name = "Exercises", description = "Practice and grades"),
         (name = "Quizzes", description = "Questions with one right answer"),
         (name = "Progress", description = "Mastery, streaks and what to do next"),
         (name = "Classes", description = "Classes, their teachers and their students"),
         (name = "Notifications", description = "What you are told, where and when"),
         (name = "Accounts", description = "Registering, logging in and out"),
         (name = "Administration", description = "Accounts, costs and faults; for administrators"),
         (name = "Operations", description = "For load balancers"))
)]
struct ApiDoc;

/// The contract of the events, which the `learnflow` command makes of all functions.
const EVENTS: &str = include_str!("../../../docs/asyncapi.json");

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The contract: what is served under `/api/v1`, and how it looks.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let endpoints = limited().merge(probes());
    let (_, mut openapi) =
        OpenApiRouter::with_openapi(ApiDoc::openapi()).nest("/api/v1", endpoints).split_for_parts();
    common_answers::complete(&mut openapi);
    openapi
}

/// What counts towards the limit of an address.
fn limited() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(accounts::register))
        .routes(routes!(accounts::login))
        .routes(routes!(accounts::refresh))
        .routes(routes!(accounts::logout))
        .routes(routes!(accounts::me, accounts::change_me))
        .merge(me::routes())
        .routes(routes!(queries::ask))
        .routes(routes!(queries::get))
        .routes(routes!(queries::rate))
        .routes(routes!(streaming::stream))
        .routes(routes!(answer_reports::report))
        .routes(routes!(answer_reports::list))
        .routes(routes!(conversation::list))
        .routes(routes!(conversation::get, conversation::delete))
        .routes(routes!(help::debug))
        .routes(routes!(help::review))
        .routes(routes!(course::modules))
        .routes(routes!(course::module))
        .routes(routes!(course::topic))
        .routes(routes!(course::concepts))
        .routes(routes!(practice::list))
        .routes(routes!(practice::get))
        .routes(routes!(practice::generate))
        .routes(routes!(practice::submit, practice::attempts))
        .routes(routes!(practice::submission))
        .routes(routes!(practice::parsons))
        .routes(routes!(quizzes::start, quizzes::list))
        .routes(routes!(quizzes::get))
        .routes(routes!(quizzes::answer))
        .routes(routes!(quizzes::submit))
        .routes(routes!(quizzes::result))
        .routes(routes!(executions::run))
        .routes(routes!(executions::get))
        .routes(routes!(drafts::get, drafts::put, drafts::delete))
        .routes(routes!(progress::show))
        .routes(routes!(progress::history))
        .merge(classes::routes())
        .merge(admin::routes())
        .routes(routes!(tickets::give))
        .routes(routes!(inbox::list))
        .routes(routes!(inbox::read))
        .routes(routes!(inbox::read_all))
        .routes(routes!(settings::get, settings::put))
        .routes(routes!(subscriptions::list, subscriptions::subscribe))
        .routes(routes!(subscriptions::delete))
        .routes(routes!(subscriptions::rotate))
        .routes(routes!(subscriptions::unsubscribe_by_mail))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::retry))
}

fn probes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(ready))
}

/// Everything that the gateway serves.
pub(crate) fn routes(gateway: Gateway) -> Router {
    let limit = middleware::from_fn_with_state(gateway.clone(), limits::per_address);
    let endpoints = limited().route_layer(limit).merge(probes());
    let document = openapi();
    Router::new()
        .nest("/api/v1", endpoints.into())
        .merge(page::routes())
        .with_state(gateway)
        .route("/openapi.json", get(async move || axum::Json(document.clone())))
        .route("/asyncapi.json", get(async || ([(CONTENT_TYPE, "application/json")], EVENTS)))
        .merge(SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json")))
}

/// A probe's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Probe {
    /// The state of the process.
    pub status: ProbeStatus,
}

/// The state of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ProbeStatus {
    /// It is alive.
    #[serde(rename = "ok")]
    Ok,
    /// It can accept work.
    #[serde(rename = "ready")]
    Ready,
    /// It cannot accept work.
    #[serde(rename = "not ready")]
    NotReady,
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/health", tag = "Operations", responses((status = 200, body = Probe)))]
async fn health() -> Json<Probe> {
    Json(Probe { status: ProbeStatus::Ok })
}

/// Whether work can be accepted: the database answers. Kafka may be down, since accepted work is stored.
#[utoipa::path(get, path = "/ready", tag = "Operations",
    responses((status = 200, body = Probe), (status = 503, body = Probe)))]
async fn ready(State(gateway): State<Gateway>) -> Response {
    let (code, status) = match gateway.services.store.probe().await {
        Ok(()) => (StatusCode::OK, ProbeStatus::Ready),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, ProbeStatus::NotReady),
    };
    (code, Json(Probe { status })).into_response()
}
