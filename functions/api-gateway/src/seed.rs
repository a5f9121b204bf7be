//! Demo accounts, for local use.

use std::sync::Arc;

use domain::{text::Email, user::Role};
use ids::{EventId, UserId};
use runtime::{Outgoing, Services};
use storage::users::{self, User};

use crate::{
    access::DEFAULT_TIME_ZONE,
    passwords::{self, Password},
};

/// A demo account.
#[derive(Debug, Clone, Copy)]
pub struct DemoLogin {
    /// The address to log in with.
    pub email: &'static str,
    /// What the account is called.
    pub name: &'static str,
    /// The password.
    pub password: &'static str,
    /// What the account may do.
    pub role: Role,
}

/// The demo accounts. Their passwords are public, so never create them on a server that others can reach.
pub const DEMO_LOGINS: [DemoLogin; 3] = [
    DemoLogin {
        email: "student@example.org",
        name: "Demo Student",
        password: "learnflow-student",
        role: Role::Student,
    },
    DemoLogin {
        email: "teacher@example.org",
        name: "Demo Teacher",
        password: "learnflow-teacher",
        role: Role::Teacher,
    },
    DemoLogin {
        email: "admin@example.org",
        name: "Demo Admin",
        password: "learnflow-admin",
        role: Role::Admin,
    },
];

/// Why the demo accounts could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The database's own.
    #[error("the demo data cannot be stored")]
    Store(#[from] sqlx::Error),
    /// A demo account breaks our own rules.
    #[error("a demo account is malformed")]
    Malformed(#[from] domain::text::TextError),
    /// A demo password could not be hashed.
    #[error("a demo password cannot be hashed, status {0}")]
    Password(u16),
}

/// Creates the demo accounts that do not exist yet.
///
/// # Errors
/// The database is away.
pub async fn seed(services: &Arc<Services>) -> Result<(), SeedError> {
    let now = services.clock.now();
    let cause = EventId::from_uuid(services.clock.new_id());
    let mut missing = Vec::new();
    {
        let mut conn = services.store.connection().await?;
        for login in DEMO_LOGINS {
            let address = Email::try_from(login.email.to_owned())?;
            if users::find_by_email(&mut conn, &address).await?.is_none() {
                missing.push(login);
            }
        }
    }
    let mut accounts = Vec::new();
    for DemoLogin { email, name, password, role } in missing {
        let password = Password::try_from(password.to_owned())?;
        let hash = passwords::hash(password)
            .await
            .map_err(|problem| SeedError::Password(problem.status()))?;
        accounts.push(User {
            id: UserId::from_uuid(services.clock.new_id()),
            email: email.to_owned(),
            display_name: name.to_owned(),
            password_hash: Some(hash),
            role,
            time_zone: DEFAULT_TIME_ZONE.to_owned(),
            created_at: now,
        });
    }
    let mut tx = services.store.begin("seed").await?;
    for account in &accounts {
        users::insert(tx.conn(), account).await?;
    }
    tx.commit(cause, Outgoing::none(), now).await?;
    Ok(())
}
