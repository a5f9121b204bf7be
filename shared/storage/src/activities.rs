//! What students did, as far as it says something about their progress.

use chrono::{DateTime, Utc};
use domain::{
    activity::{Activity, Kind},
    local_time::TimeZone,
};
use ids::{EventId, ExerciseId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{from_json, to_json};

/// Most activities that a student's mastery is worked out from: the latest ones. A year of work is some hundreds.
pub const MOST: i64 = 2_000;
/// Most recent activities that are looked at for signs of struggle.
pub const MOST_RECENT: i64 = 500;

/// Locks a student's progress until the transaction ends.
///
/// Returns the student's time zone; `None` without an account. Events of different topics may be handled at the same
/// time, and all of them change the same rows.
///
/// # Errors
/// The database's own.
pub async fn lock(conn: &mut PgConnection, student: UserId) -> sqlx::Result<Option<TimeZone>> {
    let name = sqlx::query_scalar!(
        "SELECT time_zone FROM users WHERE id = $1 FOR NO KEY UPDATE",
        student.as_uuid(),
    );
    let found = name.fetch_optional(conn).await?;
    Ok(found.as_deref().map(TimeZone::stored))
}

/// Stores activities that are not stored yet, and returns how many were new. A topic that the course does not have is
/// left out; without a topic it is the exercise's.
///
/// # Errors
/// The database's own.
pub async fn insert(
    conn: &mut PgConnection,
    student: UserId,
    activities: &[Activity],
) -> sqlx::Result<u64> {
    let mut new = 0;
    for (position, activity) in (0_i16..).zip(activities) {
        let Activity { id, source, at, topic, exercise, kind } = activity;
        let inserted = sqlx::query!(
            "INSERT INTO activities (event_id, position, student_id, done_at, topic_slug, exercise_id, source_id,
                                     counts, kind)
             VALUES ($1, $2, $3, $4,
                     coalesce((SELECT slug FROM topics WHERE slug = $5),
                              (SELECT topic_slug FROM exercises WHERE id = $6)),
                     $6, $7, $8, $9::text::json)
             ON CONFLICT DO NOTHING",
            id.as_uuid(),
            position,
            student.as_uuid(),
            at,
            topic.as_deref(),
            exercise.map(ExerciseId::as_uuid),
            *source,
            kind.counts_towards_mastery(),
            to_json(kind)?,
        )
        .execute(&mut *conn)
        .await?;
        new += inserted.rows_affected();
    }
    Ok(new)
}

struct ActivityRow {
    event_id: Uuid,
    done_at: DateTime<Utc>,
    topic_slug: Option<String>,
    exercise_id: Option<Uuid>,
    source_id: Option<Uuid>,
    kind: String,
}

impl TryFrom<ActivityRow> for Activity {
    type Error = sqlx::Error;

    fn try_from(row: ActivityRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: EventId::from_uuid(row.event_id),
            source: row.source_id,
            at: row.done_at,
            topic: row.topic_slug,
            exercise: row.exercise_id.map(ExerciseId::from_uuid),
            kind: from_json::<Kind>(&row.kind)?,
        })
    }
}

/// In the order of time; the rows have the latest first.
fn in_order(rows: Vec<ActivityRow>) -> sqlx::Result<Vec<Activity>> {
    let activities: sqlx::Result<Vec<Activity>> = rows.into_iter().map(TryFrom::try_from).collect();
    activities.map(domain::activity::in_order)
}

/// The latest activities of a student that count towards mastery, at most [`MOST`], in the order of time.
///
/// # Errors
/// The database's own.
pub async fn of_mastery(conn: &mut PgConnection, student: UserId) -> sqlx::Result<Vec<Activity>> {
    let rows = sqlx::query_as!(
        ActivityRow,
        r#"SELECT event_id, done_at, topic_slug, exercise_id, source_id, kind::text AS "kind!" FROM activities
           WHERE student_id = $1 AND counts ORDER BY done_at DESC LIMIT $2"#,
        student.as_uuid(),
        MOST,
    )
    .fetch_all(conn)
    .await?;
    in_order(rows)
}

/// The latest activities of a student since a moment, at most [`MOST_RECENT`], in the order of time.
///
/// # Errors
/// The database's own.
pub async fn recent(
    conn: &mut PgConnection,
    student: UserId,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<Activity>> {
    let rows = sqlx::query_as!(
        ActivityRow,
        r#"SELECT event_id, done_at, topic_slug, exercise_id, source_id, kind::text AS "kind!" FROM activities
           WHERE student_id = $1 AND done_at >= $2 ORDER BY done_at DESC LIMIT $3"#,
        student.as_uuid(),
        since,
        MOST_RECENT,
    )
    .fetch_all(conn)
    .await?;
    in_order(rows)
}

/// Deletes all activities of a student, to work them out again.
///
/// # Errors
/// The database's own.
pub async fn delete_all(conn: &mut PgConnection, student: UserId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM activities WHERE student_id = $1", student.as_uuid())
        .execute(conn)
        .await?;
    Ok(())
}
