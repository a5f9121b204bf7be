//! Passwords: a checked type, and Argon2id away from the serving threads.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};
use axum::http::StatusCode;
use domain::text::{TextError, check_password};
use parking_lot::Mutex;
use runtime::{
    compute::{self, ComputeError},
    web::Problem,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// Seconds after which refused callers may try again.
const RETRY_SECONDS: u32 = 2;

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
    fn bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

/// Compared with when there is no account, so that the answer takes the same time: the crate's default costs, as
/// all hashes here have, and a result that no password has.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ibw\
                      $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Memory for hashing, reused: one block for each permit. Freed blocks would stay with the allocator of their thread,
/// 19 MiB for each thread that ever hashed.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

fn with_memory<T>(blocks: usize, hash: impl FnOnce(&mut [Block]) -> T) -> T {
    let pooled = MEMORY.lock().pop();
    let mut memory = pooled.unwrap_or_default();
    if memory.len() < blocks {
        memory = vec![Block::new(); blocks];
    }
    let hashed = hash(&mut memory);
    let mut pool = MEMORY.lock();
    if pool.len() < compute::AT_ONCE {
        pool.push(memory);
    }
    hashed
}

/// Argon2id of a password.
fn output(argon2: &Argon2<'_>, password: &Password, salt: &Salt) -> password_hash::Result<Output> {
    let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
    with_memory(argon2.params().block_count(), |memory| {
        argon2.hash_password_into_with_memory(password.bytes(), salt, &mut bytes, memory)
    })?;
    Ok(Output::new(&bytes)?)
}

fn hash_now(password: &Password) -> password_hash::Result<String> {
    // Argon2id with the crate's defaults: 19 MiB, 2 passes (OWASP's first recommendation).
    let argon2 = Argon2::default();
    let salt = Salt::new(&password_hash::try_generate_salt()?)?;
    let hash = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(output(&argon2, password, &salt)?),
    };
    Ok(hash.to_string())
}

fn fits_now(password: &Password, hash: &str) -> password_hash::Result<bool> {
    let hash = PasswordHash::new(hash)?;
    let (Some(salt), Some(known)) = (&hash.salt, hash.hash) else { return Ok(false) };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(algorithm, version, Params::try_from(&hash)?);
    // Compared in constant time.
    Ok(output(&argon2, password, salt)? == known)
}

/// Hashes a new password.
///
/// # Errors
/// 503 if too many wait.
pub(crate) async fn hash(password: Password) -> Result<String, Problem> {
    let hashed = compute::run(move || hash_now(&password)).await.map_err(not_done)?;
    hashed.map_err(|error| Problem::internal(&error))
}

/// Whether a password fits a hash; without a hash it never does, and takes as long.
///
/// # Errors
/// 503 if too many wait; 500 if the hash is not valid.
pub(crate) async fn fits(password: Password, hash: Option<String>) -> Result<bool, Problem> {
    let fits = compute::run(move || fits_now(&password, hash.as_deref().unwrap_or(NOBODY)));
    fits.await.map_err(not_done)?.map_err(|error| Problem::internal(&error))
}

fn not_done(error: ComputeError) -> Problem {
    match error {
        ComputeError::Busy => {
            let detail = "too many people are logging in at the moment; try again";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(RETRY_SECONDS)
        }
        ComputeError::Panicked(_) => Problem::internal(&error),
    }
}

#[cfg(test)]
mod tests {
    use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};

    use super::{NOBODY, Password, fits_now, hash_now};

    fn password(text: &str) -> Password {
        Password::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn hashes_with_reused_memory_equal_the_crates_own() {
        let known: PasswordHash = Argon2::default().hash_password(b"correct horse").unwrap();
        let known = known.to_string();
        assert!(fits_now(&password("correct horse"), &known).unwrap());
        assert!(!fits_now(&password("correct house"), &known).unwrap());
        // After other passwords were hashed in the same memory.
        let ours = hash_now(&password("battery staple")).unwrap();
        assert!(Argon2::default().verify_password(b"battery staple", ours.as_str()).is_ok());
        assert!(Argon2::default().verify_password(b"battery stable", ours.as_str()).is_err());
        assert_ne!(hash_now(&password("battery staple")).unwrap(), ours, "another salt");
    }

    #[test]
    fn an_unknown_address_costs_as_much_as_a_known_one() {
        let costs = |hash: &str| PasswordHash::new(hash).unwrap().params.to_string();
        let known = hash_now(&password("correct horse")).unwrap();
        assert_eq!(costs(NOBODY), costs(&known));
        assert!(!fits_now(&password("correct horse"), NOBODY).unwrap());
    }
}
