//! Accounts as administrators see and change them.

use chrono::{DateTime, Utc};
use domain::user::Role;
use ids::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::users;

/// After every text that begins with a prefix.
const LAST: &str = "\u{10ffff}";

/// An account, without what only its owner needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// The address that the owner logs in with.
    pub email: String,
    /// The name that others see.
    pub display_name: String,
    /// What the owner may do.
    pub role: Role,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when nobody can log in with it.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Where it stands in the list in which it was found; empty if in none.
    pub key: String,
}

struct Row {
    key: String,
    id: Uuid,
    email: String,
    display_name: String,
    role: String,
    created_at: DateTime<Utc>,
    disabled_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Account {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: UserId::from_uuid(row.id),
            email: row.email,
            display_name: row.display_name,
            role: users::role(&row.role)?,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            key: row.key,
        })
    }
}

/// Which accounts, in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search<'a> {
    /// All, the newest first.
    All,
    /// Those whose address begins like this, by address.
    Email(&'a str),
    /// Those whose name begins like this, by name.
    Name(&'a str),
}

/// A page of accounts behind a key, of these roles. Each role's are found by the index, and the first of all are taken.
///
/// # Errors
/// The database's own.
pub async fn list(
    conn: &mut PgConnection,
    search: Search<'_>,
    roles: &[Role],
    after: Option<&str>,
    limit: i64,
) -> sqlx::Result<Vec<Account>> {
    let roles: Vec<String> = roles.iter().map(|role| role.as_str().to_owned()).collect();
    let rows = match search {
        Search::All => {
            let before = after.and_then(|key| key.parse().ok()).unwrap_or(Uuid::max());
            newest(conn, &roles, before, limit).await?
        }
        Search::Email(start) => {
            sqlx::query_as!(
                Row,
                r#"SELECT found.key AS "key!", found.id AS "id!", found.email AS "email!", found.display_name AS "display_name!",
                          found.role AS "role!", found.created_at AS "created_at!", found.account_disabled_at AS disabled_at
                   FROM unnest($1::text[]) AS wanted (role) CROSS JOIN LATERAL (
                       SELECT id, email, display_name, role, created_at, account_disabled_at, email AS key FROM users
                       WHERE role = wanted.role AND erased_at IS NULL
                         AND email ~>=~ lower($2) AND email ~<~ (lower($2) || $3) AND email ~>~ $4
                       ORDER BY email USING ~<~ LIMIT $5) AS found
                   ORDER BY found.key USING ~<~ LIMIT $5"#,
                &roles,
                start,
                LAST,
                after.unwrap_or_default(),
                limit,
            )
            .fetch_all(conn)
            .await?
        }
        Search::Name(start) => {
            sqlx::query_as!(
                Row,
                r#"SELECT found.key AS "key!", found.id AS "id!", found.email AS "email!", found.display_name AS "display_name!",
                          found.role AS "role!", found.created_at AS "created_at!", found.account_disabled_at AS disabled_at
                   FROM unnest($1::text[]) AS wanted (role) CROSS JOIN LATERAL (
                       SELECT id, email, display_name, role, created_at, account_disabled_at,
                              lower(display_name) || E'\x1f' || id::text AS key
                       FROM users
                       WHERE role = wanted.role AND erased_at IS NULL
                         AND (lower(display_name) || E'\x1f' || id::text) ~>=~ lower($2)
                         AND (lower(display_name) || E'\x1f' || id::text) ~<~ (lower($2) || $3)
                         AND (lower(display_name) || E'\x1f' || id::text) ~>~ $4
                       ORDER BY (lower(display_name) || E'\x1f' || id::text) USING ~<~ LIMIT $5) AS found
                   ORDER BY found.key USING ~<~ LIMIT $5"#,
                &roles,
                start,
                LAST,
                after.unwrap_or_default(),
                limit,
            )
            .fetch_all(conn)
            .await?
        }
    };
    rows.into_iter().map(Account::try_from).collect()
}

async fn newest(
    conn: &mut PgConnection,
    roles: &[String],
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        r#"SELECT found.key AS "key!", found.id AS "id!", found.email AS "email!", found.display_name AS "display_name!",
                  found.role AS "role!", found.created_at AS "created_at!", found.account_disabled_at AS disabled_at
           FROM unnest($1::text[]) AS wanted (role) CROSS JOIN LATERAL (
               -- By an equal role it would look for the few teachers among everybody, by the primary key.
               SELECT id, email, display_name, role, created_at, account_disabled_at, id::text AS key FROM users
               WHERE (role, id) < (wanted.role, $2) AND role >= wanted.role AND erased_at IS NULL
               ORDER BY role DESC, id DESC LIMIT $3) AS found
           ORDER BY found.id DESC LIMIT $3"#,
        roles,
        before,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// An account.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, id: UserId) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT '' AS "key!", id, email, display_name, role, created_at, account_disabled_at AS disabled_at FROM users
           WHERE id = $1 AND erased_at IS NULL"#,
        id.as_uuid(),
    );
    row.fetch_optional(conn).await?.map(Account::try_from).transpose()
}

/// The account with this address, in lower case.
///
/// # Errors
/// The database's own.
pub async fn find_by_email(conn: &mut PgConnection, email: &str) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT '' AS "key!", id, email, display_name, role, created_at, account_disabled_at AS disabled_at FROM users WHERE email = $1"#,
        email,
    );
    row.fetch_optional(conn).await?.map(Account::try_from).transpose()
}

/// Lets nobody else change roles, or disable accounts, before the transaction ends, so that one administrator remains.
///
/// # Errors
/// The database's own.
pub async fn lock(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('administration', 0))")
        .execute(tx)
        .await
        .map(drop)
}

/// Whether there is an administrator besides this account who can log in.
///
/// # Errors
/// The database's own.
pub async fn is_another_admin(conn: &mut PgConnection, besides: UserId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM users WHERE role = 'admin' AND account_disabled_at IS NULL AND id <> $1) AS "is!""#,
        besides.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// Whether nobody can log in with an account. Until the end of the transaction nobody can disable it, so a session that
/// begins in it is among those that a later one ends.
///
/// # Errors
/// The database's own.
pub async fn is_disabled(tx: &mut PgConnection, id: UserId) -> sqlx::Result<bool> {
    let disabled = sqlx::query_scalar!(
        r#"SELECT account_disabled_at IS NOT NULL AS "is!" FROM users WHERE id = $1 FOR NO KEY UPDATE"#,
        id.as_uuid(),
    );
    Ok(disabled.fetch_optional(tx).await?.unwrap_or(false))
}

/// What was done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It got this role.
    Role(Role),
    /// Nobody can log in with it any more.
    Disabled,
    /// Its owner can log in again.
    Enabled,
}

impl Change {
    /// Its name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Role(role) => role.as_str(),
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
        }
    }
}

/// Changes an account and records who did it; disabling it ends all of its sessions.
///
/// # Errors
/// The database's own.
pub async fn change(
    tx: &mut PgConnection,
    user: UserId,
    change: Change,
    record: Uuid,
    by: Option<UserId>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let id = user.as_uuid();
    match change {
        Change::Role(role) => {
            sqlx::query!("UPDATE users SET role = $2 WHERE id = $1", id, role.as_str())
                .execute(&mut *tx)
                .await?
        }
        Change::Enabled => {
            sqlx::query!("UPDATE users SET account_disabled_at = NULL WHERE id = $1", id)
                .execute(&mut *tx)
                .await?
        }
        Change::Disabled => {
            // First the account: whoever uses or renews one of its tokens locks it, too.
            sqlx::query!("UPDATE users SET account_disabled_at = $2 WHERE id = $1", id, now)
                .execute(&mut *tx)
                .await?;
            sqlx::query!(
                "UPDATE refresh_tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL",
                id,
                now,
            )
            .execute(&mut *tx)
            .await?
        }
    };
    sqlx::query!(
        "INSERT INTO account_changes (id, user_id, changed_by, change, changed_at)
         VALUES ($1, $2, (SELECT id FROM users WHERE id = $3), $4, $5)",
        record,
        id,
        by.map(UserId::as_uuid),
        change.as_str(),
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A recorded change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Who did it; `None` if it was a command, or their account is gone.
    pub changed_by: Option<Uuid>,
    /// What was done: a role, `disabled` or `enabled`.
    pub change: String,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// The latest changes of an account, newest first.
///
/// # Errors
/// The database's own.
pub async fn changes(
    conn: &mut PgConnection,
    user: UserId,
    limit: i64,
) -> sqlx::Result<Vec<ChangeRow>> {
    sqlx::query_as!(
        ChangeRow,
        "SELECT changed_by, change, changed_at FROM account_changes
         WHERE user_id = $1 ORDER BY changed_at DESC LIMIT $2",
        user.as_uuid(),
        limit,
    )
    .fetch_all(conn)
    .await
}
