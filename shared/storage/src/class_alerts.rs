//! Alerts as the teachers of the students' classes see them, and what they do about them.

use chrono::{DateTime, Utc};
use domain::{alert_status::AlertStatus, struggle::Trigger};
use ids::{AlertId, ClassId, ExerciseId, UserId};
use serde_json::Value;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// An alert with its student.
#[derive(Debug, Clone, PartialEq)]
pub struct StudentAlert {
    /// Its id.
    pub id: AlertId,
    /// Whom it is about.
    pub student_id: UserId,
    /// Their name.
    pub student_name: String,
    /// The topic's slug, if it is about one.
    pub topic: Option<String>,
    /// The rule: the name of a [`domain::struggle::Trigger`].
    pub trigger: String,
    /// How urgent it is: the name of a [`domain::struggle::Severity`].
    pub severity: String,
    /// The name of an [`AlertStatus`].
    pub status: String,
    /// One sentence: what, and since when.
    pub summary: String,
    /// The exercise, if it is about one.
    pub exercise_id: Option<ExerciseId>,
    /// The facts that it rests on.
    pub evidence: Value,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When a teacher said that they see to it.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub resolved_at: Option<DateTime<Utc>>,
    /// What shows that the student has recovered.
    pub resolution: Option<String>,
}

struct AlertRow {
    id: Uuid,
    student_id: Uuid,
    student_name: String,
    topic: Option<String>,
    trigger: String,
    severity: String,
    status: String,
    summary: String,
    exercise_id: Option<Uuid>,
    evidence: Json<Value>,
    opened_at: DateTime<Utc>,
    acknowledged_at: Option<DateTime<Utc>>,
    resolved_at: Option<DateTime<Utc>>,
    resolution: Option<String>,
}

impl From<AlertRow> for StudentAlert {
    fn from(row: AlertRow) -> Self {
        Self {
            id: AlertId::from_uuid(row.id),
            student_id: UserId::from_uuid(row.student_id),
            student_name: row.student_name,
            topic: row.topic,
            trigger: row.trigger,
            severity: row.severity,
            status: row.status,
            summary: row.summary,
            exercise_id: row.exercise_id.map(ExerciseId::from_uuid),
            evidence: row.evidence.0,
            opened_at: row.opened_at,
            acknowledged_at: row.acknowledged_at,
            resolved_at: row.resolved_at,
            resolution: row.resolution,
        }
    }
}

/// Which alerts.
#[derive(Debug, Clone, Copy)]
pub struct AlertPage<'a> {
    /// The classes whose students they are about.
    pub classes: &'a [Uuid],
    /// The one of these students that they are about; without one, any.
    pub student: Option<UserId>,
    /// Their states.
    pub statuses: &'a [AlertStatus],
    /// Those before this moment, which has an id, too.
    pub before: (DateTime<Utc>, Uuid),
    /// How many.
    pub limit: i64,
}

/// The alerts about the students of some classes, newest first.
///
/// # Errors
/// The database's own.
pub async fn list(
    conn: &mut PgConnection,
    page: &AlertPage<'_>,
) -> sqlx::Result<Vec<StudentAlert>> {
    let statuses: Vec<String> = page.statuses.iter().map(|one| one.as_str().to_owned()).collect();
    let rows = sqlx::query_as!(
        AlertRow,
        r#"SELECT alert.id AS "id!", students.id AS "student_id!", display_name AS student_name, alert.topic_slug AS topic,
                  alert.trigger AS "trigger!", alert.severity AS "severity!", alert.status AS "status!",
                  alert.summary AS "summary!", alert.exercise_id, alert.evidence AS "evidence!: Json<Value>",
                  alert.opened_at AS "opened_at!", alert.acknowledged_at, alert.resolved_at, alert.resolution
           FROM (SELECT DISTINCT student_id AS id FROM enrollments
                 WHERE class_id = ANY($1) AND ($6::uuid IS NULL OR student_id = $6)) AS students
           JOIN users ON users.id = students.id
           CROSS JOIN LATERAL (SELECT * FROM alerts
                               WHERE student_id = students.id AND status = ANY($2) AND (opened_at, alerts.id) < ($3, $4)
                               ORDER BY opened_at DESC, alerts.id DESC LIMIT $5) AS alert
           ORDER BY alert.opened_at DESC, alert.id DESC LIMIT $5"#,
        page.classes,
        &statuses,
        page.before.0,
        page.before.1,
        page.limit,
        page.student.map(UserId::as_uuid),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(StudentAlert::from).collect())
}

/// An alert.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, id: AlertId) -> sqlx::Result<Option<StudentAlert>> {
    let row = sqlx::query_as!(
        AlertRow,
        r#"SELECT alerts.id, student_id, display_name AS student_name, topic_slug AS topic, trigger, severity, status,
                  summary, exercise_id, evidence AS "evidence: Json<Value>", opened_at, acknowledged_at, resolved_at,
                  resolution
           FROM alerts JOIN users ON users.id = student_id WHERE alerts.id = $1"#,
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(StudentAlert::from))
}

/// Locks an alert until the end of the transaction, since it resolves by itself, too. Returns the name of its state.
///
/// # Errors
/// The database's own.
pub async fn lock(conn: &mut PgConnection, id: AlertId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("SELECT status FROM alerts WHERE id = $1 FOR UPDATE", id.as_uuid())
        .fetch_optional(conn)
        .await
}

/// Moves an alert to another state, at this time.
///
/// # Errors
/// The database's own.
pub async fn set_status(
    conn: &mut PgConnection,
    id: AlertId,
    status: AlertStatus,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE alerts
         SET status = $2, updated_at = $3,
             acknowledged_at = CASE WHEN $2 = 'acknowledged' THEN $3 ELSE acknowledged_at END,
             resolved_at = CASE WHEN $2 = 'resolved' THEN $3 ELSE resolved_at END
         WHERE id = $1",
        id.as_uuid(),
        status.as_str(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many students of a class have equal alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowd {
    /// The class.
    pub class: ClassId,
    /// Its name.
    pub name: String,
    /// Its students with an alert that is not resolved.
    pub students: i64,
}

/// How many students of each of these classes have an alert of this topic and rule that was opened since then.
///
/// # Errors
/// The database's own.
pub async fn crowds(
    conn: &mut PgConnection,
    classes: &[Uuid],
    topic: Option<&str>,
    trigger: Trigger,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<Crowd>> {
    let rows = sqlx::query!(
        r#"SELECT classes.id, name, count(DISTINCT alerts.student_id) AS "students!"
           FROM classes
           JOIN enrollments ON class_id = classes.id
           JOIN alerts ON alerts.student_id = enrollments.student_id
           WHERE classes.id = ANY($1) AND trigger = $2 AND topic_slug IS NOT DISTINCT FROM $3
             AND status <> 'resolved' AND opened_at > $4
           GROUP BY classes.id ORDER BY classes.id"#,
        classes,
        trigger.as_str(),
        topic,
        since,
    )
    .fetch_all(conn)
    .await?;
    let crowd = |(id, name, students)| Crowd { class: ClassId::from_uuid(id), name, students };
    Ok(rows.into_iter().map(|row| crowd((row.id, row.name, row.students))).collect())
}
