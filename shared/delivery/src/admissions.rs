//! Who is still admitted with a valid token. It is asked for every request, so it is remembered for as long as a key.

use std::{sync::Arc, time::Instant};

use environment::Clock;
use ids::{TokenFamilyId, UserId};
use parking_lot::Mutex;
use sqlx::PgPool;
use storage::{
    admission::{self, Account, Admission},
    users::{self, ExternalPerson},
};

use crate::{database::bounded, keys::Keys, remembered::Remembered};

/// A person with the session of their token.
type Asked = (UserId, Option<TokenFamilyId>);

#[derive(Debug, Default)]
struct Kept {
    /// Who is admitted, with what an external identity provider said of them.
    admissions: Remembered<Asked, (Admission, Option<ExternalPerson>)>,
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
        kept.admissions.forget(|(other, _)| *other == person);
    }

    /// Whether a person is admitted with a token of this session.
    ///
    /// With what an external identity provider says of somebody, they have an account here from then on.
    ///
    /// # Errors
    /// The database's own.
    pub async fn of(
        &self,
        person: UserId,
        session: Option<TokenFamilyId>,
        external: Option<ExternalPerson>,
    ) -> sqlx::Result<Admission> {
        let asked = (person, session);
        let forgotten = {
            let kept = self.kept.lock();
            match kept.admissions.get(&asked) {
                Some((admission, said)) if external.is_none() || said == external => {
                    return Ok(admission);
                }
                _ => kept.forgotten,
            }
        };
        let read_at = Instant::now();
        let found = bounded(async {
            let mut conn = self.pool.acquire().await?;
            let found = admission::find(&mut conn, person, session).await?;
            match &external {
                Some(external) if found.as_ref().is_none_or(|it| it.lacks(external)) => {
                    users::ensure_external(&mut conn, person, external, self.clock.now()).await?;
                    admission::find(&mut conn, person, session).await
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
            kept.admissions.insert(asked, (admission, external), read_at);
            // Whoever is admitted is about to do something that needs it.
            self.keys.keep(key, read_at)?;
        }
        Ok(admission)
    }
}
