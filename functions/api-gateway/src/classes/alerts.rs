//! Alerts about the students of one's classes: list, show, acknowledge, resolve.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use domain::{
    alert_status::AlertStatus,
    struggle::{Evidence, Severity, Trigger},
};
use ids::{AlertId, ExerciseId, UserId};
use runtime::web::{Caller, Json, Path, Person, Problem, Teacher};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::{
    class_alerts::{self, AlertPage, StudentAlert},
    classes,
};
use utoipa::{IntoParams, ToSchema};

use crate::{
    classes::lookup::{MAX_CLASSES, active, commit},
    gateway::Gateway,
    ownership::{missing, readable},
    pages::{self, Moment},
    spec::NAME,
    stored,
};

/// Alerts on a page.
const PAGE: i64 = 50;

/// An alert about a student of one of your classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassAlert {
    /// Its id.
    pub id: AlertId,
    /// The student.
    pub student_id: UserId,
    /// Their name.
    pub student_name: String,
    /// The rule that they fell under.
    pub trigger: Trigger,
    /// The topic's slug, if it is about one.
    pub topic: Option<String>,
    /// The exercise, if it is about one.
    pub exercise_id: Option<ExerciseId>,
    /// How urgent it is.
    pub severity: Severity,
    /// What has been done about it.
    pub status: AlertStatus,
    /// One sentence: what, and since when.
    pub summary: String,
    /// Why: the facts that it rests on.
    pub evidence: Vec<Evidence>,
    /// Since when.
    pub opened_at: DateTime<Utc>,
    /// When a teacher said that they see to it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub resolved_at: Option<DateTime<Utc>>,
    /// What shows that the student has recovered; none if a teacher resolved it.
    pub resolution: Option<String>,
}

/// A page of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassAlertPage {
    /// The latest first, at most 50.
    pub items: Vec<ClassAlert>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Those in this state.
    status: Option<AlertStatus>,
    /// Those about the students of this class.
    class_id: Option<String>,
    /// Those about this student, as long as they are in a class of yours.
    student_id: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The alerts about the students of your classes, the latest first.
#[utoipa::path(get, path = "/alerts", operation_id = "list_alerts", tag = "Classes", security(("bearer" = [])), params(Filter),
    responses((status = 200, body = ClassAlertPage), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<ClassAlertPage>, Problem> {
    let Filter { status, class_id, student_id, cursor } = pages::read(filter)?;
    let before = Moment::before(cursor.as_deref())?;
    let student = student_id.map(|id| id.parse()).transpose();
    let student = student.map_err(|_not_an_id| Problem::field("student_id", "a student's id"))?;
    let mut conn = gateway.services.store.connection().await?;
    let classes = match class_id {
        Some(id) => vec![active(&mut conn, &caller, &id).await?.id.as_uuid()],
        None => classes::active_of_teacher(&mut conn, caller.id, MAX_CLASSES).await?,
    };
    let statuses: &[AlertStatus] = status.as_ref().map_or(&AlertStatus::ALL, std::slice::from_ref);
    let before = (before.at, before.id);
    let page = AlertPage { classes: &classes, student, statuses, before, limit: PAGE };
    Ok(Json(of_classes(&mut conn, &page).await?))
}

/// A page of the alerts about the students of some classes.
pub(crate) async fn of_classes(
    conn: &mut PgConnection,
    page: &AlertPage<'_>,
) -> Result<ClassAlertPage, Problem> {
    let found = class_alerts::list(conn, page).await?;
    let next_cursor = pages::next_cursor(&found, page.limit, |last| {
        Moment { at: last.opened_at, id: last.id.as_uuid() }.cursor()
    });
    // One that a later version wrote must not hide the others; that it cannot be read is logged.
    let items = found.into_iter().filter_map(|alert| ClassAlert::try_from(alert).ok()).collect();
    Ok(ClassAlertPage { items, next_cursor })
}

/// An alert about a student of one of your classes.
#[utoipa::path(get, path = "/alerts/{id}", operation_id = "get_alert", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The alert")),
    responses((status = 200, body = ClassAlert), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
) -> Result<Json<ClassAlert>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    Ok(Json(find(&mut conn, &caller, &id).await?.try_into()?))
}

async fn find(conn: &mut PgConnection, caller: &Person, id: &str) -> Result<StudentAlert, Problem> {
    let id: AlertId = id.parse().map_err(|_not_an_id| missing::<StudentAlert>())?;
    let found = class_alerts::find(conn, id).await?;
    readable(conn, caller, found).await
}

/// Says that you see to an alert; saying it again changes nothing. One that is resolved cannot be acknowledged.
#[utoipa::path(post, path = "/alerts/{id}/acknowledge", operation_id = "acknowledge_alert", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The alert")),
    responses((status = 200, body = ClassAlert), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem)))]
pub(crate) async fn acknowledge(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
) -> Result<Json<ClassAlert>, Problem> {
    let next = |status: AlertStatus| {
        status.acknowledged().map_err(|resolved| {
            Problem::new(StatusCode::CONFLICT, "alert_resolved", resolved.to_string())
        })
    };
    change(&gateway, &caller, &id, next).await
}

/// Says that an alert is over; saying it again changes nothing.
#[utoipa::path(post, path = "/alerts/{id}/resolve", operation_id = "resolve_alert", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The alert")),
    responses((status = 200, body = ClassAlert), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn resolve(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
) -> Result<Json<ClassAlert>, Problem> {
    change(&gateway, &caller, &id, |status| Ok(status.resolved())).await
}

/// Moves an alert to the next state, if it is another one. It is locked first, since it resolves by itself, too.
async fn change(
    gateway: &Gateway,
    caller: &Person,
    id: &str,
    next: impl Fn(AlertStatus) -> Result<AlertStatus, Problem> + Send,
) -> Result<Json<ClassAlert>, Problem> {
    let now = gateway.services.clock.now();
    let mut tx = gateway.services.store.begin(NAME).await?;
    let alert = find(tx.conn(), caller, id).await?;
    let status = class_alerts::lock(tx.conn(), alert.id).await?;
    let status: AlertStatus = stored::name(status.ok_or_else(missing::<StudentAlert>)?)?;
    let to = next(status)?;
    if to != status {
        class_alerts::set_status(tx.conn(), alert.id, to, now).await?;
    }
    let changed = class_alerts::find(tx.conn(), alert.id).await?;
    let changed = changed.ok_or_else(missing::<StudentAlert>)?.try_into()?;
    commit(gateway, tx).await?;
    Ok(Json(changed))
}

impl TryFrom<StudentAlert> for ClassAlert {
    type Error = Problem;

    fn try_from(alert: StudentAlert) -> Result<Self, Problem> {
        Ok(Self {
            id: alert.id,
            student_id: alert.student_id,
            student_name: alert.student_name,
            trigger: stored::name(alert.trigger)?,
            topic: alert.topic,
            exercise_id: alert.exercise_id,
            severity: stored::name(alert.severity)?,
            status: stored::name(alert.status)?,
            summary: alert.summary,
            evidence: stored::read(alert.evidence)?,
            opened_at: alert.opened_at,
            acknowledged_at: alert.acknowledged_at,
            resolved_at: alert.resolved_at,
            resolution: alert.resolution,
        })
    }
}
