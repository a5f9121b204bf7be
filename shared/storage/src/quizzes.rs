//! Students' attempts at quizzes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::versioned::Versioned;
use ids::{QuizAttemptId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{from_json, to_json};

/// The questions of an attempt as they were asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuizBody {
    /// In their order.
    pub questions: Vec<AskedQuestion>,
}

impl Versioned for QuizBody {
    const NAME: &'static str = "quiz";
    const VERSION: u32 = 1;
}

/// A question as it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedQuestion {
    /// The topic's slug.
    pub topic: String,
    /// The question.
    pub ask: String,
    /// The program that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is typed in while it runs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stdin: String,
    /// What could be chosen, in the order shown.
    pub options: Vec<AskedOption>,
    /// Why the right answer is right.
    pub why: String,
}

/// One of the possible answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedOption {
    /// The answer.
    pub text: String,
    /// What a student believes who chooses it; none for the right answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misconception: Option<String>,
    /// Whether it is the right one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_right: bool,
}

/// The chosen options by the numbers of their questions, both from 1.
pub type Choices = BTreeMap<i16, i16>;

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuizAttempt {
    /// Its id.
    pub id: QuizAttemptId,
    /// Who takes the quiz.
    pub student_id: UserId,
    /// The topic's slug; none if the quiz is mixed.
    pub topic: Option<String>,
    /// The questions.
    pub body: QuizBody,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// When its time is over, if it is limited.
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was submitted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// 0 to 100, once it is submitted.
    pub score: Option<i16>,
}

/// An attempt to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewAttempt<'a> {
    /// Its id.
    pub id: QuizAttemptId,
    /// Who takes the quiz.
    pub student: UserId,
    /// The topic's slug; none if the quiz is mixed.
    pub topic: Option<&'a str>,
    /// By which the questions were chosen and shuffled.
    pub seed: i64,
    /// The questions.
    pub body: &'a QuizBody,
    /// When its time is over, if it is limited.
    pub ends_at: Option<DateTime<Utc>>,
}

/// An attempt in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAttempt {
    /// Its id.
    pub id: Uuid,
    /// The topic's slug; none if the quiz is mixed.
    pub topic: Option<String>,
    /// How many questions it has.
    pub questions: i16,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// When its time is over, if it is limited.
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was submitted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// 0 to 100, once it is submitted.
    pub score: Option<i16>,
}

struct Row {
    id: Uuid,
    student_id: Uuid,
    topic_slug: Option<String>,
    questions: String,
    started_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
    submitted_at: Option<DateTime<Utc>>,
    score: Option<i16>,
}

impl Row {
    fn read(self) -> sqlx::Result<QuizAttempt> {
        Ok(QuizAttempt {
            id: QuizAttemptId::from_uuid(self.id),
            student_id: UserId::from_uuid(self.student_id),
            topic: self.topic_slug,
            body: from_json(&self.questions)?,
            started_at: self.started_at,
            ends_at: self.ends_at,
            submitted_at: self.submitted_at,
            score: self.score,
        })
    }
}

/// An attempt.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, id: QuizAttemptId) -> sqlx::Result<Option<QuizAttempt>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id, student_id, topic_slug, questions::text AS "questions!", started_at, ends_at, submitted_at, score
           FROM quiz_attempts WHERE id = $1"#,
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

/// An attempt, locked until the transaction ends: answers and the submission come one after the other.
///
/// # Errors
/// The database's own.
pub async fn lock(conn: &mut PgConnection, id: QuizAttemptId) -> sqlx::Result<Option<QuizAttempt>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id, student_id, topic_slug, questions::text AS "questions!", started_at, ends_at, submitted_at, score
           FROM quiz_attempts WHERE id = $1 FOR UPDATE"#,
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

/// A student's open attempt of a topic, or their open mixed one, locked until the transaction ends.
///
/// # Errors
/// The database's own.
pub async fn lock_open(
    conn: &mut PgConnection,
    student: UserId,
    topic: Option<&str>,
) -> sqlx::Result<Option<QuizAttempt>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT id, student_id, topic_slug, questions::text AS "questions!", started_at, ends_at, submitted_at, score
           FROM quiz_attempts
           WHERE student_id = $1 AND submitted_at IS NULL AND (topic_slug = $2 OR $2 IS NULL AND topic_slug IS NULL)
           FOR UPDATE"#,
        student.as_uuid(),
        topic,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

/// Open attempts whose time was over before `then`, locked until the transaction ends. Those that another transaction has
/// locked are left to it.
///
/// # Errors
/// The database's own.
pub async fn overdue(
    conn: &mut PgConnection,
    then: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<QuizAttempt>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT id, student_id, topic_slug, questions::text AS "questions!", started_at, ends_at, submitted_at, score
           FROM quiz_attempts
           WHERE submitted_at IS NULL AND ends_at < $1 ORDER BY ends_at LIMIT $2 FOR UPDATE SKIP LOCKED"#,
        then,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Stores an attempt. `false`: the student has an open one of this topic.
///
/// # Errors
/// The database's own; a student without an account breaks `quiz_attempts_student_id_fkey`.
pub async fn insert(
    conn: &mut PgConnection,
    attempt: NewAttempt<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let count = i16::try_from(attempt.body.questions.len());
    let inserted = sqlx::query!(
        "INSERT INTO quiz_attempts (id, student_id, topic_slug, seed, questions, question_count, started_at, ends_at)
         VALUES ($1, $2, $3, $4, $5::text::json, $6, $7, $8) ON CONFLICT DO NOTHING",
        attempt.id.as_uuid(),
        attempt.student.as_uuid(),
        attempt.topic,
        attempt.seed,
        to_json(attempt.body)?,
        count.map_err(|error| sqlx::Error::Encode(error.into()))?,
        now,
        attempt.ends_at,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Stores an answer; a later one replaces it. The caller has locked the attempt.
///
/// # Errors
/// The database's own.
pub async fn answer(
    conn: &mut PgConnection,
    id: QuizAttemptId,
    number: i16,
    choice: i16,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO quiz_answers (attempt_id, number, choice, answered_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (attempt_id, number) DO UPDATE SET choice = $3, answered_at = $4",
        id.as_uuid(),
        number,
        choice,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What was chosen in an attempt.
///
/// # Errors
/// The database's own.
pub async fn choices(conn: &mut PgConnection, id: QuizAttemptId) -> sqlx::Result<Choices> {
    let rows =
        sqlx::query!("SELECT number, choice FROM quiz_answers WHERE attempt_id = $1", id.as_uuid())
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(|row| (row.number, row.choice)).collect())
}

/// Submits an attempt that the caller has locked while it was open.
///
/// # Errors
/// The database's own.
pub async fn submit(
    conn: &mut PgConnection,
    id: QuizAttemptId,
    score: u8,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE quiz_attempts SET score = $2, submitted_at = $3 WHERE id = $1",
        id.as_uuid(),
        i16::from(score),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The questions of a student's latest attempts, newest first: those of a topic and mixed ones, or all.
///
/// # Errors
/// The database's own.
pub async fn recently_asked(
    conn: &mut PgConnection,
    student: UserId,
    topic: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<QuizBody>> {
    let texts = sqlx::query_scalar!(
        r#"SELECT questions::text AS "questions!" FROM quiz_attempts
           WHERE student_id = $1 AND ($2::text IS NULL OR topic_slug IS NULL OR topic_slug = $2)
           ORDER BY started_at DESC, id DESC LIMIT $3"#,
        student.as_uuid(),
        topic,
        limit,
    )
    .fetch_all(conn)
    .await?;
    texts.iter().map(|text| from_json(text)).collect()
}

/// A page of a student's attempts, newest first: those that were started before the last one of the page before.
///
/// # Errors
/// The database's own.
pub async fn list(
    conn: &mut PgConnection,
    student: UserId,
    topic: Option<&str>,
    before: (DateTime<Utc>, Uuid),
    limit: i64,
) -> sqlx::Result<Vec<ListedAttempt>> {
    sqlx::query_as!(
        ListedAttempt,
        r#"SELECT id, topic_slug AS topic, question_count AS questions, started_at, ends_at, submitted_at, score
           FROM quiz_attempts
           WHERE student_id = $1 AND (started_at, id) < ($2, $3) AND ($4::text IS NULL OR topic_slug = $4)
           ORDER BY started_at DESC, id DESC LIMIT $5"#,
        student.as_uuid(),
        before.0,
        before.1,
        topic,
        limit,
    )
    .fetch_all(conn)
    .await
}
