//! What models were used for, and what that cost.

use std::time::Duration;

use axum::extract::{Query, State, rejection::QueryRejection};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use runtime::{
    HandlerError, Outgoing, Periodic, Round, Schedule,
    web::{Admin, Caller, Json, Problem},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::model_usage::{self, DayRow};
use utoipa::{IntoParams, ToSchema};

use crate::{gateway::Gateway, pages};

/// Most days of a report: it reads a row for each day, agent and model.
const MAX_DAYS: u64 = 31;
/// Days of a report unless the request says otherwise.
const DAYS: u64 = 7;
/// Most rows of a report: six agents and five models on each of the days.
const MAX_ROWS: i64 = 1_000;

/// What one agent used of one model on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageRow {
    /// The day, in UTC.
    pub day: NaiveDate,
    /// The agent that asked.
    pub agent: String,
    /// The model's name; empty if none was reached.
    pub model: String,
    /// Calls that were made.
    pub calls: i64,
    /// Questions for which no call was needed, since an answer was there or on its way.
    pub saved: i64,
    /// Calls without an answer.
    pub failed: i64,
    /// Tokens that were sent.
    pub tokens_in: i64,
    /// Tokens that came back.
    pub tokens_out: i64,
    /// Millionths of a US dollar, by the prices at that time (`MODEL_PRICE_IN`, `MODEL_PRICE_OUT`). A call in progress
    /// counts with the most that it can cost.
    pub cost_micro_usd: i64,
}

impl From<DayRow> for UsageRow {
    fn from(row: DayRow) -> Self {
        Self {
            day: row.day,
            agent: row.agent,
            model: row.model,
            calls: row.calls,
            saved: row.saved,
            failed: row.failed,
            tokens_in: row.tokens_in,
            tokens_out: row.tokens_out,
            cost_micro_usd: row.cost_micro_usd,
        }
    }
}

/// The use of models, day by day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageReport {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// By day, newest first, agent and model; at most 1,000.
    pub rows: Vec<UsageRow>,
    /// Calls of all rows.
    pub calls: i64,
    /// The cost of all rows, in millionths of a US dollar.
    pub cost_micro_usd: i64,
}

/// The days of a report.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsagePeriod {
    /// The last day, in UTC; today if it is left out.
    to: Option<NaiveDate>,
    /// Days up to that one, 1 to 31; 7 if it is left out.
    #[param(minimum = 1, maximum = 31)]
    days: Option<u64>,
}

/// What models were used for and what that cost, by day, agent and model.
#[utoipa::path(get, path = "/admin/usage", operation_id = "get_usage", tag = "Administration", security(("bearer" = [])),
    params(UsagePeriod),
    responses((status = 200, body = UsageReport), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    _caller: Caller<Admin>,
    period: Result<Query<UsagePeriod>, QueryRejection>,
) -> Result<Json<UsageReport>, Problem> {
    let period = pages::read(period)?;
    let days = period.days.unwrap_or(DAYS);
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(Problem::field("days", format!("must be between 1 and {MAX_DAYS}")));
    }
    let today = gateway.services.clock.now().date_naive();
    let to = period.to.unwrap_or(today).min(today);
    let from = to.checked_sub_days(Days::new(days - 1)).filter(|from| is_storable(*from));
    let from = from.ok_or_else(|| Problem::field("to", "must be after 1970"))?;
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    let mut conn = gateway.services.store.connection().await?;
    let end = midnight(to) + Days::new(1);
    let rows = model_usage::by_day(&mut conn, midnight(from), end, MAX_ROWS).await?;
    let rows: Vec<UsageRow> = rows.into_iter().map(UsageRow::from).collect();
    let calls = rows.iter().map(|row| row.calls).sum();
    let cost_micro_usd = rows.iter().map(|row| row.cost_micro_usd).sum();
    Ok(Json(UsageReport { from, to, rows, calls, cost_micro_usd }))
}

/// Sums up the calls that are over, so that a report need not read every call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SumUpUsage;

impl Periodic for SumUpUsage {
    const SCHEDULE: Schedule = Schedule {
        name: "sum-up-usage",
        // What is not summed up yet is counted by the report: the calls of 25 minutes, and after an
        // upgrade for some days those of before.
        every: Duration::from_secs(300),
    };

    async fn run(
        &self,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Round, HandlerError> {
        let has_more = model_usage::sum_up_next(conn, now).await.map_err(HandlerError::retry)?;
        Ok(Round { outgoing: Outgoing::none(), has_more })
    }
}

/// Whether a day can be compared with those in the database; there are none before 1970.
fn is_storable(day: NaiveDate) -> bool {
    day >= NaiveDate::default()
}
