//! Answers of a model that hold for everybody of a level: asked for once, however many want them at once.

use chrono::TimeDelta;
use domain::level::Level;
use events::model_call::Task;
use runtime::HandlerError;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use storage::{
    drafts,
    model_answers::{self, Cached},
};
use tutor::{Tutor, prompt};

use crate::Origin;

/// How long such an answer holds.
const LIFE: TimeDelta = TimeDelta::hours(1);
/// How long nobody else asks while one question does: a model takes 10 s at most, runs 5 s each.
const CLAIM: TimeDelta = TimeDelta::seconds(60);
/// Questions that are answered together with the one that asked: what one transaction can emit at ease. Who
/// comes later within the same seconds is answered without a model.
const MAX_TOGETHER: i64 = 200;

/// Where an answer for everybody stands.
#[derive(Debug)]
pub enum Shared<T> {
    /// It is there.
    Hit(T),
    /// Another question has asked for it; this one is answered together with that one.
    Parked,
    /// Another question has asked for it, and as many as can wait do so already.
    Full,
    /// This question asks.
    Ask,
}

/// What tells one such answer from another: the task with its prompt and model, the idea, and the level.
#[must_use]
pub fn shared_key(tutor: &Tutor, task: Task, idea: &str, level: Level) -> Vec<u8> {
    let text = [prompt(task).name, tutor.model(task), idea, level.as_str()].join("\n");
    Sha256::digest(text.as_bytes()).to_vec()
}

impl<T: DeserializeOwned> Shared<T> {
    /// Looks for the answer; `body` waits with those of others if somebody has asked already.
    ///
    /// # Errors
    /// The database is away.
    pub async fn find<B: Serialize + Sync>(
        conn: &mut PgConnection,
        origin: Origin,
        key: &[u8],
        body: &B,
    ) -> Result<Self, HandlerError> {
        let found = model_answers::find_or_claim(conn, key, origin.now, origin.now + CLAIM).await;
        match found.map_err(HandlerError::retry)? {
            Cached::Hit(body) => {
                Ok(Self::Hit(serde_json::from_value(body).map_err(HandlerError::fail)?))
            }
            // Whoever looks for this answer holds its row, so nobody else parks between count and insert.
            Cached::Asked
                if drafts::count_waiting(conn, key).await.map_err(HandlerError::retry)?
                    >= MAX_TOGETHER =>
            {
                Ok(Self::Full)
            }
            Cached::Asked => {
                origin.keep(conn, origin.id(2), body, Some(key)).await?;
                Ok(Self::Parked)
            }
            Cached::Claimed => Ok(Self::Ask),
        }
    }
}

/// Stores an answer for everybody, or gives the claim up if there is none, and takes the questions that wait
/// for it.
///
/// # Errors
/// The database is away.
pub async fn share<T: Serialize + Sync, B: DeserializeOwned>(
    conn: &mut PgConnection,
    origin: Origin,
    key: &[u8],
    answer: Option<&T>,
) -> Result<Vec<B>, HandlerError> {
    let stored = match answer {
        Some(answer) => {
            let body = serde_json::to_value(answer).map_err(HandlerError::fail)?;
            model_answers::store(conn, key, &body, origin.now + LIFE).await
        }
        None => model_answers::release(conn, key).await,
    };
    stored.map_err(HandlerError::retry)?;
    let waiting =
        drafts::take_waiting(conn, key, MAX_TOGETHER).await.map_err(HandlerError::retry)?;
    let read = |body| serde_json::from_value(body).map_err(HandlerError::fail);
    waiting.into_iter().map(read).collect()
}
