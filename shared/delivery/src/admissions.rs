//! Who is still admitted with a valid token. It is asked for every request, so it is remembered for as long as a key.

use std::{sync::Arc, time::Instant};

use environment::Clock;
use ids::{TokenFamilyId, UserId};
use parking_lot::Mutex;
use sqlx::PgPool;
use storage::{
    admission::{self, Account, Admission, Asked},
    users::{self, External},
};

use crate::{database::bounded, keys::Keys, remembered::Remembered};

#[derive(Debug, Default)]
struct Kept {
    admissions: Remembered<Asked, Admission>,
    /// How often somebody was forgotten: what was read before that is not kept.
    forgotten: u64,
}

/// Who is admitted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Admissions {
    pool: PgPool,
    keys: Keys,
    clock: Clock,
    kept: Arc<Mutex<Kept>>,
}

impl Admissions {
    pub(crate) fn new(pool: PgPool, keys: Keys, clock: Clock) -> Self {
        Self { pool, keys, clock, kept: Arc::default() }
    }

    /// Looks again whether this person is admitted, with any of their sessions.
    pub(crate) fn forget(&self, person: UserId) {
        let mut kept = self.kept.lock();
        kept.forgotten += 1;
        kept.admissions.forget(|other| other.person == person);
    }

    /// Whether a person is admitted with a token of this session.
    ///
    /// Who is admitted by an external identity provider has an account here from then on.
    ///
    /// # Errors
    /// The database's own.
    pub async fn of(
        &self,
        person: UserId,
        session: Option<TokenFamilyId>,
        external: Option<&External>,
    ) -> sqlx::Result<Admission> {
        let asked = Asked { person, session, role: external.map(|external| external.role) };
        let forgotten = {
            let kept = self.kept.lock();
            match kept.admissions.get(&asked) {
                Some(admission) => return Ok(admission),
                None => kept.forgotten,
            }
        };
        let read_at = Instant::now();
        let found = bounded(async {
            let mut conn = self.pool.acquire().await?;
            let found = admission::find(&mut conn, &asked).await?;
            match external {
                Some(external) if !found.as_ref().is_some_and(|it| it.agrees_with(external)) => {
                    users::ensure_external(&mut conn, person, external, self.clock.now()).await?;
                    admission::find(&mut conn, &asked).await
                }
                _ => Ok(found),
            }
        });
        let (admission, key) = match found.await? {
            None => (Admission::Granted, None),
            Some(Account { admission, key, .. }) => (admission, Some(key)),
        };
        let mut kept = self.kept.lock();
        if kept.forgotten == forgotten {
            // A person has one role: what is remembered with another no longer holds.
            kept.admissions.forget(|other| other.person == person && other.role != asked.role);
            kept.admissions.insert(asked, admission, read_at);
            // Whoever is admitted is about to do something that needs it.
            self.keys.keep(key, read_at)?;
        }
        Ok(admission)
    }
}
