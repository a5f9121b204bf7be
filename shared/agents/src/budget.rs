//! The cost of models: calls are made only within the budget, and all are in the ledger.

use chrono::TimeDelta;
use events::model_call::{Field, ModelRequested, Task};
use runtime::HandlerError;
use sqlx::PgConnection;
use storage::model_usage::{self, Standing, Usage};
use tutor::{Spent, Tutor, privacy};
use uuid::Uuid;

use crate::draft::{Origin, WaitsFor};

/// What the budget is for.
const DAY: TimeDelta = TimeDelta::hours(24);

/// Fields made only from the course. They are not redacted: a student whose name is a word of the lesson would change
/// everybody's answer.
const OURS: [&str; 9] =
    ["topic", "lesson", "level", "difficulty", "like", "task", "starter", "examples", "rung"];

/// The student before a call.
pub(crate) async fn standing(
    conn: &mut PgConnection,
    origin: Origin,
) -> Result<Standing, HandlerError> {
    let since = origin.now - DAY;
    model_usage::standing(conn, origin.student, since).await.map_err(HandlerError::retry)
}

/// The fields without anything that identifies the student.
pub(crate) fn anonymous(student: &Standing, fields: Vec<Field>) -> Vec<Field> {
    let name = student.display_name.as_deref().unwrap_or_default();
    let scrubbed = fields.into_iter().map(|field| {
        if OURS.contains(&field.name.as_str()) {
            return field;
        }
        Field { text: privacy::scrub(&field.text, name), ..field }
    });
    scrubbed.collect()
}

/// Enters a call with the most that it can cost. `false`: the student's or everybody's budget is spent.
pub(crate) async fn reserve(
    conn: &mut PgConnection,
    tutor: &Tutor,
    origin: Origin,
    student: &Standing,
    request: &ModelRequested,
) -> Result<bool, HandlerError> {
    let Some(task) = request.task else { return Ok(false) };
    let most = tutor.at_most(task, &request.fields);
    if !is_affordable(tutor, student, &most) {
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

fn is_affordable(tutor: &Tutor, student: &Standing, most: &Spent) -> bool {
    let budget = tutor.budget();
    let cost = budget.cost(most);
    student.student_calls < budget.student_calls
        && student.student_micro_usd.saturating_add(cost) <= budget.student_micro_usd
        && student.all_micro_usd.saturating_add(cost) <= budget.all_micro_usd
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
