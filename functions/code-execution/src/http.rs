//! `POST /execute`: a program for direct callers.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode, routing::post};
use domain::execution::{ExecutionResult, Program};
use ids::{EventId, ExecutionId};
use runtime::{
    Endpoint, Outgoing, Services, deadline,
    web::{Json, Problem},
};
use serde::Serialize;
use storage::executions;

use crate::{execute::execute, spec::NAME, workers::Workers};

/// When to try again after all workers were full: by then most programs have ended.
const RETRY_SECONDS: u32 = 1;
/// The longest that a request takes: 5 s for the program, 2 s for the expected values, both twice as long on a busy
/// machine, and the rest for storing the result.
const RUN_LIMIT: Duration = Duration::from_secs(16);

#[derive(Clone)]
struct Sandbox {
    workers: Arc<Workers>,
    services: Arc<Services>,
}

pub(crate) fn routes(workers: Arc<Workers>, services: Arc<Services>) -> [Endpoint; 1] {
    [("/execute", post(run).with_state(Sandbox { workers, services }))]
}

#[derive(Debug, Serialize)]
struct ExecuteResponse {
    id: ExecutionId,
    #[serde(flatten)]
    result: ExecutionResult,
}

async fn run(
    State(Sandbox { workers, services }): State<Sandbox>,
    Json(program): Json<Program>,
) -> Result<Json<ExecuteResponse>, Problem> {
    let now = services.clock.now();
    deadline::allow(RUN_LIMIT);
    let result = execute(&workers, &program, now).await.map_err(|busy| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", busy.to_string())
            .retry_after(RETRY_SECONDS)
    })?;
    let id = ExecutionId::from_uuid(services.clock.new_id());
    let stored = serde_json::to_value(&program).map_err(|error| Problem::internal(&error))?;
    let mut tx = services.store.begin(NAME).await?;
    executions::insert(tx.conn(), id, None, &stored, now).await?;
    let trimmed = result.clone().trimmed();
    executions::record_result(tx.conn(), id, &trimmed, services.clock.now()).await?;
    tx.commit(EventId::from_uuid(id.as_uuid()), Outgoing::none(), now).await?;
    Ok(Json(ExecuteResponse { id, result }))
}
