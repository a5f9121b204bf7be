//! What a class's teachers look at: scores, common errors, and what a student did.

use chrono::{DateTime, Utc};
use domain::{
    execution::ExecutionResult,
    versioned::{self, Unreadable},
};
use ids::{ClassId, UserId};
use serde_json::Value;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::queries::QuestionBody;

/// A student's scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudentScores {
    /// The student.
    pub student: Uuid,
    /// The topics' slugs.
    pub topics: Vec<String>,
    /// For each of them, 0 to 100.
    pub scores: Vec<i16>,
}

/// The scores of these students, of each in one row: a class has some hundred.
///
/// # Errors
/// The database's own.
pub async fn scores(
    conn: &mut PgConnection,
    students: &[Uuid],
) -> sqlx::Result<Vec<StudentScores>> {
    sqlx::query_as!(
        StudentScores,
        r#"SELECT student_id AS student, array_agg(topic_slug) AS "topics!", array_agg(score) AS "scores!"
           FROM progress WHERE student_id = ANY($1) AND score IS NOT NULL GROUP BY student_id"#,
        students,
    )
    .fetch_all(conn)
    .await
}

/// Which runs count, and how many of them are shown.
#[derive(Debug, Clone, Copy)]
pub struct ErrorScope {
    /// The class.
    pub class: ClassId,
    /// Runs since then.
    pub since: DateTime<Utc>,
    /// Of each student, so many of the latest failed runs.
    pub runs: i64,
    /// An error that fewer students had is not common.
    pub students: i64,
    /// So many errors, the most common first.
    pub errors: i64,
    /// So many programs for each error, each by another student.
    pub examples: i64,
    /// Bytes of the stored run above which it is no example.
    pub bytes: i32,
}

/// An error that several students of a class had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonError {
    /// The class of the exception.
    pub error_type: String,
    /// How many students had it.
    pub students: i64,
    /// How often.
    pub runs: i64,
}

/// A run that shows a common error.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorExample {
    /// The class of the exception.
    pub error_type: String,
    /// The name of its author, to be removed from the program.
    pub author: String,
    /// What was run.
    pub request: Value,
    /// What came of it.
    pub result: ExecutionResult,
}

/// The errors that several students of a class had, the most common first.
///
/// # Errors
/// The database's own.
pub async fn common_errors(
    conn: &mut PgConnection,
    scope: &ErrorScope,
) -> sqlx::Result<Vec<CommonError>> {
    sqlx::query_as!(
        CommonError,
        r#"SELECT error_type AS "error_type!", count(DISTINCT student_id) AS "students!", count(*) AS "runs!"
           FROM enrollments CROSS JOIN LATERAL
                (SELECT error_type FROM executions
                 WHERE executions.student_id = enrollments.student_id AND created_at > $2 AND error_type IS NOT NULL
                 ORDER BY created_at DESC LIMIT $3) AS failed
           WHERE class_id = $1 GROUP BY error_type HAVING count(DISTINCT student_id) >= $4
           ORDER BY 2 DESC, 3 DESC, 1 LIMIT $5"#,
        scope.class.as_uuid(),
        scope.since,
        scope.runs,
        scope.students,
        scope.errors,
    )
    .fetch_all(conn)
    .await
}

/// The latest runs that show these errors, each error's by different students.
///
/// # Errors
/// The database's own.
pub async fn error_examples(
    conn: &mut PgConnection,
    scope: &ErrorScope,
    errors: &[String],
) -> sqlx::Result<Vec<ErrorExample>> {
    let rows = sqlx::query!(
        r#"SELECT wanted.error_type AS "error_type!", shown.author AS "author!",
                  shown.request AS "request!: Json<Value>", shown.result AS "result!: Json<ExecutionResult>"
           FROM unnest($6::text[]) AS wanted (error_type) CROSS JOIN LATERAL
                (SELECT display_name AS author, request, result
                 FROM enrollments JOIN users ON users.id = student_id CROSS JOIN LATERAL
                      (SELECT request, result, created_at FROM
                           (SELECT request, result, created_at, error_type FROM executions
                            WHERE executions.student_id = enrollments.student_id AND created_at > $2
                              AND error_type IS NOT NULL
                            ORDER BY created_at DESC LIMIT $3) AS failed
                       WHERE failed.error_type = wanted.error_type
                         AND octet_length(request::text) + octet_length(result::text) <= $5
                       ORDER BY created_at DESC LIMIT 1) AS latest
                 WHERE class_id = $1 ORDER BY latest.created_at DESC LIMIT $4) AS shown"#,
        scope.class.as_uuid(),
        scope.since,
        scope.runs,
        scope.examples,
        scope.bytes,
        errors,
    )
    .fetch_all(conn)
    .await?;
    let examples = rows.into_iter().map(|row| ErrorExample {
        error_type: row.error_type,
        author: row.author,
        request: row.request.0,
        result: row.result.0,
    });
    Ok(examples.collect())
}

/// Something that a student did, or that was noticed about them.
#[derive(Debug)]
pub struct Happening {
    /// The question, run, solution or alert.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug)]
pub enum What {
    /// They asked a question.
    Question {
        /// The question.
        question: Result<QuestionBody, Unreadable>,
        /// Who answered.
        agent: Option<String>,
    },
    /// They ran a program.
    Run {
        /// How it ended; `None` as long as it has not.
        verdict: Option<String>,
        /// The class of its exception.
        error_type: Option<String>,
    },
    /// They handed in a solution.
    Submission {
        /// The exercise.
        exercise: Uuid,
        /// What it is called.
        title: String,
        /// The topic's slug.
        topic: String,
        /// 0 to 100, once it is graded.
        score: Option<i16>,
        /// Whether it solves the exercise.
        passed: Option<bool>,
    },
    /// A rule noticed that they struggle.
    Alert {
        /// The topic's slug, if it is about one.
        topic: Option<String>,
        /// The rule.
        trigger: String,
        /// What has been done about it.
        status: String,
    },
}

struct HappeningRow {
    kind: String,
    id: Uuid,
    at: DateTime<Utc>,
    question: Option<String>,
    name: Option<String>,
    detail: Option<String>,
    topic: Option<String>,
    exercise: Option<Uuid>,
    score: Option<i16>,
    passed: Option<bool>,
}

/// What a student did before the moment (`at`, `id`), newest first, with the alerts about them.
///
/// # Errors
/// The database's own.
pub async fn timeline(
    conn: &mut PgConnection,
    student: UserId,
    at: DateTime<Utc>,
    id: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Happening>> {
    let rows = sqlx::query_file_as!(
        HappeningRow,
        "src/class_reports/timeline.sql",
        student.as_uuid(),
        at,
        id,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Happening::from).collect())
}

impl From<HappeningRow> for Happening {
    fn from(row: HappeningRow) -> Self {
        let HappeningRow { question, name, detail, topic, exercise, score, passed, .. } = row;
        let what = match (row.kind.as_str(), question, exercise) {
            ("question", Some(question), _) => {
                What::Question { question: versioned::read(&question), agent: name }
            }
            ("submission", _, Some(exercise)) => What::Submission {
                exercise,
                title: name.unwrap_or_default(),
                topic: topic.unwrap_or_default(),
                score,
                passed,
            },
            ("alert", ..) => What::Alert {
                topic,
                trigger: name.unwrap_or_default(),
                status: detail.unwrap_or_default(),
            },
            _ => What::Run { verdict: name, error_type: detail },
        };
        Self { id: row.id, at: row.at, what }
    }
}
