//! Programs: run, answered in place if the result comes soon enough, else found later.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::execution::{ExecutionResult, Program};
use events::{
    Envelope, execution_finished::ExecutionFinished, execution_requested::ExecutionRequested,
};
use ids::{EventId, ExecutionId};
use runtime::{
    Decide, HandlerError, Outgoing, Received,
    http::{Caller, Json, Problem},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use storage::{
    executions,
    idempotency::{self, Claim, IdempotencyKey},
};
use utoipa::ToSchema;

use crate::{
    Gateway, NAME,
    accounts::reused_key,
    limits,
    queries::{idempotency_key, patience, unserializable, without_account},
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
    let bucket = format!("user:{}", caller.id);
    limits::check(&gateway, &bucket, gateway.config.per_user).await?;
    let patience = patience(&headers)?;
    let key = idempotency_key(&headers)?;
    let services = &gateway.services;
    let now = services.clock.now();
    let id = ExecutionId::from_uuid(services.clock.new_id());
    let stored = serde_json::to_value(&program).map_err(|error| Problem::internal(&error))?;
    // Expected before it is asked for, so that no result can slip through between.
    let waiter = services.replies.expect(id.as_uuid());
    let mut tx = services.store.begin(NAME).await?;
    if caller.external {
        storage::users::ensure_external(tx.conn(), caller.id, caller.role, now).await?;
    }
    if let Some(key) = key {
        let owner = caller.id.to_string();
        let request_hash = Sha256::digest(stored.to_string()).into();
        let key = IdempotencyKey { operation: "execution", owner: &owner, key: &key, request_hash };
        match idempotency::claim(tx.conn(), &key, id.as_uuid(), now).await? {
            Claim::New => {}
            Claim::Conflict => return Err(reused_key()),
            Claim::Repeated(first) => {
                drop(tx);
                return find(&gateway, &caller, ExecutionId::from_uuid(first)).await;
            }
        }
    }
    executions::insert(tx.conn(), id, Some(caller.id), &stored, now)
        .await
        .map_err(without_account)?;
    let requested = ExecutionRequested { execution_id: id, student_id: caller.id, program };
    let outgoing = Outgoing::none().with(&requested).map_err(unserializable)?;
    tx.commit(EventId::from_uuid(id.as_uuid()), outgoing, now).await?;
    let Some(event) = waiter.wait(patience).await else {
        return find(&gateway, &caller, id).await;
    };
    let Ok(event) = Envelope::<ExecutionFinished>::read(event) else {
        return find(&gateway, &caller, id).await;
    };
    // Stored before it is told, so that whoever asks next finds it too.
    let mut conn = services.store.connection().await?;
    executions::record_result(&mut conn, id, &event.data.result, services.clock.now()).await?;
    Ok(ExecutionResponse::new(id, now, Some(event.data.result)).into_response())
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
        let location = HeaderValue::from_str(&self.status_url);
        let mut response = (StatusCode::ACCEPTED, Json(self)).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        if let Ok(location) = location {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// Stores the first result of each run, whether or not somebody waits for it.
pub(crate) struct RecordResult;

impl Decide for RecordResult {
    type In = ExecutionFinished;

    async fn handle(
        &self,
        received: Received<ExecutionFinished>,
        conn: &mut PgConnection,
    ) -> Result<Outgoing, HandlerError> {
        let ExecutionFinished { execution_id, result, .. } = received.event.data;
        executions::record_result(conn, execution_id, &result, received.now)
            .await
            .map_err(HandlerError::retry)?;
        Ok(Outgoing::none())
    }
}
