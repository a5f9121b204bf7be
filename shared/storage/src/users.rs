//! Accounts.

use chrono::{DateTime, Utc};
use domain::{
    local_time::TimeZone,
    text::{DisplayName, Email},
    user::{Role, UnknownRole},
};
use ids::UserId;
use sqlx::PgConnection;

/// The name of people of whom an external identity provider has not told us any.
pub(crate) const UNNAMED: &str = "External user";

/// An account.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// Its id; a student's is the partition key of their events.
    pub id: UserId,
    /// The address that the owner logs in with.
    pub email: String,
    /// The name that others see.
    pub display_name: String,
    /// Argon2id in PHC form; absent for people of an external identity provider.
    pub password_hash: Option<String>,
    /// What the owner may do.
    pub role: Role,
    /// Where the owner lives, an IANA name.
    pub time_zone: String,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

struct UserRow {
    id: uuid::Uuid,
    email: String,
    display_name: String,
    password_hash: Option<String>,
    role: String,
    time_zone: String,
    created_at: DateTime<Utc>,
}

impl TryFrom<UserRow> for User {
    type Error = sqlx::Error;

    fn try_from(row: UserRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: UserId::from_uuid(row.id),
            email: row.email,
            display_name: row.display_name,
            password_hash: row.password_hash,
            role: role(&row.role)?,
            time_zone: row.time_zone,
            created_at: row.created_at,
        })
    }
}

/// Reads the name of a role.
pub(crate) fn role(name: &str) -> sqlx::Result<Role> {
    name.parse().map_err(|source: UnknownRole| sqlx::Error::Decode(Box::new(source)))
}

/// Stores a new account. `false`: the address is taken.
///
/// # Errors
/// The database's own.
pub async fn insert(conn: &mut PgConnection, user: &User) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO users (id, email, display_name, password_hash, role, time_zone, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email) DO NOTHING",
        user.id.as_uuid(),
        user.email,
        user.display_name,
        user.password_hash,
        user.role.as_str(),
        user.time_zone,
        user.created_at,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// What an external identity provider says of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalPerson {
    /// What they may do.
    pub role: Role,
    /// What they are called.
    pub name: Option<DisplayName>,
}

/// Makes sure that a person of an external identity provider has a row to own their data.
///
/// Its role is what the provider says now. The name is theirs to change, so the provider's counts only until there is one.
///
/// # Errors
/// The database's own.
pub async fn ensure_external(
    conn: &mut PgConnection,
    id: UserId,
    external: &ExternalPerson,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO users (id, email, display_name, role, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO UPDATE SET role = excluded.role,
            display_name = CASE users.display_name WHEN $6 THEN excluded.display_name ELSE users.display_name END
         WHERE users.email = excluded.email",
        id.as_uuid(),
        format!("{id}@external.invalid"),
        external.name.as_ref().map_or(UNNAMED, DisplayName::as_str),
        external.role.as_str(),
        now,
        UNNAMED,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The account with this address.
///
/// # Errors
/// The database's own.
pub async fn find_by_email(conn: &mut PgConnection, email: &Email) -> sqlx::Result<Option<User>> {
    sqlx::query_as!(
        UserRow,
        "SELECT id, email, display_name, password_hash, role, time_zone, created_at
         FROM users WHERE email = $1",
        email.as_str(),
    )
    .fetch_optional(conn)
    .await?
    .map(User::try_from)
    .transpose()
}

/// The account with this id.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, id: UserId) -> sqlx::Result<Option<User>> {
    sqlx::query_as!(
        UserRow,
        "SELECT id, email, display_name, password_hash, role, time_zone, created_at
         FROM users WHERE id = $1",
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?
    .map(User::try_from)
    .transpose()
}

/// The time zone of an account; `None` without an account.
///
/// # Errors
/// The database's own.
pub async fn time_zone(conn: &mut PgConnection, id: UserId) -> sqlx::Result<Option<TimeZone>> {
    let name = sqlx::query_scalar!("SELECT time_zone FROM users WHERE id = $1", id.as_uuid());
    let found = name.fetch_optional(conn).await?;
    Ok(found.as_deref().map(TimeZone::stored))
}

/// What people change about their own account; `None` stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes<'a> {
    /// The name that others see.
    pub display_name: Option<&'a str>,
    /// Where they live.
    pub time_zone: Option<TimeZone>,
}

/// Changes an account.
///
/// # Errors
/// The database's own.
pub async fn change(conn: &mut PgConnection, id: UserId, changes: Changes<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE users SET display_name = coalesce($2, display_name), time_zone = coalesce($3, time_zone)
         WHERE id = $1",
        id.as_uuid(),
        changes.display_name,
        changes.time_zone.map(TimeZone::name),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks an account until the end of the transaction, if its password is still this one. `false`: it is not, or the
/// account is gone.
///
/// # Errors
/// The database's own.
pub async fn lock_with_password(
    conn: &mut PgConnection,
    id: UserId,
    password_hash: Option<&str>,
) -> sqlx::Result<bool> {
    let locked = sqlx::query_scalar!(
        "SELECT id FROM users WHERE id = $1 AND password_hash = $2 FOR SHARE",
        id.as_uuid(),
        password_hash,
    );
    Ok(locked.fetch_optional(conn).await?.is_some())
}

/// Changes a password, unless it was changed since `old` was read. `false`: it was.
///
/// # Errors
/// The database's own.
pub async fn change_password(
    conn: &mut PgConnection,
    id: UserId,
    old: &str,
    new: &str,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        id.as_uuid(),
        old,
        new,
    )
    .execute(conn)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// A page of accounts, in the order of their ids.
///
/// # Errors
/// The database's own.
pub async fn ids_after(
    conn: &mut PgConnection,
    after: UserId,
    limit: i64,
) -> sqlx::Result<Vec<UserId>> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2",
        after.as_uuid(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(UserId::from_uuid).collect())
}
