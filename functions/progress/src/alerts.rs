//! Stores what changes in alerts, and says it to teachers and students.

use chrono::{DateTime, Utc};
use domain::struggle::{Alert, Change, Nudge};
use events::{
    envelope::derived_event_id,
    progress_updated::NudgeGiven,
    struggle_detected::{AlertChange, StruggleDetected},
};
use ids::{AlertId, EventId, UserId};
use runtime::HandlerError;
use sqlx::PgConnection;
use storage::alerts;
use uuid::Uuid;

/// From what the ids of new alerts are derived, beside the event: a rerun opens the same alerts.
const ALERTS: &str = "progress.alerts";

/// About whom, and why now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) student: UserId,
    pub(crate) request: Uuid,
    pub(crate) cause: EventId,
    pub(crate) now: DateTime<Utc>,
}

/// Stores changes; returns what teachers hear of them.
pub(crate) async fn apply(
    conn: &mut PgConnection,
    context: Context,
    changes: Vec<Change>,
) -> Result<Vec<StruggleDetected>, HandlerError> {
    let mut events = Vec::new();
    for (position, change) in changes.into_iter().enumerate() {
        match change {
            Change::Open { signal, severity } => {
                let id = derived_event_id(context.cause, ALERTS, position).as_uuid();
                let alert = Alert {
                    id: AlertId::from_uuid(id),
                    topic: signal.topic,
                    exercise: signal.exercise,
                    trigger: signal.trigger,
                    severity,
                    summary: signal.summary,
                    evidence: signal.evidence,
                };
                let stored = alerts::insert(conn, context.student, &alert, context.now).await;
                stored.map_err(HandlerError::retry)?;
                events.push(event(context, alert, AlertChange::Opened, None));
            }
            Change::Update { alert, is_more_urgent } => {
                let stored = alerts::update(conn, &alert, context.now).await;
                stored.map_err(HandlerError::retry)?;
                if is_more_urgent {
                    events.push(event(context, alert, AlertChange::Updated, None));
                }
            }
            Change::Resolve { alert, because } => {
                let stored = alerts::resolve(conn, alert.id, &because, context.now).await;
                stored.map_err(HandlerError::retry)?;
                events.push(event(context, alert, AlertChange::Resolved, Some(because)));
            }
        }
    }
    Ok(events)
}

fn event(
    context: Context,
    alert: Alert,
    change: AlertChange,
    because: Option<String>,
) -> StruggleDetected {
    StruggleDetected {
        alert_id: alert.id,
        student_id: context.student,
        request_id: context.request,
        topic: alert.topic,
        exercise_id: alert.exercise.map(ids::ExerciseId::as_uuid),
        trigger: alert.trigger,
        severity: alert.severity,
        change,
        summary: because.unwrap_or(alert.summary),
        evidence: alert.evidence,
    }
}

/// A word to the student.
pub(crate) fn nudge(context: Context, nudge: Nudge) -> NudgeGiven {
    NudgeGiven {
        student_id: context.student,
        request_id: context.request,
        text: nudge.text,
        topic: nudge.topic,
        exercise_id: nudge.exercise.map(ids::ExerciseId::as_uuid),
    }
}
