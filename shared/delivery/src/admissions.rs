//! Who is still admitted with a valid token. It is asked for every request, so it is remembered for as long as a key.

use std::{collections::HashMap, sync::Arc, time::Instant};

use ids::{TokenFamilyId, UserId};
use parking_lot::Mutex;
use sqlx::PgPool;
use storage::admission::{self, Admission};

use crate::{
    database::bounded,
    keys::{KEY_LIFE, KEYS_LIMIT, Keys},
};

/// A person with the session of their token.
type Asked = (UserId, Option<TokenFamilyId>);

#[derive(Debug, Default)]
struct Kept {
    admissions: HashMap<Asked, (Admission, Instant)>,
    /// How often somebody was forgotten: what was read before that is not kept.
    forgotten: u64,
}

/// Who is admitted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Admissions {
    pool: PgPool,
    keys: Keys,
    kept: Arc<Mutex<Kept>>,
}

impl Admissions {
    pub(crate) fn new(pool: PgPool, keys: Keys) -> Self {
        Self { pool, keys, kept: Arc::default() }
    }

    /// Looks again whether this person is admitted, with any of their sessions.
    pub(crate) fn forget(&self, person: UserId) {
        let mut kept = self.kept.lock();
        kept.forgotten += 1;
        kept.admissions.retain(|(other, _), _| *other != person);
    }

    /// Whether a person is admitted with a token of this session.
    ///
    /// # Errors
    /// The database's own.
    pub async fn of(
        &self,
        person: UserId,
        session: Option<TokenFamilyId>,
    ) -> sqlx::Result<Admission> {
        let asked = (person, session);
        let forgotten = {
            let kept = self.kept.lock();
            match kept.admissions.get(&asked) {
                Some((admission, until)) if *until > Instant::now() => return Ok(*admission),
                _ => kept.forgotten,
            }
        };
        let until = Instant::now() + KEY_LIFE;
        let found = bounded(async {
            let mut conn = self.pool.acquire().await?;
            admission::find(&mut conn, person, session).await
        });
        let (admission, key) = match found.await? {
            None => (Admission::Granted, None),
            Some((admission, key)) => (admission, Some(key)),
        };
        let mut kept = self.kept.lock();
        if kept.forgotten == forgotten {
            kept.keep(asked, admission, until);
            // Whoever is admitted is about to do something that needs it.
            self.keys.keep(key)?;
        }
        Ok(admission)
    }
}

impl Kept {
    fn keep(&mut self, asked: Asked, admission: Admission, until: Instant) {
        if self.admissions.len() >= KEYS_LIMIT {
            let now = Instant::now();
            self.admissions.retain(|_, (_, until)| *until > now);
            if self.admissions.len() >= KEYS_LIMIT {
                self.admissions.clear();
            }
        }
        self.admissions.insert(asked, (admission, until));
    }
}
