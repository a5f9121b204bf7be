//! Access tokens: our own (HS256), and those of an external identity provider (RS256 or ES256, with
//! keys from its JWKS).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::user::Role;
use ids::UserId;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, JwkSet},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{Clock, config::Settings, http::Caller};

/// The shortest secret: as long as the hash (RFC 7518, 3.2).
const SECRET_MIN_BYTES: usize = 32;
/// Clocks of two machines may differ by this much.
const LEEWAY: Duration = Duration::from_secs(5);
/// An unknown key id makes us ask the provider again, but not more often than this.
const JWKS_REFRESH_SECONDS: i64 = 60;

/// Who issues tokens, and how they are checked.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// `JWT_SECRET`: signs our own tokens; at least 32 bytes.
    pub secret: Option<SecretString>,
    /// `JWT_JWKS_URL`: the external provider's keys.
    pub jwks_url: Option<String>,
    /// `JWT_ISSUER`: the issuer that tokens must name.
    pub issuer: String,
    /// `JWT_AUDIENCE`: the audience that tokens must name.
    pub audience: String,
}

impl AuthConfig {
    /// Reads the variables above.
    pub fn read(settings: &mut Settings) -> Self {
        let secret = settings.secret("JWT_SECRET");
        let jwks_url = settings.optional("JWT_JWKS_URL");
        if secret.is_none() && jwks_url.is_none() {
            settings.fault("JWT_SECRET is not set, and neither is JWT_JWKS_URL: one of them is needed to check tokens");
        }
        if secret.as_ref().is_some_and(|secret| secret.expose_secret().len() < SECRET_MIN_BYTES) {
            settings.fault(format!("JWT_SECRET is too short: at least {SECRET_MIN_BYTES} bytes"));
        }
        Self {
            secret,
            jwks_url,
            issuer: settings.parsed("JWT_ISSUER", "learnflow".to_owned()),
            audience: settings.parsed("JWT_AUDIENCE", "learnflow".to_owned()),
        }
    }
}

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claims {
    /// Who it is: a UUID, or an external provider's own name for a person.
    pub sub: String,
    /// What they may do; an external provider that says nothing means a student.
    #[serde(default = "student")]
    pub role: Role,
    /// Issued at, in seconds since 1970.
    #[serde(default)]
    pub iat: i64,
    /// Refused from then on, in seconds since 1970.
    pub exp: i64,
    /// Who issued it.
    pub iss: String,
    /// Whom it is for: a name or a list of names.
    pub aud: serde_json::Value,
    /// The token's own id.
    #[serde(default)]
    pub jti: String,
}

const fn student() -> Role {
    Role::Student
}

/// Why a token is refused, in words that a client may see.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is past its end.
    #[error("the access token has expired; refresh it")]
    Expired,
    /// It is not one of ours, or not whole.
    #[error("the access token is not valid; log in again")]
    Invalid(#[source] jsonwebtoken::errors::Error),
    /// Its algorithm or key is not accepted here.
    #[error("the access token is signed with a key that is not accepted here")]
    UnknownKey,
    /// The provider's keys cannot be fetched.
    #[error("the identity provider cannot be reached; try again")]
    Jwks(#[source] reqwest::Error),
}

/// Signs our own access tokens.
pub struct Signer {
    key: EncodingKey,
    issuer: String,
    audience: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Signer {
    /// A signer, where there is a secret to sign with.
    #[must_use]
    pub fn new(config: &AuthConfig) -> Option<Self> {
        let secret = config.secret.as_ref()?;
        Some(Self {
            key: EncodingKey::from_secret(secret.expose_secret().as_bytes()),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
        })
    }

    /// An access token for a person.
    ///
    /// # Errors
    /// The claims cannot be signed; it does not happen with a symmetric key.
    pub fn sign(
        &self,
        user: UserId,
        role: Role,
        id: Uuid,
        now: DateTime<Utc>,
        life: TimeDelta,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            sub: user.to_string(),
            role,
            iat: now.timestamp(),
            exp: (now + life).timestamp(),
            iss: self.issuer.clone(),
            aud: self.audience.clone().into(),
            jti: id.to_string(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.key)
    }
}

/// Checks access tokens.
pub struct Verifier {
    config: AuthConfig,
    own_key: Option<DecodingKey>,
    client: reqwest::Client,
    clock: Clock,
    jwks: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    set: Option<JwkSet>,
    fetched_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("issuer", &self.config.issuer).finish_non_exhaustive()
    }
}

impl Verifier {
    pub(crate) fn new(config: AuthConfig, client: reqwest::Client, clock: Clock) -> Self {
        let secret = config.secret.as_ref();
        let own_key =
            secret.map(|secret| DecodingKey::from_secret(secret.expose_secret().as_bytes()));
        Self { config, own_key, client, clock, jwks: Mutex::default() }
    }

    /// The person that a token speaks for.
    ///
    /// # Errors
    /// The token is expired, malformed, for someone else or signed with an unknown key.
    pub async fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(TokenError::Invalid)?;
        // The algorithm decides which kind of key is used, so a public key can never pass for a secret.
        let (key, external) = match (header.alg, &self.own_key) {
            (Algorithm::HS256, Some(key)) => (key.clone(), false),
            (Algorithm::RS256 | Algorithm::ES256, _) if self.config.jwks_url.is_some() => {
                let kid = header.kid.as_deref().ok_or(TokenError::UnknownKey)?;
                let jwk = self.jwk(kid).await?;
                (DecodingKey::from_jwk(&jwk).map_err(TokenError::Invalid)?, true)
            }
            _ => return Err(TokenError::UnknownKey),
        };
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_audience(&[&self.config.audience]);
        validation.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
        // Expiry is checked below, by our clock.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map_err(TokenError::Invalid)?
            .claims;
        let leeway = i64::try_from(LEEWAY.as_secs()).unwrap_or_default();
        if claims.exp.saturating_add(leeway) <= self.clock.now().timestamp() {
            return Err(TokenError::Expired);
        }
        let id = claims.sub.parse().unwrap_or_else(|_| {
            let name = format!("{}\n{}", claims.iss, claims.sub);
            Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
        });
        Ok(Caller { id: UserId::from_uuid(id), role: claims.role, external })
    }

    async fn jwk(&self, kid: &str) -> Result<Jwk, TokenError> {
        let mut keys = self.jwks.lock().await;
        if let Some(jwk) = keys.set.as_ref().and_then(|set| set.find(kid)) {
            return Ok(jwk.clone());
        }
        let now = self.clock.now();
        let may_fetch =
            keys.fetched_at.is_none_or(|at| now - at >= TimeDelta::seconds(JWKS_REFRESH_SECONDS));
        if may_fetch && let Some(url) = &self.config.jwks_url {
            keys.fetched_at = Some(now);
            let response = self.client.get(url).send().await.map_err(TokenError::Jwks)?;
            let response = response.error_for_status().map_err(TokenError::Jwks)?;
            keys.set = Some(response.json().await.map_err(TokenError::Jwks)?);
        }
        keys.set.as_ref().and_then(|set| set.find(kid)).cloned().ok_or(TokenError::UnknownKey)
    }
}
