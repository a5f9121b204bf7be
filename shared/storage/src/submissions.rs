//! Solutions that students have handed in.

use chrono::{DateTime, Utc};
use ids::{ExerciseId, SubmissionId, UserId};
use serde_json::Value;
use sqlx::{PgConnection, types::Json};

/// A solution, with its grade once there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// Its id.
    pub id: SubmissionId,
    /// Who handed it in.
    pub student_id: UserId,
    /// The exercise.
    pub exercise_id: ExerciseId,
    /// When it was handed in.
    pub submitted_at: DateTime<Utc>,
    /// The grade.
    pub feedback: Option<Value>,
    /// Whether the function has given up on it, or its run was lost.
    pub failed: bool,
    /// What was handed in, where one solution is asked for.
    pub code: Option<String>,
}

/// A grade.
#[derive(Debug, Clone, Copy)]
pub struct Grade<'a> {
    /// 0 to 100.
    pub score: u8,
    /// Whether it solves the exercise.
    pub passed: bool,
    /// Whether its tests could begin.
    pub tested: bool,
    /// 0 to 100; `None` if it is too short.
    pub quality: Option<u8>,
    /// What the student reads, JSON.
    pub feedback: &'a str,
}

/// A student's earlier attempts at an exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Graded solutions.
    pub attempts: i64,
    /// Those of them that do not solve it, and whose tests could begin.
    pub failed: i64,
    /// The best score, 0 to 100.
    pub best: Option<i16>,
    /// Whether the solution was shown in pieces.
    pub was_shown: bool,
}

/// Stores a new solution.
///
/// # Errors
/// The database's own; a missing exercise breaks `submissions_exercise_id_fkey`.
pub async fn insert(
    conn: &mut PgConnection,
    id: SubmissionId,
    student: UserId,
    exercise: ExerciseId,
    code: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO submissions (id, student_id, exercise_id, code, submitted_at)
         VALUES ($1, $2, $3, $4, $5)",
        id.as_uuid(),
        student.as_uuid(),
        exercise.as_uuid(),
        code,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Grades a solution that has no grade yet. `false`: it had one.
///
/// # Errors
/// The database's own.
pub async fn grade(
    conn: &mut PgConnection,
    id: SubmissionId,
    grade: Grade<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "UPDATE submissions SET score = $2, passed = $3, quality = $4, feedback = $5::text::json, graded_at = $6,
             tested = $7
         WHERE id = $1 AND graded_at IS NULL",
        id.as_uuid(),
        i16::from(grade.score),
        grade.passed,
        grade.quality.map(i16::from),
        grade.feedback,
        now,
        grade.tested,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Records that a solution cannot be graded, unless it has a grade.
///
/// # Errors
/// The database's own.
pub async fn give_up(
    conn: &mut PgConnection,
    id: SubmissionId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE submissions SET lost_at = $2 WHERE id = $1 AND graded_at IS NULL",
        id.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A student's attempts at an exercise so far.
///
/// # Errors
/// The database's own.
pub async fn record(
    conn: &mut PgConnection,
    student: UserId,
    exercise: ExerciseId,
) -> sqlx::Result<Record> {
    sqlx::query_as!(
        Record,
        r#"SELECT count(*) AS "attempts!", count(*) FILTER (WHERE NOT passed AND tested) AS "failed!",
                  max(score) AS best,
                  EXISTS (SELECT 1 FROM exercise_sets WHERE student_id = $1 AND exercise_id = $2
                          AND parsons_at IS NOT NULL) AS "was_shown!"
           FROM submissions WHERE student_id = $1 AND exercise_id = $2 AND graded_at IS NOT NULL"#,
        student.as_uuid(),
        exercise.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// A solution.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, id: SubmissionId) -> sqlx::Result<Option<Submission>> {
    let row = sqlx::query!(
        r#"SELECT student_id, exercise_id, submitted_at, code, feedback AS "feedback: Json<Value>",
                  lost_at IS NOT NULL
                  OR EXISTS (SELECT 1 FROM events
                             WHERE topic = 'dead.letters' AND correlation_id = submissions.id) AS "failed!"
           FROM submissions WHERE id = $1"#,
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Submission {
        id,
        student_id: UserId::from_uuid(row.student_id),
        exercise_id: ExerciseId::from_uuid(row.exercise_id),
        submitted_at: row.submitted_at,
        feedback: row.feedback.map(|Json(feedback)| feedback),
        failed: row.failed,
        code: Some(row.code),
    }))
}

/// A student's solutions of an exercise, newest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn of_exercise(
    conn: &mut PgConnection,
    student: UserId,
    exercise: ExerciseId,
    limit: i64,
) -> sqlx::Result<Vec<Submission>> {
    let rows = sqlx::query!(
        r#"SELECT id, submitted_at, feedback AS "feedback: Json<Value>",
                  lost_at IS NOT NULL
                  OR EXISTS (SELECT 1 FROM events
                             WHERE topic = 'dead.letters' AND correlation_id = submissions.id) AS "failed!"
           FROM submissions
           WHERE student_id = $1 AND exercise_id = $2 ORDER BY submitted_at DESC LIMIT $3"#,
        student.as_uuid(),
        exercise.as_uuid(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Submission {
            id: SubmissionId::from_uuid(row.id),
            student_id: student,
            exercise_id: exercise,
            submitted_at: row.submitted_at,
            feedback: row.feedback.map(|Json(feedback)| feedback),
            failed: row.failed,
            code: None,
        })
        .collect())
}
