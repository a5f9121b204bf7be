//! Running programs: the response holds the result if it comes in time, else it is found later.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::execution::{ExecutionResult, Program};
use events::{
    Envelope,
    execution_finished::ExecutionFinished,
    execution_requested::{ExecutionRequested, Purpose, Requester, Work},
};
use ids::{ExecutionId, ExerciseId, UserId};
use requests::StudentRequest;
use runtime::web::{Caller, Json, Path, Person, Problem, Student};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use storage::{
    executions::{self, Execution},
    exercises,
};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{AllOfBuilder, AnyOfBuilder},
    },
};
use uuid::Uuid;

use crate::{
    accept::{accept, pending},
    gateway::Gateway,
    ownership::{missing, readable},
};

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionStatus {
    /// The result is still to come: poll `status_url`.
    Pending,
    /// The result is here.
    Finished,
    /// It could not be run; submit it again.
    Failed,
}

/// A run without its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionState {
    /// The run's id.
    pub id: ExecutionId,
    /// Its state.
    pub status: ExecutionStatus,
    /// Where the result will be found.
    pub status_url: String,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// What was run, where a run is asked for by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A run and, once there is one, its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionResponse {
    /// Its state.
    #[serde(flatten)]
    pub state: ExecutionState,
    /// What came of it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub result: Option<ExecutionResult>,
}

/// Not derived: a derived schema would require a result, or nothing at all.
impl PartialSchema for ExecutionResponse {
    fn schema() -> RefOr<Schema> {
        let state = || Ref::from_schema_name(ExecutionState::name());
        let result = Ref::from_schema_name(ExecutionResult::name());
        let finished = AllOfBuilder::new().item(state()).item(result);
        let description = Some("A run and, once there is one, its result.");
        AnyOfBuilder::new().item(finished).item(state()).description(description).into()
    }
}

impl ToSchema for ExecutionResponse {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((ExecutionState::name().into(), ExecutionState::schema()));
        schemas.push((ExecutionResult::name().into(), ExecutionResult::schema()));
        ExecutionState::schemas(schemas);
        ExecutionResult::schemas(schemas);
    }
}

/// What a program is for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunFor {
    /// The exercise that it is meant to solve. Then the run counts as work on it.
    #[param(value_type = Option<Uuid>)]
    exercise_id: Option<String>,
}

/// Runs a program in the sandbox. The response holds the result if it is ready in time (`Prefer: wait=5`); otherwise
/// `202` says where it will be.
#[utoipa::path(post, path = "/executions", operation_id = "run_program", tag = "Code", security(("bearer" = [])),
    params(
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS`, 0 to 25; 5 by default"),
        ("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once"),
        RunFor),
    request_body(content = Program, example = json!({"code": "print(input())", "stdin": "hello\n"})),
    responses(
        (status = 200, description = "Finished", body = ExecutionResponse),
        (status = 202, description = "Accepted; the result will be at `status_url`", body = ExecutionResponse),
        (status = 401, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn run(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    headers: HeaderMap,
    run_for: Result<Query<RunFor>, QueryRejection>,
    Json(program): Json<Program>,
) -> Result<Response, Problem> {
    let Query(RunFor { exercise_id }) =
        run_for.map_err(|rejection| Problem::field("query string", rejection.body_text()))?;
    let work = match exercise_id {
        Some(id) => Some(work_on(&gateway, &id).await?),
        None => None,
    };
    let accepted = accept(&gateway, &caller, &headers, Requested { program, work }).await?;
    let id = ExecutionId::from_uuid(accepted.id);
    let finished =
        accepted.answer.map(|answered| Envelope::<ExecutionFinished>::read(answered.event));
    let Some(Ok(event)) = finished else {
        return find(&gateway, &caller, id).await;
    };
    // The code-execution function stored it before announcing it.
    Ok(ExecutionResponse::new(id, accepted.at, Some(event.data.result)).into_response())
}

async fn work_on(gateway: &Gateway, exercise_id: &str) -> Result<Work, Problem> {
    let unknown = || Problem::field("exercise_id", "the id of an exercise");
    let exercise_id: ExerciseId = exercise_id.parse().map_err(|_not_an_id| unknown())?;
    let mut conn = gateway.services.store.connection().await?;
    let topic = exercises::topic(&mut conn, exercise_id).await?.ok_or_else(unknown)?;
    Ok(Work { exercise_id, topic })
}

/// A program that a student wants to run.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Requested {
    program: Program,
    /// Not stored: it is a fact about the student's work, and no part of what is run.
    #[serde(skip)]
    work: Option<Work>,
}

impl StudentRequest for Requested {
    type Event = ExecutionRequested;
    type Answer = ExecutionFinished;
    type Stored = ();

    const OPERATION: &'static str = "execution";

    async fn store(
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
            work: self.work.clone(),
            program: self.program.clone(),
        }
    }
}

/// A run of yours, with its result once there is one.
#[utoipa::path(get, path = "/executions/{id}", operation_id = "get_execution", tag = "Code", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The id that `POST /executions` returned")),
    responses((status = 200, body = ExecutionResponse), (status = 202, body = ExecutionResponse), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    // An invalid id names nothing, so it is not found rather than malformed.
    let id = id.parse().map_err(|_not_an_id| missing::<Execution>())?;
    find(&gateway, &caller, id).await
}

async fn find(gateway: &Gateway, caller: &Person, id: ExecutionId) -> Result<Response, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let found = executions::find(&mut conn, id).await?;
    let run = readable(&mut conn, caller, found).await?;
    let mut response = ExecutionResponse::new(id, run.created_at, run.result);
    response.state.code = Some(run.code);
    if run.failed && response.result.is_none() {
        response.state.status = ExecutionStatus::Failed;
    }
    Ok(response.into_response())
}

impl ExecutionResponse {
    fn new(id: ExecutionId, created_at: DateTime<Utc>, result: Option<ExecutionResult>) -> Self {
        let status = match result {
            Some(_) => ExecutionStatus::Finished,
            None => ExecutionStatus::Pending,
        };
        let status_url = format!("/api/v1/executions/{id}");
        Self { state: ExecutionState { id, status, status_url, created_at, code: None }, result }
    }
}

impl IntoResponse for ExecutionResponse {
    fn into_response(self) -> Response {
        if self.state.status != ExecutionStatus::Pending {
            return Json(self).into_response();
        }
        pending(&self.state.status_url, &self)
    }
}
