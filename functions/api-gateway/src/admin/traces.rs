//! What happened to one request, hop by hop.

use axum::extract::{Query, State, rejection::QueryRejection};
use runtime::web::{Admin, Caller, Json, Path, Problem};
use serde::Deserialize;
use trace::{Payloads, Trace, TraceError};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{gateway::Gateway, pages};

/// What is shown of a request.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TraceOptions {
    /// Whether the events' data is shown, too: what a student wrote, among other things. Who asks for it is logged.
    payload: Option<bool>,
}

/// What happened to a question, a run or a solution: each event with the function that handled it, its place on the
/// broker, wait, work, attempts and outcome.
#[utoipa::path(get, path = "/admin/traces/{id}", operation_id = "get_trace", tag = "Administration",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The request: the id of a question, a run or a solution"), TraceOptions),
    responses((status = 200, body = Trace), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 422, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Admin>,
    Path(id): Path<String>,
    options: Result<Query<TraceOptions>, QueryRejection>,
) -> Result<Json<Trace>, Problem> {
    let TraceOptions { payload } = pages::read(options)?;
    let unknown = || Problem::not_found("no event of a request with this id is stored");
    let request: Uuid = id.parse().map_err(|_not_an_id| unknown())?;
    let payloads = if payload == Some(true) { Payloads::Shown } else { Payloads::Withheld };
    let loaded = trace::load(&gateway.services.store, request, payloads).await;
    let trace = loaded.map_err(|TraceError::Database(error)| Problem::from(error))?;
    let trace = trace.ok_or_else(unknown)?;
    if payloads == Payloads::Shown {
        tracing::info!(%request, by = %caller.id, "the payloads of a request's events are shown");
    }
    Ok(Json(trace))
}
