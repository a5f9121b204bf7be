//! The cost of models: calls are made only within the budget, and all are in the ledger.

use chrono::TimeDelta;
use events::model_call::{Field, ModelRequested, Task};
use runtime::HandlerError;
use sqlx::PgConnection;
use storage::model_usage::{self, Usage};
use tutor::{Spent, Tutor, privacy};
use uuid::Uuid;

use crate::draft::{Origin, WaitsFor};

/// What the budget is for.
const DAY: TimeDelta = TimeDelta::hours(24);

/// Fields made only from the course. They are not redacted: a student whose name is a word of the lesson would change
/// everybody's answer.
const OURS: [&str; 9] =
    ["topic", "lesson", "level", "difficulty", "like", "task", "starter", "examples", "rung"];

/// The fields without anything that identifies the student.
pub(crate) async fn anonymous(
    conn: &mut PgConnection,
    origin: Origin,
    fields: Vec<Field>,
) -> Result<Vec<Field>, HandlerError> {
    let student = storage::users::find(conn, origin.student).await.map_err(HandlerError::retry)?;
    let names: Vec<String> = student.into_iter().map(|student| student.display_name).collect();
    let scrubbed = fields.into_iter().map(|Field { name, text }| {
        let text = if OURS.contains(&name.as_str()) { text } else { privacy::scrub(&text, &names) };
        Field { name, text }
    });
    Ok(scrubbed.collect())
}

/// Enters a call with the most that it can cost. `false`: the student's or everybody's budget is spent.
pub(crate) async fn reserve(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    request: &ModelRequested,
) -> Result<bool, HandlerError> {
    let Some(task) = request.task else { return Ok(false) };
    let most = tutor.at_most(task, &request.fields);
    if !is_affordable(conn, tutor, origin, &most).await? {
        tracing::info!(task = task.as_str(), "the budget for the model is spent");
        return Ok(false);
    }
    let call = Call { id: request.draft_id, was_saved: false, spent: &most };
    enter(conn, tutor, origin, call).await?;
    Ok(true)
}

/// Enters a question for which no call is made: its answer exists, or another question has asked for it.
pub(crate) async fn enter_saved(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    task: Task,
) -> Result<(), HandlerError> {
    let spent = Spent { model: tutor.model(task).to_owned(), ..Spent::default() };
    let call = Call { id: origin.id(WaitsFor::Model), was_saved: true, spent: &spent };
    enter(conn, tutor, origin, call).await
}

/// Enters the cost of a finished call.
pub(crate) async fn settle(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    id: Uuid,
    spent: &Spent,
) -> Result<(), HandlerError> {
    enter(conn, tutor, origin, Call { id, was_saved: false, spent }).await
}

async fn is_affordable(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    most: &Spent,
) -> Result<bool, HandlerError> {
    let budget = tutor.budget();
    let total = model_usage::total(conn, origin.student, origin.now - DAY)
        .await
        .map_err(HandlerError::retry)?;
    let cost = budget.cost(most);
    Ok(total.student_calls < budget.student_calls
        && total.student_micro_usd.saturating_add(cost) <= budget.student_micro_usd
        && total.all_micro_usd.saturating_add(cost) <= budget.all_micro_usd)
}

/// An entry of the ledger.
struct Call<'a> {
    id: Uuid,
    /// Whether no call is made for it.
    was_saved: bool,
    spent: &'a Spent,
}

async fn enter(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    call: Call<'_>,
) -> Result<(), HandlerError> {
    let Call { id, was_saved, spent } = call;
    let usage = Usage {
        id,
        student: origin.student,
        agent: origin.agent,
        model: &spent.model,
        tokens_in: spent.tokens_in,
        tokens_out: spent.tokens_out,
        cost_micro_usd: tutor.budget().cost(spent),
        latency_ms: spent.latency_ms,
        cached: was_saved,
    };
    model_usage::enter(conn, &usage, origin.now).await.map_err(HandlerError::retry)
}
