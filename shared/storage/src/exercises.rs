//! Exercises, and their assignments to students.

use chrono::{DateTime, Utc};
use domain::{difficulty::Difficulty, versioned::Versioned};
use ids::{ExerciseId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{from_json, to_json, without_nul};

/// An exercise, with the parts that never leave the server.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredExercise<E> {
    /// Its id.
    pub id: ExerciseId,
    /// The topic's slug.
    pub topic: String,
    /// All of it: task, starter, reference, hints, tests.
    pub body: E,
}

/// An exercise to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewExercise<'a, E> {
    /// Its id.
    pub id: ExerciseId,
    /// The topic's slug.
    pub topic: &'a str,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// Its name for people.
    pub title: &'a str,
    /// The task.
    pub task: &'a str,
    /// The starter code.
    pub starter: &'a str,
    /// All of it.
    pub body: &'a E,
    /// `course`, `variation` or `model`.
    pub source: &'a str,
    /// The place in the course.
    pub position: i32,
    /// The exercise that it varies.
    pub variation_of: Option<ExerciseId>,
    /// Why it cannot be assigned; `None` if it can.
    pub faults: Option<&'a str>,
}

/// Stores an exercise; what is stored under the same id is replaced if it differs.
///
/// # Errors
/// The database's own.
pub async fn upsert<E: Versioned + Sync>(
    conn: &mut PgConnection,
    exercise: &NewExercise<'_, E>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO exercises (id, topic_slug, difficulty, title, statement, starter, solution, status,
                                variation_of, created_at, source, position, faults)
         VALUES ($1, $2, $3, $4, $5, $6, $7::text::json, CASE WHEN $12::text IS NULL THEN 'verified' ELSE 'rejected' END,
                 $8, $9, $10, $11, $12)
         ON CONFLICT (id) DO UPDATE
         SET topic_slug = excluded.topic_slug, difficulty = excluded.difficulty, title = excluded.title,
             statement = excluded.statement, starter = excluded.starter, solution = excluded.solution,
             position = excluded.position
         WHERE (exercises.solution::text, exercises.position)
               IS DISTINCT FROM (excluded.solution::text, excluded.position)",
        exercise.id.as_uuid(),
        exercise.topic,
        exercise.difficulty.as_str(),
        without_nul(exercise.title),
        without_nul(exercise.task),
        without_nul(exercise.starter),
        to_json(exercise.body)?,
        exercise.variation_of.map(ExerciseId::as_uuid),
        now,
        exercise.source,
        exercise.position,
        exercise.faults.map(without_nul),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An exercise that can be assigned.
///
/// # Errors
/// The database's own.
pub async fn find<E: Versioned>(
    conn: &mut PgConnection,
    id: ExerciseId,
) -> sqlx::Result<Option<StoredExercise<E>>> {
    let row = sqlx::query!(
        r#"SELECT topic_slug, solution::text AS "solution!" FROM exercises
           WHERE id = $1 AND status = 'verified'"#,
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredExercise { id, topic: row.topic_slug, body: from_json(&row.solution)? }))
}

/// The next exercise for a student.
#[derive(Debug, Clone, PartialEq)]
pub struct NextExercise<E> {
    /// The exercise.
    pub exercise: StoredExercise<E>,
    /// Whether it is new to the student.
    pub is_new: bool,
}

/// The slug of the topic of an exercise that students get; `None` if there is no such exercise.
///
/// # Errors
/// The database's own.
pub async fn topic(conn: &mut PgConnection, id: ExerciseId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "SELECT topic_slug FROM exercises WHERE id = $1 AND status = 'verified'",
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await
}

/// The next exercise for a student: the first of the course that was not assigned to them yet, else the one that was
/// assigned longest ago.
///
/// # Errors
/// The database's own.
pub async fn next_for<E: Versioned>(
    conn: &mut PgConnection,
    student: UserId,
    topic: Option<&str>,
    difficulty: Difficulty,
) -> sqlx::Result<Option<NextExercise<E>>> {
    let row = sqlx::query!(
        // A scalar subquery, which the server never turns into a join that compares each row with each other.
        r#"SELECT id, topic_slug, solution::text AS "solution!",
                  (SELECT set_at FROM exercise_sets WHERE exercise_id = exercises.id AND student_id = $1) AS set_at
           FROM exercises
           WHERE status = 'verified' AND ($2::text IS NULL OR topic_slug = $2) AND difficulty = $3
           ORDER BY 4 NULLS FIRST, position, id LIMIT 1"#,
        student.as_uuid(),
        topic,
        difficulty.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id = ExerciseId::from_uuid(row.id);
    let exercise = StoredExercise { id, topic: row.topic_slug, body: from_json(&row.solution)? };
    Ok(Some(NextExercise { exercise, is_new: row.set_at.is_none() }))
}

/// An exercise that was made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeExercise {
    /// Its id.
    pub id: Uuid,
    /// Whether it can be assigned to the student: it passed the gates, and they have not had it.
    pub is_new: bool,
}

/// Those of these exercises that were made before, and whether they can be assigned to a student.
///
/// # Errors
/// The database's own.
pub async fn made(
    conn: &mut PgConnection,
    student: UserId,
    ids: &[Uuid],
) -> sqlx::Result<Vec<MadeExercise>> {
    sqlx::query_as!(
        MadeExercise,
        r#"SELECT id, status = 'verified' AND NOT EXISTS
                      (SELECT 1 FROM exercise_sets WHERE exercise_id = exercises.id AND student_id = $1)
                  AS "is_new!"
           FROM exercises WHERE id = ANY($2)"#,
        student.as_uuid(),
        ids,
    )
    .fetch_all(conn)
    .await
}

/// Assigns an exercise to a student. Nothing is stored for a student without an account.
///
/// # Errors
/// The database's own.
pub async fn assign(
    conn: &mut PgConnection,
    student: UserId,
    exercise: ExerciseId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO exercise_sets (student_id, exercise_id, set_at)
         SELECT id, $2, $3 FROM users WHERE id = $1
         ON CONFLICT (student_id, exercise_id) DO UPDATE SET set_at = $3",
        student.as_uuid(),
        exercise.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records that a student was shown the solution in pieces; the first time stays.
///
/// # Errors
/// The database's own.
pub async fn note_parsons(
    conn: &mut PgConnection,
    student: UserId,
    exercise: ExerciseId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO exercise_sets (student_id, exercise_id, set_at, parsons_at) VALUES ($1, $2, $3, $3)
         ON CONFLICT (student_id, exercise_id) DO UPDATE
         SET parsons_at = coalesce(exercise_sets.parsons_at, $3)",
        student.as_uuid(),
        exercise.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An exercise that a student has not solved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsolved {
    /// The place of its topic among those that were asked for, from 1.
    pub place: i64,
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub title: String,
}

/// For each of these topics the first exercise that a student has not solved: one of the difficulty that is given beside
/// it, if there is one.
///
/// # Errors
/// The database's own.
pub async fn unsolved(
    conn: &mut PgConnection,
    student: UserId,
    topics: &[String],
    difficulties: &[String],
) -> sqlx::Result<Vec<Unsolved>> {
    sqlx::query_as!(
        Unsolved,
        r#"SELECT place AS "place!", first.id, first.title
           FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS wanted (topic, difficulty, place)
           CROSS JOIN LATERAL
               (SELECT id, title FROM exercises
                LEFT JOIN LATERAL (SELECT true AS is_solved FROM submissions
                                   WHERE student_id = $1 AND exercise_id = exercises.id AND score = 100
                                   LIMIT 1) AS solved ON true
                WHERE status = 'verified' AND topic_slug = wanted.topic AND is_solved IS NULL
                ORDER BY exercises.difficulty <> wanted.difficulty, position, id LIMIT 1) AS first"#,
        student.as_uuid(),
        topics,
        difficulties,
    )
    .fetch_all(conn)
    .await
}

/// An exercise in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: Uuid,
    /// Its place.
    pub position: i32,
    /// The topic's slug.
    pub topic: String,
    /// How hard it is.
    pub difficulty: String,
    /// Its name.
    pub title: String,
    /// How often the student has submitted it.
    pub attempts: i64,
    /// The student's best score, 0 to 100.
    pub best: Option<i16>,
}

/// Which exercises a list holds.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// Only those on the topic with this slug.
    pub topic: Option<&'a str>,
    /// Only those that are this hard.
    pub difficulty: Option<Difficulty>,
    /// The place of the last exercise on the page before.
    pub after_position: i32,
    /// The id of the last exercise on the page before.
    pub after_id: Uuid,
    /// Most exercises on the page.
    pub limit: i64,
}

/// A page of the exercises in the order of the course, with a student's attempts.
///
/// # Errors
/// The database's own.
pub async fn list(
    conn: &mut PgConnection,
    student: UserId,
    page: Page<'_>,
) -> sqlx::Result<Vec<Listed>> {
    sqlx::query_as!(
        Listed,
        r#"SELECT exercises.id, position, topic_slug AS topic, difficulty, title,
                  count(submissions.id) AS "attempts!", max(score) AS best
           FROM exercises
           LEFT JOIN submissions ON exercise_id = exercises.id AND student_id = $1 AND graded_at IS NOT NULL
           WHERE status = 'verified' AND ($2::text IS NULL OR topic_slug = $2)
             AND ($3::text IS NULL OR difficulty = $3) AND (position, exercises.id) > ($4, $5)
           GROUP BY exercises.id ORDER BY position, exercises.id LIMIT $6"#,
        student.as_uuid(),
        page.topic,
        page.difficulty.map(Difficulty::as_str),
        page.after_position,
        page.after_id,
        page.limit,
    )
    .fetch_all(conn)
    .await
}
