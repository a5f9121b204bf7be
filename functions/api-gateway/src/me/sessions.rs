//! The caller's sessions: each is a login that can be continued with its refresh token.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use ids::{EventId, TokenFamilyId};
use runtime::{
    Outgoing,
    web::{Caller, Json, Path, Problem, Student},
};
use serde::{Deserialize, Serialize};
use storage::refresh_tokens::{self, Ended, LiveSession};
use utoipa::ToSchema;

use crate::{gateway::Gateway, spec::NAME};

/// Sessions that are listed: more than anybody has devices.
const MAX_LISTED: i64 = 100;

/// A login that can be continued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnSession {
    /// Its id.
    pub id: TokenFamilyId,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When its tokens were last renewed.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if it is not used.
    pub expires_at: DateTime<Utc>,
    /// What the client called itself last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Whether it is the session of this request.
    pub current: bool,
}

/// A person's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnSessions {
    /// The one used last comes first; at most 100.
    pub items: Vec<OwnSession>,
}

impl OwnSession {
    fn new(session: LiveSession, current: Option<TokenFamilyId>) -> Self {
        // Tokens are forgotten some days after their end; the session's id tells when the first one was issued.
        let began = session.id.as_uuid().get_timestamp().and_then(|time| {
            let (seconds, nanos) = time.to_unix();
            DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
        });
        Self {
            id: session.id,
            created_at: began.map_or(session.issued_at, |began| began.min(session.issued_at)),
            last_used_at: session.used_at,
            expires_at: session.expires_at,
            user_agent: session.user_agent,
            current: current == Some(session.id),
        }
    }
}

/// The caller's sessions.
#[utoipa::path(get, path = "/me/sessions", operation_id = "list_sessions", tag = "Accounts", security(("bearer" = [])),
    responses((status = 200, body = OwnSessions), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<Json<OwnSessions>, Problem> {
    let now = gateway.services.clock.now();
    let mut conn = gateway.services.store.connection().await?;
    let sessions = refresh_tokens::sessions(&mut conn, caller.id, now, MAX_LISTED).await?;
    let current = caller.session();
    let items = sessions.into_iter().map(|session| OwnSession::new(session, current)).collect();
    Ok(Json(OwnSessions { items }))
}

/// Ends one of the caller's sessions: its tokens work no more, its access token within a minute, and its sockets end
/// within minutes.
#[utoipa::path(delete, path = "/me/sessions/{id}", operation_id = "end_session", tag = "Accounts", security(("bearer" = [])),
    params(("id" = TokenFamilyId, Path, description = "The session")),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn end(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let missing = || Problem::not_found("there is no such session, or it is not yours");
    let id: TokenFamilyId = id.parse().map_err(|_not_an_id| missing())?;
    match ended(&gateway, &caller, Ended::One(id)).await? {
        0 => Err(missing()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// Ends all of the caller's sessions but the one of this request.
#[utoipa::path(delete, path = "/me/sessions", operation_id = "end_other_sessions", tag = "Accounts",
    security(("bearer" = [])), responses((status = 204), (status = 401, body = Problem)))]
pub(crate) async fn end_others(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<StatusCode, Problem> {
    ended(&gateway, &caller, Ended::AllBut(caller.session())).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn ended(gateway: &Gateway, caller: &Caller<Student>, which: Ended) -> Result<u64, Problem> {
    let clock = &gateway.services.clock;
    let now = clock.now();
    let mut tx = gateway.services.store.begin(NAME).await?;
    let revoked = refresh_tokens::end(tx.conn(), caller.id, which, now).await?;
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), now).await?;
    gateway.services.store.forget(caller.id);
    Ok(revoked)
}
