//! Mastery scores of students, and files that show them.

use std::collections::BTreeMap;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use domain::mastery;
use runtime::web::Problem;
use sqlx::PgConnection;
use storage::class_reports;
use uuid::Uuid;

use crate::classes::roster_csv;

/// The scores of some students by topic.
#[derive(Debug, Default)]
pub(crate) struct Scores(BTreeMap<Uuid, BTreeMap<String, u8>>);

impl Scores {
    /// The scores of these students.
    ///
    /// # Errors
    /// 503 if the database is away.
    pub(crate) async fn load(conn: &mut PgConnection, students: &[Uuid]) -> Result<Self, Problem> {
        let mut scores = Self::default();
        for found in class_reports::scores(conn, students).await? {
            // The database holds 0 to 100.
            let of_topics =
                found.scores.into_iter().map(|score| score.try_into().unwrap_or_default());
            scores.0.insert(found.student, found.topics.into_iter().zip(of_topics).collect());
        }
        Ok(scores)
    }

    /// A student's score in a topic.
    pub(crate) fn of(&self, student: Uuid, topic: &str) -> Option<u8> {
        self.0.get(&student)?.get(topic).copied()
    }

    /// A student's overall score.
    pub(crate) fn overall(&self, student: Uuid) -> Option<u8> {
        mastery::overall(self.0.get(&student)?.values().copied())
    }
}

/// A CSV file to be saved under this name.
///
/// # Errors
/// 500 if its rows have different lengths.
pub(crate) fn csv_file<R>(
    name: &str,
    rows: impl IntoIterator<Item = R>,
) -> Result<Response, Problem>
where
    R: IntoIterator<Item = String>,
{
    let text = roster_csv::write(rows).map_err(|error| Problem::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, text).into_response())
}
