//! Access tokens of people and tokens of services.
//!
//! Our own are signed with HS256, those of an external identity provider with RS256 or ES256 and keys from its JWKS.
//! The audience separates people and services, so neither has the other's access.

use std::{pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::user::Role;
use environment::{Clock, config::Settings};
use ids::{TokenFamilyId, UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use storage::admission::Admission;
pub use storage::users::ExternalPerson;
use uuid::Uuid;

use crate::{
    claims::{Claims, ForeignClaims, ServiceClaims, is_for},
    jwks::{Jwks, KeyError},
};

/// How much the clocks of two machines may differ.
const LEEWAY: Duration = Duration::from_secs(5);
/// The issuer of our own tokens, unless `JWT_ISSUER` says otherwise.
pub const ISSUER: &str = "learnflow";
/// The audience of people's tokens, unless `JWT_AUDIENCE` says otherwise.
const AUDIENCE: &str = "learnflow";
/// The audience of services' tokens, unless `JWT_SERVICE_AUDIENCE` says otherwise.
pub const SERVICE_AUDIENCE: &str = "learnflow-internal";

/// Who issues tokens, and how they are checked.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// `JWT_SECRET`: signs our own tokens; at least 32 bytes.
    pub secret: Option<SecretString>,
    /// `JWT_JWKS_URL`: the external provider's keys.
    pub jwks_url: Option<String>,
    /// `JWT_ISSUER`: the issuer that tokens must name.
    pub issuer: String,
    /// `JWT_AUDIENCE`: the audience that people's tokens must name.
    pub audience: String,
    /// `JWT_SERVICE_AUDIENCE`: the audience that services' tokens must name.
    pub service_audience: String,
    /// `JWT_ROLE_CLAIM`: where the external provider's tokens have roles, by the claim's name, or, for one inside
    /// another, as a JSON pointer (RFC 6901). Not set: a text named `role`.
    pub role_claim: Option<String>,
}

impl AuthConfig {
    /// Reads the variables above.
    pub fn read(settings: &mut Settings) -> Self {
        let secret = settings.strong_secret("JWT_SECRET");
        let jwks_url = settings.optional("JWT_JWKS_URL");
        if secret.is_none() && jwks_url.is_none() {
            settings.fault("JWT_SECRET is not set, and neither is JWT_JWKS_URL: one of them is needed to check tokens");
        }
        let audience = settings.parsed("JWT_AUDIENCE", AUDIENCE.to_owned());
        let service_audience = settings.parsed("JWT_SERVICE_AUDIENCE", SERVICE_AUDIENCE.to_owned());
        if audience == service_audience {
            settings.fault("JWT_SERVICE_AUDIENCE is the same as JWT_AUDIENCE: otherwise every student would be a service");
        }
        let issuer = settings.parsed("JWT_ISSUER", ISSUER.to_owned());
        let role_claim = settings.optional("JWT_ROLE_CLAIM");
        Self { secret, jwks_url, issuer, audience, service_audience, role_claim }
    }
}

/// The person behind a valid access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Who it is.
    pub id: UserId,
    /// What they may do.
    pub role: Role,
    /// Whether an external identity provider issued the token.
    pub external: bool,
}

/// What a person's token says.
#[derive(Debug, Clone, Copy)]
pub struct Verified {
    /// Whose it is.
    pub person: Person,
    /// When it expires.
    pub ends_at: DateTime<Utc>,
    /// The login that it descends from, if it is one of ours.
    pub session: Option<TokenFamilyId>,
}

/// The answer to [`Accounts::admission`].
pub type AdmissionOf<'a> = Pin<Box<dyn Future<Output = sqlx::Result<Admission>> + Send + 'a>>;

/// Knows which accounts and sessions have ended, since their tokens may still be valid for an hour.
pub trait Accounts: Send + Sync {
    /// Whether a person is admitted with a token of this session. `external` is what the identity provider that issued the
    /// token says of them, if it is not one of ours, and the token has just been read.
    fn admission(
        &self,
        user: UserId,
        session: Option<TokenFamilyId>,
        external: Option<ExternalPerson>,
    ) -> AdmissionOf<'_>;
}

/// The service behind a valid service token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
}

/// Why a token is refused, in words that a client may see.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It has expired.
    #[error("the access token has expired; refresh it")]
    Expired,
    /// It is not one of ours, or damaged.
    #[error("the access token is not valid; log in again")]
    Invalid(#[source] jsonwebtoken::errors::Error),
    /// Its algorithm or key is not accepted here.
    #[error("the access token is signed with a key that is not accepted here")]
    UnknownKey,
    /// Its account was erased.
    #[error("this account was erased")]
    Erased,
    /// Its account is disabled.
    #[error("this account is disabled; ask an administrator")]
    Disabled,
    /// Its session has ended.
    #[error("this session has ended; log in again")]
    SessionEnded,
    /// It is not known now whether its account or session has ended.
    #[error("the service is unavailable at the moment; try again")]
    AccountsAway(#[source] sqlx::Error),
    /// It cannot be checked now.
    #[error("the identity provider that signed the access token cannot be reached; try again")]
    ProviderAway(#[source] KeyError),
}

/// Signs our own tokens.
pub struct Signer {
    key: EncodingKey,
    issuer: String,
    audience: String,
    service_audience: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Signer {
    /// A signer, if there is a secret to sign with.
    #[must_use]
    pub fn new(config: &AuthConfig) -> Option<Self> {
        let secret = config.secret.as_ref()?;
        Some(Self {
            key: EncodingKey::from_secret(secret.expose_secret().as_bytes()),
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            service_audience: config.service_audience.clone(),
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
        self.sign_of_session(user, role, None, id, now, life)
    }

    /// An access token for a person that names the login that it descends from.
    ///
    /// # Errors
    /// As above.
    pub fn sign_of_session(
        &self,
        user: UserId,
        role: Role,
        session: Option<TokenFamilyId>,
        id: Uuid,
        now: DateTime<Utc>,
        life: TimeDelta,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            sub: user.to_string(),
            role,
            iat: now.timestamp(),
            exp: (now + life).timestamp(),
            nbf: 0,
            iss: self.issuer.clone(),
            aud: self.audience.clone().into(),
            jti: id.to_string(),
            sid: session,
            name: None,
        };
        self.encode(&claims)
    }

    /// A token for a service, with which it may call the functions' internal endpoints.
    ///
    /// # Errors
    /// As above.
    pub fn sign_service(
        &self,
        name: &str,
        id: Uuid,
        now: DateTime<Utc>,
        life: TimeDelta,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        self.encode(&ServiceClaims {
            sub: name,
            iat: now.timestamp(),
            exp: (now + life).timestamp(),
            iss: &self.issuer,
            aud: &self.service_audience,
            jti: id.to_string(),
        })
    }

    fn encode(&self, claims: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.key)
    }
}

/// Checks tokens.
pub struct Verifier {
    config: AuthConfig,
    own_key: Option<DecodingKey>,
    clock: Clock,
    jwks: Option<Jwks>,
    accounts: Option<Arc<dyn Accounts>>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("issuer", &self.config.issuer).finish_non_exhaustive()
    }
}

impl Verifier {
    /// Checks tokens by these settings; the client fetches an external provider's keys.
    #[must_use]
    pub fn new(config: AuthConfig, client: reqwest::Client, clock: Clock) -> Self {
        let secret = config.secret.as_ref();
        let own_key =
            secret.map(|secret| DecodingKey::from_secret(secret.expose_secret().as_bytes()));
        let url = config.jwks_url.clone();
        let jwks = url.map(|url| Jwks::new(url, client, clock.clone()));
        Self { config, own_key, clock, jwks, accounts: None }
    }

    /// Refuses tokens of accounts and sessions that have ended, too.
    #[must_use]
    pub fn knowing(mut self, accounts: Arc<dyn Accounts>) -> Self {
        self.accounts = Some(accounts);
        self
    }

    /// What a person's token says.
    ///
    /// # Errors
    /// The token is expired, malformed, for someone else or signed with an unknown key, or its account or session has
    /// ended.
    pub async fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        let (claims, external) = self.claims(token, &self.config.audience).await?;
        let id = claims.sub.parse().unwrap_or_else(|_| {
            let name = format!("{}\n{}", claims.iss, claims.sub);
            Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
        });
        let ends_at = DateTime::from_timestamp(claims.exp, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let person = Person { id: UserId::from_uuid(id), role: claims.role, external };
        let verified = Verified { person, ends_at, session: claims.sid };
        let external = external.then_some(ExternalPerson { role: claims.role, name: claims.name });
        self.look_up(&verified, external).await?;
        Ok(verified)
    }

    /// Whether a person is still admitted whose token was valid.
    ///
    /// # Errors
    /// The account or the session has ended, or that is not known now.
    pub async fn admit(&self, verified: &Verified) -> Result<(), TokenError> {
        // What the provider said of them then is older than what is stored.
        self.look_up(verified, None).await
    }

    async fn look_up(
        &self,
        verified: &Verified,
        external: Option<ExternalPerson>,
    ) -> Result<(), TokenError> {
        let Some(accounts) = &self.accounts else { return Ok(()) };
        let admission = accounts.admission(verified.person.id, verified.session, external).await;
        match admission.map_err(TokenError::AccountsAway)? {
            Admission::Granted => Ok(()),
            Admission::Erased => Err(TokenError::Erased),
            Admission::Disabled => Err(TokenError::Disabled),
            Admission::SessionEnded => Err(TokenError::SessionEnded),
        }
    }

    /// The service of a token. A token whose audience includes people is a person's.
    ///
    /// # Errors
    /// As above.
    pub async fn verify_service(&self, token: &str) -> Result<Service, TokenError> {
        let (claims, _) = self.claims(token, &self.config.service_audience).await?;
        if is_for(&claims.aud, &self.config.audience) {
            return Err(TokenError::Invalid(ErrorKind::InvalidAudience.into()));
        }
        Ok(Service { name: claims.sub })
    }

    /// The claims of a token, and whether an external provider signed it.
    async fn claims(&self, token: &str, audience: &str) -> Result<(Claims, bool), TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(TokenError::Invalid)?;
        // The algorithm determines the kind of key, so a public key can never be used as a secret.
        let (key, external) = match (header.alg, &self.own_key, &self.jwks) {
            (Algorithm::HS256, Some(key), _) => (key.clone(), false),
            (Algorithm::RS256 | Algorithm::ES256, _, Some(jwks)) => {
                let kid = header.kid.as_deref().ok_or(TokenError::UnknownKey)?;
                let jwk = jwks.find(kid).await.map_err(|error| match error {
                    KeyError::Unknown => TokenError::UnknownKey,
                    away => TokenError::ProviderAway(away),
                })?;
                (DecodingKey::from_jwk(&jwk).map_err(TokenError::Invalid)?, true)
            }
            _ => return Err(TokenError::UnknownKey),
        };
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "sub", "iss", "aud"]);
        // When it is valid is checked below, by our clock.
        validation.validate_exp = false;
        let claims = if external {
            // It is checked below, since it can be in another claim.
            validation.validate_aud = false;
            validation.required_spec_claims.remove("aud");
            let role_claim = self.config.role_claim.as_deref();
            jsonwebtoken::decode::<ForeignClaims>(token, &key, &validation)
                .map(|token| token.claims.into_claims(role_claim))
        } else {
            jsonwebtoken::decode::<Claims>(token, &key, &validation).map(|token| token.claims)
        };
        let claims: Claims = claims.map_err(TokenError::Invalid)?;
        if !is_for(&claims.aud, audience) {
            return Err(TokenError::Invalid(ErrorKind::InvalidAudience.into()));
        }
        let leeway = i64::try_from(LEEWAY.as_secs()).unwrap_or_default();
        let now = self.clock.now().timestamp();
        if claims.exp.saturating_add(leeway) <= now {
            return Err(TokenError::Expired);
        }
        if claims.nbf > now.saturating_add(leeway) {
            return Err(TokenError::Invalid(ErrorKind::ImmatureSignature.into()));
        }
        Ok((claims, external))
    }
}
