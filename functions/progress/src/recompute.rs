//! Works out students' progress again, from the log of events.

use domain::activity::Activity;
use ids::UserId;
use sqlx::PgConnection;
use storage::{
    activities,
    progress::{self, TopicRow},
};

use crate::record::as_of_last;

/// The progress of a student as it was stored, and as it was worked out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recomputed {
    /// Whose.
    pub student: UserId,
    /// As it was stored.
    pub before: Vec<TopicRow>,
    /// As it is now.
    pub after: Vec<TopicRow>,
}

impl Recomputed {
    /// The topics whose rows differ.
    pub fn different(&self) -> impl Iterator<Item = &str> {
        let (before, after) = (&self.before, &self.after);
        let missing = before.iter().filter(|row| !after.contains(row));
        let new = after.iter().filter(|row| {
            !before.contains(row) && before.iter().all(|other| other.topic != row.topic)
        });
        missing.chain(new).map(|row| row.topic.as_str())
    }
}

/// Replaces a student's activities and progress by what these activities, from the log of events, say. `None` without
/// an account.
///
/// # Errors
/// The database's own.
pub async fn recompute(
    conn: &mut PgConnection,
    student: UserId,
    from_log: &[Vec<Activity>],
) -> sqlx::Result<Option<Recomputed>> {
    let Some(zone) = activities::lock(conn, student).await? else { return Ok(None) };
    let before = progress::of_student(conn, student).await?;
    activities::delete_all(conn, student).await?;
    progress::delete_all(conn, student).await?;
    for of_event in from_log {
        activities::insert(conn, student, of_event).await?;
    }
    let all = activities::of_mastery(conn, student).await?;
    progress::upsert(conn, student, &progress::rows(&as_of_last(&all, zone))).await?;
    let after = progress::of_student(conn, student).await?;
    Ok(Some(Recomputed { student, before, after }))
}
