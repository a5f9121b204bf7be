//! What classes are to do, and what their students have done for it.

use chrono::{DateTime, Utc};
use ids::{AssignmentId, ClassId, ExerciseId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// An assignment: of an exercise, or else of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// The class that it is for.
    pub class_id: ClassId,
    /// What the class is called.
    pub class_name: String,
    /// The exercise.
    pub exercise_id: Option<ExerciseId>,
    /// The slug of the topic, or of the exercise's.
    pub topic: String,
    /// What the exercise or the topic is called.
    pub title: String,
    /// When it is due.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was assigned.
    pub created_at: DateTime<Utc>,
}

/// What is assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An exercise.
    Exercise(ExerciseId),
    /// A topic by its slug.
    Topic(String),
}

/// A student's solutions of an exercise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The student.
    pub student: Uuid,
    /// The exercise.
    pub exercise: Uuid,
    /// Its topic's slug.
    pub topic: String,
    /// How many were handed in.
    pub handed_in: i64,
    /// When the first that solves it was handed in.
    pub solved_at: Option<DateTime<Utc>>,
}

struct AssignmentRow {
    id: Uuid,
    class_id: Uuid,
    class_name: String,
    exercise_id: Option<Uuid>,
    topic: String,
    title: String,
    due_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<AssignmentRow> for Assignment {
    fn from(row: AssignmentRow) -> Self {
        Self {
            id: AssignmentId::from_uuid(row.id),
            class_id: ClassId::from_uuid(row.class_id),
            class_name: row.class_name,
            exercise_id: row.exercise_id.map(ExerciseId::from_uuid),
            topic: row.topic,
            title: row.title,
            due_at: row.due_at,
            created_at: row.created_at,
        }
    }
}

/// Stores an assignment.
///
/// # Errors
/// The database's own.
pub async fn insert(
    conn: &mut PgConnection,
    id: AssignmentId,
    class: ClassId,
    subject: &Subject,
    due_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (exercise, topic) = match subject {
        Subject::Exercise(exercise) => (Some(exercise.as_uuid()), None),
        Subject::Topic(topic) => (None, Some(topic)),
    };
    sqlx::query!(
        "INSERT INTO assignments (id, class_id, exercise_id, topic_slug, due_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        id.as_uuid(),
        class.as_uuid(),
        exercise,
        topic,
        due_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many assignments a class has.
///
/// # Errors
/// The database's own.
pub async fn count(conn: &mut PgConnection, class: ClassId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM assignments WHERE class_id = $1"#,
        class.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// The assignments of some classes before the assignment `before`, newest first.
///
/// # Errors
/// The database's own.
pub async fn of_classes(
    conn: &mut PgConnection,
    classes: &[Uuid],
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Assignment>> {
    let rows = sqlx::query_as!(
        AssignmentRow,
        r#"SELECT assignments.id, class_id, classes.name AS class_name, exercise_id, due_at, assignments.created_at,
                  coalesce(assignments.topic_slug, exercises.topic_slug) AS "topic!",
                  coalesce(topics.title, exercises.title) AS "title!"
           FROM assignments JOIN classes ON classes.id = class_id
           LEFT JOIN exercises ON exercises.id = exercise_id
           LEFT JOIN topics ON topics.slug = assignments.topic_slug
           WHERE class_id = ANY($1) AND assignments.id < $2 ORDER BY assignments.id DESC LIMIT $3"#,
        classes,
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Assignment::from).collect())
}

/// An assignment of a class.
///
/// # Errors
/// The database's own.
pub async fn find(
    conn: &mut PgConnection,
    class: ClassId,
    id: AssignmentId,
) -> sqlx::Result<Option<Assignment>> {
    let row = sqlx::query_as!(
        AssignmentRow,
        r#"SELECT assignments.id, class_id, classes.name AS class_name, exercise_id, due_at, assignments.created_at,
                  coalesce(assignments.topic_slug, exercises.topic_slug) AS "topic!",
                  coalesce(topics.title, exercises.title) AS "title!"
           FROM assignments JOIN classes ON classes.id = class_id
           LEFT JOIN exercises ON exercises.id = exercise_id
           LEFT JOIN topics ON topics.slug = assignments.topic_slug
           WHERE assignments.id = $2 AND class_id = $1"#,
        class.as_uuid(),
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Assignment::from))
}

/// Deletes an assignment of a class.
///
/// # Errors
/// The database's own.
pub async fn delete(conn: &mut PgConnection, class: ClassId, id: AssignmentId) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM assignments WHERE id = $2 AND class_id = $1",
        class.as_uuid(),
        id.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The classes that a student attends and that are not archived.
///
/// # Errors
/// The database's own.
pub async fn classes_of_student(
    conn: &mut PgConnection,
    student: UserId,
    limit: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT id FROM enrollments JOIN classes ON id = class_id
         WHERE student_id = $1 AND archived_at IS NULL ORDER BY joined_at DESC, id LIMIT $2",
        student.as_uuid(),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// What these students have handed in for these exercises and for the exercises of these topics.
///
/// # Errors
/// The database's own.
pub async fn tried(
    conn: &mut PgConnection,
    students: &[Uuid],
    exercises: &[Uuid],
    topics: &[String],
) -> sqlx::Result<Vec<Tried>> {
    sqlx::query_as!(
        Tried,
        r#"SELECT student_id AS student, exercise_id AS exercise, topic_slug AS topic, count(*) AS "handed_in!",
                  min(submitted_at) FILTER (WHERE passed) AS solved_at
           FROM submissions JOIN exercises ON exercises.id = exercise_id
           WHERE student_id = ANY($1) AND (exercise_id = ANY($2) OR topic_slug = ANY($3))
           GROUP BY student_id, exercise_id, topic_slug"#,
        students,
        exercises,
        topics,
    )
    .fetch_all(conn)
    .await
}
