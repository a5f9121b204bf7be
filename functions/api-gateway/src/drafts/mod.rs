//! Drafts: what people are still writing, on every device of theirs.
//!
//! A key names a draft of the caller, so nobody has access to another's: not a teacher, since nothing was handed in yet,
//! and no administrator.
//!
//! Two devices never overwrite each other without a word: whoever replaces or deletes a text says which one they know.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::{draft_key::DraftKey, text::Code};
use ids::EventId;
use runtime::{
    Outgoing,
    web::{Caller, Json, Path, Problem, Student},
};
use serde::{Deserialize, Serialize};
use storage::editor_drafts::{self, EditorDraft};
use utoipa::ToSchema;

use self::condition::{Believed, Mismatch, Put};
use crate::{
    cacheable::{Keep, versioned},
    gateway::Gateway,
    limits,
    spec::NAME,
};

mod condition;

/// Drafts of a person: more exercises than anybody has begun and not finished. Of more the oldest goes.
const MAX_DRAFTS: i64 = 100;

/// A text to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftRequest {
    /// The text, as long as code may be anywhere.
    text: Code,
}

/// A draft of yours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Draft {
    /// Of what: `workspace`, or `exercise:` and an id.
    pub key: String,
    /// What you wrote.
    pub text: String,
    /// When it was stored.
    pub updated_at: DateTime<Utc>,
}

/// A draft that was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedDraft {
    /// Of what: `workspace`, or `exercise:` and an id.
    pub key: String,
    /// When it was stored.
    pub updated_at: DateTime<Utc>,
}

/// A draft of yours, as the device that wrote last has left it.
#[utoipa::path(get, path = "/drafts/{key}", operation_id = "get_draft", tag = "Code", security(("bearer" = [])),
    params(("key" = String, Path, description = "`workspace`, or `exercise:` and the exercise's id"),
           ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have")),
    responses((status = 200, body = Draft, headers(("ETag" = String, description = "What to send in `If-Match` to replace it"))),
              (status = 304, description = "You have it"), (status = 401, body = Problem),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = parse(&key)?;
    let found = {
        let mut conn = gateway.services.store.connection().await?;
        editor_drafts::find(&mut conn, caller.id, key).await?.ok_or_else(missing)?
    };
    let tag = condition::tag(&found);
    let draft = Draft { key: key.to_string(), text: found.text, updated_at: found.updated_at };
    versioned(&headers, &draft, &tag, Keep::Private)
}

/// Keeps a draft of yours.
///
/// To replace one, send its `ETag` in `If-Match`; without it, or with `If-None-Match: *`, the text
/// is kept only if there is none yet. Of more than 100 drafts the one that was not changed for longest is deleted, and so
/// is one that was not changed for 180 days.
#[utoipa::path(put, path = "/drafts/{key}", operation_id = "put_draft", tag = "Code", security(("bearer" = [])),
    params(("key" = String, Path, description = "`workspace`, or `exercise:` and the exercise's id"),
           ("If-Match" = Option<String>, Header, description = "The `ETag` of the draft that is replaced; `*` for any"),
           ("If-None-Match" = Option<String>, Header, description = "`*`: only if there is none yet")),
    request_body = DraftRequest,
    responses((status = 200, body = SavedDraft, headers(("ETag" = String, description = "What to send in `If-Match` to replace it"))),
              (status = 201, body = SavedDraft, headers(("ETag" = String, description = "What to send in `If-Match` to replace it"))),
              (status = 401, body = Problem), (status = 404, body = Problem),
              (status = 412, description = "Another device has changed or deleted it", body = Problem),
              (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn put(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(key): Path<String>,
    headers: HeaderMap,
    Json(request): Json<DraftRequest>,
) -> Result<Response, Problem> {
    limits::check(&gateway, &requests::per_user(caller.id), gateway.config.per_user).await?;
    let key = parse(&key)?;
    let believed = Believed::read(&headers)?.unwrap_or(Believed::Nothing);
    let clock = &gateway.services.clock;
    let (version, updated_at) = (clock.new_id(), clock.now());
    let new = EditorDraft { version, text: request.text.into(), updated_at };
    let mut tx = gateway.services.store.begin(NAME).await?;
    let stored = editor_drafts::lock(tx.conn(), caller.id, key).await?;
    let status = match condition::put(stored.as_ref(), &believed, &new.text)? {
        Put::Keep(draft) => return saved(StatusCode::OK, key, draft),
        Put::Replace => {
            editor_drafts::replace(tx.conn(), caller.id, key, &new).await?;
            StatusCode::OK
        }
        Put::Make => {
            let made = editor_drafts::insert(tx.conn(), caller.id, key, &new).await;
            if !made.map_err(without_account)? {
                return Err(Mismatch::JustMade.into());
            }
            editor_drafts::drop_oldest(tx.conn(), caller.id, MAX_DRAFTS).await?;
            StatusCode::CREATED
        }
    };
    tx.commit(EventId::from_uuid(version), Outgoing::none(), updated_at).await?;
    saved(status, key, &new)
}

/// Deletes a draft of yours, the one with the `ETag` in `If-Match`.
#[utoipa::path(delete, path = "/drafts/{key}", operation_id = "delete_draft", tag = "Code", security(("bearer" = [])),
    params(("key" = String, Path, description = "`workspace`, or `exercise:` and the exercise's id"),
           ("If-Match" = Option<String>, Header, description = "The `ETag` of the draft; `*` for any. Required")),
    responses((status = 204, description = "Deleted"), (status = 401, body = Problem), (status = 404, body = Problem),
              (status = 412, description = "Another device has changed it", body = Problem),
              (status = 422, body = Problem),
              (status = 428, description = "`If-Match` is missing", body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn delete(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    limits::check(&gateway, &requests::per_user(caller.id), gateway.config.per_user).await?;
    let key = parse(&key)?;
    let believed = match Believed::read(&headers)? {
        None | Some(Believed::Nothing) => {
            let detail =
                "send the draft's `ETag` in `If-Match`, or `*` to delete it whatever it is";
            return Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "if_match_required",
                detail,
            ));
        }
        Some(believed) => believed,
    };
    let clock = &gateway.services.clock;
    let mut tx = gateway.services.store.begin(NAME).await?;
    let stored = editor_drafts::lock(tx.conn(), caller.id, key).await?.ok_or_else(missing)?;
    condition::known(&stored, &believed)?;
    editor_drafts::delete(tx.conn(), caller.id, key).await?;
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse(key: &str) -> Result<DraftKey, Problem> {
    key.parse()
        .map_err(|error: domain::draft_key::NoDraftKey| Problem::field("key", error.to_string()))
}

/// A valid token may have outlived its account.
fn without_account(error: sqlx::Error) -> Problem {
    match error.as_database_error().and_then(|error| error.constraint()) {
        Some("editor_drafts_user_id_fkey") => {
            Problem::unauthorized("this account no longer exists; register again")
        }
        Some(_) | None => error.into(),
    }
}

fn missing() -> Problem {
    Problem::not_found("you have no such draft; PUT makes it")
}

fn saved(status: StatusCode, key: DraftKey, draft: &EditorDraft) -> Result<Response, Problem> {
    let body = SavedDraft { key: key.to_string(), updated_at: draft.updated_at };
    let tag = HeaderValue::from_str(&condition::tag(draft));
    let tag = tag.map_err(|error| Problem::internal(&error))?;
    Ok((status, [(header::ETAG, tag)], Json(body)).into_response())
}
