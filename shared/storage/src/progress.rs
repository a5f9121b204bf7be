//! Students' mastery by topic, as of their last activity.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{mastery::Components, progress::Progress};
use ids::UserId;
use sqlx::PgConnection;

/// A student's mastery of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRow {
    /// The topic's slug.
    pub topic: String,
    /// The parts of the score.
    pub components: Components,
    /// The score; `None` without evidence.
    pub score: Option<u8>,
    /// What it rests on.
    pub evidence: u32,
    /// The probability that the student knows the topic, in thousandths.
    pub known: u16,
    /// When the topic is to be reviewed.
    pub due_on: Option<NaiveDate>,
    /// The last activity in it.
    pub updated_at: DateTime<Utc>,
}

/// The rows of a student's progress, by topic.
#[must_use]
pub fn rows(progress: &Progress) -> Vec<TopicRow> {
    let row = |(topic, found): (&String, &domain::progress::TopicProgress)| TopicRow {
        topic: topic.clone(),
        components: found.components,
        score: found.score,
        evidence: found.evidence,
        known: thousandths(found.known),
        due_on: found.memory.map(|memory| memory.due_on()),
        updated_at: found.last_at,
    };
    progress.topics.iter().map(row).collect()
}

fn thousandths(probability: f64) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let rounded = (probability.clamp(0.0, 1.0) * 1e3).round() as u16;
    rounded
}

/// A student's rows, by topic.
///
/// # Errors
/// The database's own.
pub async fn of_student(conn: &mut PgConnection, student: UserId) -> sqlx::Result<Vec<TopicRow>> {
    let rows = sqlx::query!(
        "SELECT topic_slug, exercises, quizzes, quality, consistency, score, evidence, known, due_on, updated_at
         FROM progress WHERE student_id = $1 ORDER BY topic_slug COLLATE \"C\"",
        student.as_uuid(),
    )
    .fetch_all(conn)
    .await?;
    let percent = |value: Option<i16>| value.and_then(|value| u8::try_from(value).ok());
    let row = rows.into_iter().map(|row| TopicRow {
        topic: row.topic_slug,
        components: Components {
            exercises: percent(row.exercises),
            quizzes: percent(row.quizzes),
            quality: percent(row.quality),
            consistency: percent(row.consistency),
        },
        score: percent(row.score),
        evidence: u32::try_from(row.evidence).unwrap_or_default(),
        known: u16::try_from(row.known).unwrap_or_default(),
        due_on: row.due_on,
        updated_at: row.updated_at,
    });
    Ok(row.collect())
}

/// Stores rows of a student; those that are the same already are not written.
///
/// # Errors
/// The database's own.
pub async fn upsert(
    conn: &mut PgConnection,
    student: UserId,
    rows: &[TopicRow],
) -> sqlx::Result<()> {
    let before = of_student(conn, student).await?;
    for row in rows.iter().filter(|row| !before.contains(row)) {
        let Components { exercises, quizzes, quality, consistency } = row.components;
        sqlx::query!(
            "INSERT INTO progress (student_id, topic_slug, exercises, quizzes, quality, consistency, score, evidence,
                                   known, due_on, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             ON CONFLICT (student_id, topic_slug) DO UPDATE
             SET exercises = excluded.exercises, quizzes = excluded.quizzes, quality = excluded.quality,
                 consistency = excluded.consistency, score = excluded.score, evidence = excluded.evidence,
                 known = excluded.known, due_on = excluded.due_on, updated_at = excluded.updated_at",
            student.as_uuid(),
            row.topic,
            exercises.map(i16::from),
            quizzes.map(i16::from),
            quality.map(i16::from),
            consistency.map(i16::from),
            row.score.map(i16::from),
            i32::try_from(row.evidence).unwrap_or(i32::MAX),
            i16::try_from(row.known).unwrap_or_default(),
            row.due_on,
            row.updated_at,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Deletes all rows of a student, to work them out again.
///
/// # Errors
/// The database's own.
pub async fn delete_all(conn: &mut PgConnection, student: UserId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM progress WHERE student_id = $1", student.as_uuid())
        .execute(conn)
        .await?;
    Ok(())
}
