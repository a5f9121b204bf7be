//! Students' progress.

use axum::extract::{Query, State, rejection::QueryRejection};
use ids::UserId;
use progress_report::{MOST_DAYS, ProgressHistory, ProgressReport};
use runtime::web::{Caller, Json, Path, Problem, Student};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    gateway::Gateway,
    ownership::{Personal, missing, readable},
};

/// Days of a history if nothing else is asked for.
const DAYS: u32 = 30;

/// The progress of the student with this id.
struct StudentProgress(UserId);

impl Personal for StudentProgress {
    const NAME: &'static str = "student";

    fn owner(&self) -> Option<UserId> {
        Some(self.0)
    }
}

/// A student's progress: mastery overall, by module and by topic, streaks, and what to do next.
#[utoipa::path(get, path = "/progress/{user_id}", operation_id = "get_progress", tag = "Progress", security(("bearer" = [])),
    params(("user_id" = Uuid, Path, description = "Your own id; a teacher's student; `me` for your own")),
    responses((status = 200, body = ProgressReport), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn show(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(user_id): Path<String>,
) -> Result<Json<ProgressReport>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let StudentProgress(student) =
        readable(&mut conn, &caller, progress_of(&user_id, caller.id)).await?;
    let now = gateway.services.clock.now();
    let report = progress_report::load(&mut conn, student, now).await?;
    report.map(Json).ok_or_else(missing::<StudentProgress>)
}

/// How many days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Period {
    /// The last days, 1 to 366; 30 by default.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
}

/// A student's overall score and activity day by day, in the student's time zone.
#[utoipa::path(get, path = "/progress/{user_id}/history", operation_id = "get_progress_history", tag = "Progress", security(("bearer" = [])),
    params(("user_id" = Uuid, Path, description = "Your own id; a teacher's student; `me` for your own"), Period),
    responses((status = 200, body = ProgressHistory), (status = 401, body = Problem), (status = 404, body = Problem),
              (status = 422, body = Problem)))]
pub(crate) async fn history(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(user_id): Path<String>,
    period: Result<Query<Period>, QueryRejection>,
) -> Result<Json<ProgressHistory>, Problem> {
    let expected = "a whole number from 1 to 366";
    let Query(Period { days }) = period.map_err(|_unreadable| Problem::field("days", expected))?;
    let days = days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::field("days", expected));
    }
    let mut conn = gateway.services.store.connection().await?;
    let StudentProgress(student) =
        readable(&mut conn, &caller, progress_of(&user_id, caller.id)).await?;
    let now = gateway.services.clock.now();
    let history = progress_report::load_history(&mut conn, student, now, days).await?;
    history.map(Json).ok_or_else(missing::<StudentProgress>)
}

fn progress_of(id: &str, caller: UserId) -> Option<StudentProgress> {
    if id == "me" { Some(StudentProgress(caller)) } else { id.parse().ok().map(StudentProgress) }
}
