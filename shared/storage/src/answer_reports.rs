//! What students say is wrong with answers.

use chrono::{DateTime, Utc};
use domain::{
    answer_report::ReportReason,
    text::Comment,
    versioned::{self, Unreadable},
};
use ids::{QueryId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::queries::{AnswerBody, QuestionBody};

/// A report with what it is about. An unreadable text must not hide the others.
#[derive(Debug)]
pub struct ListedReport {
    /// The question.
    pub query_id: Uuid,
    /// Who reports.
    pub student_id: Uuid,
    /// The name of the student.
    pub student_name: String,
    /// The name of a [`ReportReason`].
    pub reason: String,
    /// In the student's words.
    pub comment: Option<String>,
    /// When it was made, or changed.
    pub reported_at: DateTime<Utc>,
    /// The question.
    pub question: Result<QuestionBody, Unreadable>,
    /// Who answered: the name of a [`domain::agent::Author`].
    pub agent: Option<String>,
    /// What the answer was made with: the name of a [`domain::agent::AnsweredBy`].
    pub answered_by: Option<String>,
    /// The answer.
    pub answer: Option<Result<AnswerBody, Unreadable>>,
}

struct Row {
    query_id: Uuid,
    student_id: Uuid,
    student_name: String,
    reason: String,
    comment: Option<String>,
    reported_at: DateTime<Utc>,
    question: String,
    agent: Option<String>,
    answered_by: Option<String>,
    answer: Option<String>,
}

impl From<Row> for ListedReport {
    fn from(row: Row) -> Self {
        Self {
            query_id: row.query_id,
            student_id: row.student_id,
            student_name: row.student_name,
            reason: row.reason,
            comment: row.comment,
            reported_at: row.reported_at,
            question: versioned::read(&row.question),
            agent: row.agent,
            answered_by: row.answered_by,
            answer: row.answer.as_deref().map(versioned::read),
        }
    }
}

/// Stores a student's report on the answer to their question; a later one replaces it. `false`: there is no such
/// answer.
///
/// # Errors
/// The database's own.
pub async fn upsert(
    conn: &mut PgConnection,
    query: QueryId,
    reason: ReportReason,
    comment: Option<&Comment>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let stored = sqlx::query!(
        "INSERT INTO answer_reports (query_id, student_id, reason, comment, reported_at)
         SELECT id, student_id, $2, $3, $4 FROM queries WHERE id = $1 AND answered_at IS NOT NULL
         ON CONFLICT (query_id) DO UPDATE SET reason = $2, comment = $3, reported_at = $4",
        query.as_uuid(),
        reason.as_str(),
        comment.map(Comment::as_str),
        now,
    )
    .execute(conn)
    .await?;
    Ok(stored.rows_affected() == 1)
}

/// A page of the reports of all students, newest first: those before the last one of the page before.
///
/// # Errors
/// The database's own.
pub async fn of_all(
    conn: &mut PgConnection,
    before: (DateTime<Utc>, Uuid),
    limit: i64,
) -> sqlx::Result<Vec<ListedReport>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT query_id, answer_reports.student_id, display_name AS student_name, reason, comment, reported_at,
                  question::text AS "question!", agent, answered_by, answer::text
           FROM answer_reports
           JOIN queries ON queries.id = query_id
           JOIN users ON users.id = answer_reports.student_id
           WHERE (reported_at, query_id) < ($1, $2)
           ORDER BY reported_at DESC, query_id DESC LIMIT $3"#,
        before.0,
        before.1,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(ListedReport::from).collect())
}

/// A page of the reports of the students who are in a class of the teacher now, newest first.
///
/// # Errors
/// The database's own.
pub async fn of_teacher(
    conn: &mut PgConnection,
    teacher: UserId,
    before: (DateTime<Utc>, Uuid),
    limit: i64,
) -> sqlx::Result<Vec<ListedReport>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT query_id, answer_reports.student_id, display_name AS student_name, reason, comment, reported_at,
                  question::text AS "question!", agent, answered_by, answer::text
           FROM answer_reports
           JOIN queries ON queries.id = query_id
           JOIN users ON users.id = answer_reports.student_id
           WHERE answer_reports.student_id = ANY(ARRAY(
                     SELECT enrollments.student_id FROM enrollments
                     WHERE class_id = ANY(ARRAY(SELECT class_id FROM class_teachers JOIN classes ON id = class_id
                                                WHERE teacher_id = $1 AND archived_at IS NULL))))
             AND (reported_at, query_id) < ($2, $3)
           ORDER BY reported_at DESC, query_id DESC LIMIT $4"#,
        teacher.as_uuid(),
        before.0,
        before.1,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(ListedReport::from).collect())
}
