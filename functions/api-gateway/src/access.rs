//! Issuing tokens: a short-lived access token, and a refresh token that works once.

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use domain::user::Role;
use ids::UserId;
use runtime::web::Problem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use storage::{
    refresh_tokens::{Descent, RefreshToken},
    users::User,
};
use utoipa::ToSchema;

use crate::gateway::Gateway;

/// Life of an access token.
const ACCESS_LIFE: TimeDelta = TimeDelta::hours(1);
/// Life of a refresh token.
pub(crate) const REFRESH_LIFE: TimeDelta = TimeDelta::days(7);

/// Characters of what a client calls itself that are kept: enough to tell browsers and systems apart.
const USER_AGENT_CHARS: usize = 200;

/// A person as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Profile {
    /// The account's id.
    pub id: UserId,
    /// The address to log in with.
    pub email: String,
    /// The name that others see.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// Where they live, an IANA name: the days of streaks are counted there.
    pub time_zone: String,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// The time zone of new accounts.
pub(crate) const DEFAULT_TIME_ZONE: &str = "UTC";

impl From<&User> for Profile {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            display_name: user.display_name.clone(),
            role: user.role,
            time_zone: user.time_zone.clone(),
            created_at: user.created_at,
        }
    }
}

/// A pair of tokens, with the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Goes into `Authorization: Bearer …`.
    pub access_token: String,
    /// How the token is presented.
    pub token_type: TokenType,
    /// Seconds until the access token expires.
    pub expires_in: i64,
    /// Exchanged once for a new pair at `/auth/refresh`; absent if it is in the cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The account.
    pub user: Profile,
}

/// How an access token is presented (RFC 6750).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum TokenType {
    /// Whoever has it may use it.
    Bearer,
}

/// Issues a pair of tokens: the first one of a login, or a successor.
///
/// # Errors
/// 501 where an external provider issues tokens; 503 if the database is away.
pub(crate) async fn issue(
    gateway: &Gateway,
    conn: &mut PgConnection,
    user: &User,
    descent: Descent,
    user_agent: Option<String>,
) -> Result<Session, Problem> {
    let clock = &gateway.services.clock;
    let now = clock.now();
    let signer = gateway.signer.as_ref().ok_or_else(external_only)?;
    let family = Some(descent.family_id);
    let access_token = signer
        .sign_of_session(user.id, user.role, family, clock.new_id(), now, ACCESS_LIFE)
        .map_err(|error| Problem::internal(&error))?;
    let secret = clock.new_secret().map_err(|error| Problem::internal(&error))?;
    let refresh_token = URL_SAFE_NO_PAD.encode(secret);
    let token = RefreshToken {
        token_hash: hash(&refresh_token),
        descent,
        user_id: user.id,
        issued_at: now,
        expires_at: now + REFRESH_LIFE,
        user_agent,
    };
    storage::refresh_tokens::insert(conn, &token).await?;
    Ok(Session {
        access_token,
        token_type: TokenType::Bearer,
        expires_in: ACCESS_LIFE.num_seconds(),
        refresh_token: Some(refresh_token),
        user: user.into(),
    })
}

/// What the client calls itself, for the list of sessions; it may say anything.
pub(crate) fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(USER_AGENT_CHARS).collect())
}

/// What is stored of a refresh token, or of a ticket.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// 501: accounts are managed elsewhere.
pub(crate) fn external_only() -> Problem {
    Problem::new(
        axum::http::StatusCode::NOT_IMPLEMENTED,
        "external_identity",
        "accounts are managed by an external identity provider here; log in there",
    )
}
