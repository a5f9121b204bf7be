//! Programs: run, answered in place if the result comes soon enough, else found later.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::execution::{ExecutionResult, Program};
use events::{
    Envelope,
    execution_finished::ExecutionFinished,
    execution_requested::{ExecutionRequested, Purpose, Requester},
};
use ids::{ExecutionId, UserId};
use runtime::http::{Caller, Json, Path, Problem};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use storage::executions;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    Gateway,
    accept::{Work, accept, pending},
};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ExecutionStatus {
    /// The result is still to come: ask `status_url` again.
    Pending,
    /// The result is here.
    Finished,
    /// It could not be run; send it again.
    Failed,
}

/// A run and, once there is one, its result.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExecutionResponse {
    /// The run's id.
    #[schema(value_type = Uuid)]
    id: ExecutionId,
    /// Where it stands.
    status: ExecutionStatus,
    /// Where the result will be found.
    status_url: String,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// `{verdict, exit_code, stdout, stderr, transcript, truncated, error?, files?, tests?, trace?,
    /// duration_ms, cpu_ms, memory_bytes, python}`
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<ExecutionResult>,
}

/// Runs a program in the sandbox: `{code, stdin?, files?, tests?, timeout_ms?, seed?, trace?}`. The
/// result comes in place if it is ready within the client's patience (`Prefer: wait=5`); else `202`
/// tells where it will be.
#[utoipa::path(post, path = "/executions", tag = "Code", security(("bearer" = [])),
    params(
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS`, 0 to 25; 5 if absent"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeating it repeats nothing")),
    request_body(content = Object, example = json!({"code": "print(input())", "stdin": "hello\n"})),
    responses(
        (status = 200, description = "Run", body = ExecutionResponse),
        (status = 202, description = "Accepted; the result will be at `status_url`", body = ExecutionResponse),
        (status = 401, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn run(
    State(gateway): State<Gateway>,
    caller: Caller,
    headers: HeaderMap,
    Json(program): Json<Program>,
) -> Result<Response, Problem> {
    let accepted = accept(&gateway, &caller, &headers, program).await?;
    let id = ExecutionId::from_uuid(accepted.id);
    let finished =
        accepted.answer.map(|answered| Envelope::<ExecutionFinished>::read(answered.event));
    let Some(Ok(event)) = finished else {
        return find(&gateway, &caller, id).await;
    };
    // The sandbox's function has stored it before it told.
    Ok(ExecutionResponse::new(id, accepted.at, Some(event.data.result)).into_response())
}

impl Work for Program {
    type Event = ExecutionRequested;
    type Answer = ExecutionFinished;
    type Stored = ();

    const OPERATION: &'static str = "execution";

    async fn keep(
        &self,
        conn: &mut PgConnection,
        id: Uuid,
        student: UserId,
        stored: &Value,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        executions::insert(conn, ExecutionId::from_uuid(id), Some(student), stored, now).await
    }

    fn event(&self, id: Uuid, student: UserId) -> ExecutionRequested {
        ExecutionRequested {
            purpose: Purpose::Run,
            requester: Some(Requester::Gateway),
            execution_id: ExecutionId::from_uuid(id),
            student_id: student,
            request_id: None,
            program: self.clone(),
        }
    }
}

/// One's own run, with its result once there is one.
#[utoipa::path(get, path = "/executions/{id}", tag = "Code", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "As `POST /executions` gave it")),
    responses((status = 200, body = ExecutionResponse), (status = 202, body = ExecutionResponse), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    // What is not an id names nothing, so it is not found rather than malformed.
    let id = id.parse().map_err(|_not_an_id| no_such_run())?;
    find(&gateway, &caller, id).await
}

async fn find(gateway: &Gateway, caller: &Caller, id: ExecutionId) -> Result<Response, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let run = executions::find(&mut conn, id, caller.id).await?.ok_or_else(no_such_run)?;
    let mut response = ExecutionResponse::new(id, run.created_at, run.result);
    if run.failed && response.result.is_none() {
        response.status = ExecutionStatus::Failed;
    }
    Ok(response.into_response())
}

fn no_such_run() -> Problem {
    Problem::not_found("there is no such run of yours")
}

impl ExecutionResponse {
    fn new(id: ExecutionId, created_at: DateTime<Utc>, result: Option<ExecutionResult>) -> Self {
        let status = match result {
            Some(_) => ExecutionStatus::Finished,
            None => ExecutionStatus::Pending,
        };
        let status_url = format!("/api/v1/executions/{id}");
        Self { id, status, status_url, created_at, result }
    }
}

impl IntoResponse for ExecutionResponse {
    fn into_response(self) -> Response {
        if self.status != ExecutionStatus::Pending {
            return Json(self).into_response();
        }
        pending(&self.status_url, &self)
    }
}
