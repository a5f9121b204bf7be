//! Passwords: a checked type, and Argon2id away from the serving threads.

use std::sync::LazyLock;

use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{self, phc::PasswordHash},
};
use domain::text::{TextError, check_password};
use runtime::{compute, http::Problem};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A password as a person typed it; its length is within bounds, and it is never shown.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Password(SecretString);

impl TryFrom<String> for Password {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        check_password(&text)?;
        Ok(Self(text.into()))
    }
}

impl Password {
    /// For seeds and hashes of requests.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Compared with when there is no account, so that the answer takes the same time.
static NOBODY: LazyLock<String> =
    LazyLock::new(|| hash_now("nobody has this password").unwrap_or_default());

fn hash_now(password: &str) -> Result<String, password_hash::Error> {
    // Argon2id with the crate's defaults: 19 MiB, 2 passes (OWASP's first recommendation).
    let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

/// Hashes a new password.
///
/// # Errors
/// 503 if too many wait; 500 if the machine has no randomness.
pub(crate) async fn hash(password: Password) -> Result<String, Problem> {
    let hashed = compute::run(move || hash_now(password.expose())).await?;
    hashed.map_err(|error| Problem::internal(&error))
}

/// Whether a password fits a hash; without a hash it never does, and takes as long.
///
/// # Errors
/// 503 if too many wait.
pub(crate) async fn fits(password: Password, hash: Option<String>) -> Result<bool, Problem> {
    compute::run(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.clone());
        let fits = PasswordHash::new(&hash).is_ok_and(|hash| {
            Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()
        });
        known && fits
    })
    .await
}
