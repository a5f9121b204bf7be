//! Where people want to be told.

use chrono::{DateTime, Utc};
use domain::{
    local_time::Preferences,
    notification::{Channel, Filter, Route},
};
use ids::{ClassId, SubscriptionId, UserId};
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{named, preferences};

/// A subscription to be stored.
#[derive(Debug)]
pub struct NewSubscription<'a> {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose it is.
    pub user_id: UserId,
    /// Its channel and target.
    pub route: &'a Route,
    /// About what.
    pub filter: &'a Filter,
    /// Signs what a webhook gets, or allows to end the subscription.
    pub secret: Option<&'a SecretString>,
    /// When a daily channel sums up for the first time.
    pub digest_due_at: Option<DateTime<Utc>>,
}

/// A subscription, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// Whose it is.
    pub user_id: UserId,
    /// Its channel and target.
    pub route: Route,
    /// About what.
    pub filter: Filter,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when and why nothing is sent any more.
    pub disabled: Option<(DateTime<Utc>, String)>,
    /// Failed attempts since the last success.
    pub failures: u32,
    /// When the next one is allowed.
    pub retry_at: Option<DateTime<Utc>>,
}

struct Row {
    id: Uuid,
    user_id: Uuid,
    channel: String,
    target: Option<String>,
    classes: Vec<Uuid>,
    min_severity: String,
    created_at: DateTime<Utc>,
    disabled_at: Option<DateTime<Utc>>,
    disabled_reason: Option<String>,
    failures: i32,
    retry_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Subscription {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let filter = Filter {
            classes: row.classes.into_iter().map(ClassId::from_uuid).collect(),
            min_severity: named(&row.min_severity)?,
        };
        Ok(Self {
            id: SubscriptionId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            route: route(&row.channel, row.target.as_deref())?,
            filter,
            created_at: row.created_at,
            disabled: row.disabled_at.map(|at| (at, row.disabled_reason.unwrap_or_default())),
            failures: u32::try_from(row.failures).unwrap_or_default(),
            retry_at: row.retry_at,
        })
    }
}

/// A stored channel with its target.
pub(crate) fn route(channel: &str, target: Option<&str>) -> sqlx::Result<Route> {
    Route::parse(named::<Channel>(channel)?, target)
        .map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Stores a subscription.
///
/// # Errors
/// The database's own; a person without an account breaks `subscriptions_user_id_fkey`.
pub async fn insert(
    conn: &mut PgConnection,
    new: &NewSubscription<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let classes: Vec<Uuid> = new.filter.classes.iter().map(|class| class.as_uuid()).collect();
    sqlx::query!(
        "INSERT INTO subscriptions (id, user_id, channel, target, classes, min_severity, secret,
                                    digested_until, digest_due_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        new.id.as_uuid(),
        new.user_id.as_uuid(),
        new.route.channel().as_str(),
        new.route.target(),
        &classes,
        new.filter.min_severity.as_str(),
        new.secret.map(ExposeSecret::expose_secret),
        new.digest_due_at.map(|_| now),
        new.digest_due_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many subscriptions a person has.
///
/// # Errors
/// The database's own.
pub async fn count(conn: &mut PgConnection, user: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM subscriptions WHERE user_id = $1"#,
        user.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// The subscription with this id.
///
/// # Errors
/// The database's own.
pub async fn find(
    conn: &mut PgConnection,
    id: SubscriptionId,
) -> sqlx::Result<Option<Subscription>> {
    sqlx::query_as!(
        Row,
        "SELECT id, user_id, channel, target, classes, min_severity, created_at, disabled_at, disabled_reason,
                failures, retry_at
         FROM subscriptions WHERE id = $1",
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?
    .map(Subscription::try_from)
    .transpose()
}

/// The subscriptions of several people, oldest first.
///
/// # Errors
/// The database's own.
pub async fn of_users(conn: &mut PgConnection, users: &[Uuid]) -> sqlx::Result<Vec<Subscription>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, user_id, channel, target, classes, min_severity, created_at, disabled_at, disabled_reason,
                failures, retry_at
         FROM subscriptions WHERE user_id = ANY($1) ORDER BY created_at, id",
        users,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Subscription::try_from).collect()
}

/// Deletes a subscription with what was to be sent by it.
///
/// # Errors
/// The database's own.
pub async fn delete(conn: &mut PgConnection, id: SubscriptionId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM subscriptions WHERE id = $1", id.as_uuid()).execute(conn).await?;
    Ok(())
}

/// Replaces the secret; the old one signs beside it until `until`.
///
/// # Errors
/// The database's own.
pub async fn rotate_secret(
    conn: &mut PgConnection,
    id: SubscriptionId,
    secret: &SecretString,
    until: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE subscriptions SET old_secret = secret, old_secret_until = $3, secret = $2 WHERE id = $1",
        id.as_uuid(),
        secret.expose_secret(),
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The secret in the e-mails of a subscription.
///
/// # Errors
/// The database's own.
pub async fn email_secret(
    conn: &mut PgConnection,
    id: SubscriptionId,
) -> sqlx::Result<Option<SecretString>> {
    let secret = sqlx::query_scalar!(
        "SELECT secret FROM subscriptions WHERE id = $1 AND channel IN ('email', 'email_digest')",
        id.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(secret.flatten().map(Into::into))
}

/// Ends a subscription for this reason; the first reason stays.
///
/// # Errors
/// The database's own.
pub async fn disable(
    conn: &mut PgConnection,
    id: SubscriptionId,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE subscriptions SET disabled_at = $3, disabled_reason = $2, digest_due_at = NULL
         WHERE id = $1 AND disabled_at IS NULL",
        id.as_uuid(),
        reason,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that the target has accepted something, or is to be tried again.
///
/// # Errors
/// The database's own.
pub async fn forget_failures(conn: &mut PgConnection, id: SubscriptionId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE subscriptions SET failures = 0, retry_at = NULL
         WHERE id = $1 AND (failures > 0 OR retry_at IS NOT NULL)",
        id.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes a failed attempt; the target is left alone until `retry_at`.
///
/// # Errors
/// The database's own.
pub async fn note_failure(
    conn: &mut PgConnection,
    id: SubscriptionId,
    retry_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE subscriptions SET failures = failures + 1, retry_at = $2 WHERE id = $1",
        id.as_uuid(),
        retry_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A daily subscription that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDigest {
    /// The subscription.
    pub subscription: Subscription,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// What came until then is summed up.
    pub digested_until: DateTime<Utc>,
    /// Its owner's preferences.
    pub preferences: Preferences,
}

/// Daily subscriptions that are due, at most `limit`, locked.
///
/// # Errors
/// The database's own.
pub async fn due_digests(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<DueDigest>> {
    let rows = sqlx::query!(
        r#"SELECT subscriptions.id, subscriptions.user_id, channel, target, classes, min_severity,
                  subscriptions.created_at, disabled_at,
                  disabled_reason, failures, retry_at, digest_due_at AS "digest_due_at!", digested_until,
                  time_zone, quiet_from, quiet_to, digest_at AS "digest_at?"
           FROM subscriptions JOIN users ON users.id = subscriptions.user_id LEFT JOIN notification_settings ON notification_settings.user_id = subscriptions.user_id
           WHERE digest_due_at <= $1 ORDER BY digest_due_at LIMIT $2 FOR UPDATE OF subscriptions SKIP LOCKED"#,
        now,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let due = rows.into_iter().map(|row| {
        let subscription = Row {
            id: row.id,
            user_id: row.user_id,
            channel: row.channel,
            target: row.target,
            classes: row.classes,
            min_severity: row.min_severity,
            created_at: row.created_at,
            disabled_at: row.disabled_at,
            disabled_reason: row.disabled_reason,
            failures: row.failures,
            retry_at: row.retry_at,
        };
        let stored = preferences::Stored {
            time_zone: row.time_zone,
            quiet_from: row.quiet_from,
            quiet_to: row.quiet_to,
            digest_at: row.digest_at,
        };
        Ok(DueDigest {
            digested_until: row.digested_until.unwrap_or(row.created_at),
            subscription: subscription.try_into()?,
            due_at: row.digest_due_at,
            preferences: stored.try_into()?,
        })
    });
    due.collect()
}

/// Notes that a daily subscription was summed up until `until`, and when it is due again.
///
/// # Errors
/// The database's own.
pub async fn note_digest(
    conn: &mut PgConnection,
    id: SubscriptionId,
    until: DateTime<Utc>,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE subscriptions SET digested_until = $2, digest_due_at = $3 WHERE id = $1",
        id.as_uuid(),
        until,
        due_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves a person's daily subscriptions to another time.
///
/// # Errors
/// The database's own.
pub async fn move_digests(
    conn: &mut PgConnection,
    user: UserId,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE subscriptions SET digest_due_at = $2 WHERE user_id = $1 AND digest_due_at IS NOT NULL",
        user.as_uuid(),
        due_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
