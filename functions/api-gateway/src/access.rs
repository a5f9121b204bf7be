//! Issuing tokens: a short-lived access token, and a refresh token that works once.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::user::Role;
use ids::{TokenFamilyId, UserId};
use runtime::http::Problem;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use storage::{refresh_tokens::RefreshToken, users::User};
use utoipa::ToSchema;

use crate::Gateway;

/// Life of an access token.
const ACCESS_LIFE: TimeDelta = TimeDelta::hours(1);
/// Life of a refresh token.
const REFRESH_LIFE: TimeDelta = TimeDelta::days(7);

/// A person as they see themselves.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Profile {
    /// The account's id.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// The address to log in with.
    email: String,
    /// The name that others see.
    display_name: String,
    /// `student`, `teacher` or `admin`.
    #[schema(value_type = String)]
    role: Role,
    /// When the account was made.
    created_at: chrono::DateTime<chrono::Utc>,
}

impl From<&User> for Profile {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            display_name: user.display_name.clone(),
            role: user.role,
            created_at: user.created_at,
        }
    }
}

/// Tokens, and whom they are for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Goes into `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until the access token ends.
    expires_in: i64,
    /// Exchanged once for a new pair at `/auth/refresh`.
    refresh_token: String,
    /// Whom they are for.
    user: Profile,
}

/// Issues a pair of tokens in a family: a new one at each login, the same one at each refresh.
///
/// # Errors
/// 501 where an external provider issues tokens; 503 if the database is away.
pub(crate) async fn issue(
    gateway: &Gateway,
    conn: &mut PgConnection,
    user: &User,
    family_id: TokenFamilyId,
) -> Result<Session, Problem> {
    let clock = &gateway.services.clock;
    let now = clock.now();
    let signer = gateway.signer.as_ref().ok_or_else(external_only)?;
    let access_token = signer
        .sign(user.id, user.role, clock.new_id(), now, ACCESS_LIFE)
        .map_err(|error| Problem::internal(&error))?;
    let secret = clock.new_secret().map_err(|error| Problem::internal(&error))?;
    let refresh_token = URL_SAFE_NO_PAD.encode(secret);
    let token = RefreshToken {
        token_hash: hash(&refresh_token),
        family_id,
        user_id: user.id,
        issued_at: now,
        expires_at: now + REFRESH_LIFE,
    };
    storage::refresh_tokens::insert(conn, &token).await?;
    Ok(Session {
        access_token,
        token_type: "Bearer",
        expires_in: ACCESS_LIFE.num_seconds(),
        refresh_token,
        user: user.into(),
    })
}

/// What is kept of a refresh token.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// 501: accounts are kept elsewhere.
pub(crate) fn external_only() -> Problem {
    Problem::new(
        axum::http::StatusCode::NOT_IMPLEMENTED,
        "external_identity",
        "accounts are kept by an external identity provider here; log in there",
    )
}
