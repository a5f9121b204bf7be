//! Exports: everything that is stored about a person, in a ZIP file of JSON files, which periodic work makes
//! (`make_exports.rs`).

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use ids::{EventId, ExportId};
use runtime::{
    Outgoing,
    web::{Caller, Json, Path, Person, Problem, Student},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::{
    exports::{self, Export},
    retention,
};
use utoipa::ToSchema;

use crate::{
    gateway::Gateway,
    limits,
    me::confirm,
    ownership::{missing, own},
    spec::NAME,
};

/// Exports that are listed: more than anybody needs of one week, after which they are deleted.
const MAX_LISTED: i64 = 20;

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// It is being made.
    Pending,
    /// It can be downloaded.
    Ready,
    /// It could not be made.
    Failed,
}

/// An export of all that is stored about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnExport {
    /// Its id.
    pub id: ExportId,
    /// How far it is.
    pub state: ExportState,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it is deleted.
    pub expires_at: DateTime<Utc>,
    /// Where it can be looked at again.
    pub status_url: String,
    /// Where its file is, once it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_url: Option<String>,
    /// The size of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i32>,
    /// Why it could not be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A person's exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnExports {
    /// The latest first; at most 20.
    pub items: Vec<OwnExport>,
}

impl From<Export> for OwnExport {
    fn from(export: Export) -> Self {
        let Export { id, requested_at, bytes, failure, .. } = export;
        let state = match (bytes, &failure) {
            (Some(_), _) => ExportState::Ready,
            (None, Some(_)) => ExportState::Failed,
            (None, None) => ExportState::Pending,
        };
        let status_url = format!("/api/v1/me/exports/{id}");
        let download_url = bytes.map(|_| format!("{status_url}/download"));
        let expires_at = requested_at + retention::EXPORTS_KEPT;
        Self { id, state, requested_at, expires_at, status_url, download_url, bytes, failure }
    }
}

/// Asks for a file with everything that is stored about the caller. It is made within seconds and kept for a week. While one
/// is being made, that one is returned.
#[utoipa::path(post, path = "/me/exports", operation_id = "request_export", tag = "Accounts", security(("bearer" = [])),
    responses((status = 202, body = OwnExport), (status = 401, body = Problem), (status = 404, body = Problem),
              (status = 429, body = Problem)))]
pub(crate) async fn request(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<Response, Problem> {
    limits::check(&gateway, &requests::per_user(caller.id), gateway.config.per_user).await?;
    confirm::own(&gateway, caller.id).await?;
    let clock = &gateway.services.clock;
    let (id, now) = (clock.new_id(), clock.now());
    let mut tx = gateway.services.store.begin(NAME).await?;
    let export = exports::request(tx.conn(), ExportId::from_uuid(id), caller.id, now).await?;
    let found = exports::find(tx.conn(), export).await?.ok_or_else(missing::<Export>)?;
    tx.commit(EventId::from_uuid(id), Outgoing::none(), now).await?;
    let status = OwnExport::from(found);
    let location = HeaderValue::from_str(&status.status_url);
    let mut response = (StatusCode::ACCEPTED, Json(status)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The caller's exports of the last week, those that are being made and those that failed included.
#[utoipa::path(get, path = "/me/exports", operation_id = "list_exports", tag = "Accounts", security(("bearer" = [])),
    responses((status = 200, body = OwnExports), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<Json<OwnExports>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let found = exports::of_user(&mut conn, caller.id, MAX_LISTED).await?;
    Ok(Json(OwnExports { items: found.into_iter().map(OwnExport::from).collect() }))
}

/// How far an export of the caller is.
#[utoipa::path(get, path = "/me/exports/{id}", operation_id = "get_export", tag = "Accounts", security(("bearer" = [])),
    params(("id" = ExportId, Path, description = "The export")),
    responses((status = 200, body = OwnExport), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Json<OwnExport>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let export = find(&mut conn, &caller, &id).await?;
    Ok(Json(export.into()))
}

/// The file of an export.
#[utoipa::path(get, path = "/me/exports/{id}/download", operation_id = "download_export", tag = "Accounts",
    security(("bearer" = [])), params(("id" = ExportId, Path, description = "The export")),
    responses((status = 200, description = "A ZIP file of JSON files", body = Vec<u8>, content_type = "application/zip"),
              (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn download(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let export = find(&mut conn, &caller, &id).await?;
    let archive = exports::archive(&mut conn, export.id).await?.ok_or_else(|| {
        let detail = "there is no file yet, or it could not be made; look at the export";
        Problem::new(StatusCode::CONFLICT, "not_ready", detail)
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"learnflow-export.zip\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, archive).into_response())
}

async fn find(conn: &mut PgConnection, caller: &Person, id: &str) -> Result<Export, Problem> {
    let id = id.parse().map_err(|_not_an_id| missing::<Export>())?;
    own(caller, exports::find(conn, id).await?).ok_or_else(missing::<Export>)
}
