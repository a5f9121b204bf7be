//! Alerts about struggling students.

use chrono::{DateTime, Utc};
use domain::struggle::{Alert, Evidence, Resolved};
use ids::{AlertId, ExerciseId, UserId};
use sqlx::{PgConnection, types::Json};

use crate::named;

/// Resolved alerts that are looked at: more than any student has within the time that they matter.
const MOST_RESOLVED: i64 = 50;

/// A student's alerts that are not resolved.
///
/// # Errors
/// The database's own.
pub async fn unresolved(conn: &mut PgConnection, student: UserId) -> sqlx::Result<Vec<Alert>> {
    let rows = sqlx::query!(
        r#"SELECT id, topic_slug, exercise_id, trigger, severity, summary,
                  evidence AS "evidence: Json<Vec<Evidence>>"
           FROM alerts WHERE student_id = $1 AND status <> 'resolved' ORDER BY opened_at, id"#,
        student.as_uuid(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Alert {
                id: AlertId::from_uuid(row.id),
                topic: row.topic_slug,
                exercise: row.exercise_id.map(ExerciseId::from_uuid),
                trigger: named(&row.trigger)?,
                severity: named(&row.severity)?,
                summary: row.summary,
                evidence: row.evidence.0,
            })
        })
        .collect()
}

/// A student's alerts that were resolved since a moment.
///
/// # Errors
/// The database's own.
pub async fn resolved_since(
    conn: &mut PgConnection,
    student: UserId,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<Resolved>> {
    let rows = sqlx::query!(
        r#"SELECT topic_slug, trigger, resolved_at AS "resolved_at!" FROM alerts
           WHERE student_id = $1 AND resolved_at >= $2 ORDER BY opened_at DESC LIMIT $3"#,
        student.as_uuid(),
        since,
        MOST_RESOLVED,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let trigger = named(&row.trigger)?;
            Ok(Resolved { topic: row.topic_slug, trigger, at: row.resolved_at })
        })
        .collect()
}

/// Stores a new alert.
///
/// # Errors
/// The database's own.
pub async fn insert(
    conn: &mut PgConnection,
    student: UserId,
    alert: &Alert,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO alerts (id, student_id, topic_slug, exercise_id, trigger, severity, summary, status, evidence,
                             opened_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9, $9)",
        alert.id.as_uuid(),
        student.as_uuid(),
        alert.topic.as_deref(),
        alert.exercise.map(ExerciseId::as_uuid),
        alert.trigger.as_str(),
        alert.severity.as_str(),
        alert.summary,
        Json(&alert.evidence) as _,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what is new about an alert.
///
/// # Errors
/// The database's own.
pub async fn update(conn: &mut PgConnection, alert: &Alert, at: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE alerts SET severity = $2, summary = $3, evidence = $4, updated_at = $5 WHERE id = $1",
        alert.id.as_uuid(),
        alert.severity.as_str(),
        alert.summary,
        Json(&alert.evidence) as _,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Resolves an alert because its student has recovered.
///
/// # Errors
/// The database's own.
pub async fn resolve(
    conn: &mut PgConnection,
    id: AlertId,
    because: &str,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE alerts SET status = 'resolved', resolution = $2, resolved_at = $3, updated_at = $3
         WHERE id = $1 AND status <> 'resolved'",
        id.as_uuid(),
        because,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
