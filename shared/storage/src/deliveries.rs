//! What is sent to the outside, and how that went.

use chrono::{DateTime, Utc};
use domain::{local_time::Preferences, notification::Route, struggle::Severity};
use events::struggle_detected::AlertChange;
use ids::{AlertId, DeliveryId, NotificationId, SubscriptionId, UserId};
use secrecy::SecretString;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{named, notifications::change_name, preferences, subscriptions::route, without_nul};

/// A delivery to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id, also for the target.
    pub id: DeliveryId,
    /// By which subscription.
    pub subscription_id: SubscriptionId,
    /// Of what.
    pub notification_id: NotificationId,
    /// What has happened to the alert.
    pub change: Option<AlertChange>,
    /// A few words.
    pub title: String,
    /// What it says.
    pub text: String,
    /// How urgent it is.
    pub severity: Severity,
    /// When an event for it is emitted, unless one was and was handled.
    pub next_attempt_at: DateTime<Utc>,
}

/// Stores a delivery.
///
/// # Errors
/// The database's own.
pub async fn insert(
    conn: &mut PgConnection,
    new: &NewDelivery,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO notification_deliveries (id, subscription_id, notification_id, change, title, text, severity,
                                              status, attempts, next_attempt_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, $8, $9)",
        new.id.as_uuid(),
        new.subscription_id.as_uuid(),
        new.notification_id.as_uuid(),
        new.change.map(change_name),
        without_nul(&new.title),
        without_nul(&new.text),
        new.severity.as_str(),
        new.next_attempt_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A delivery with all that is needed to send it.
#[derive(Debug)]
pub struct Job {
    /// Its id.
    pub id: DeliveryId,
    /// By which subscription.
    pub subscription_id: SubscriptionId,
    /// Attempts so far.
    pub attempts: u16,
    /// Whether it is still to be sent.
    pub is_waiting: bool,
    /// The channel and target.
    pub route: Route,
    /// Signs it, the current one first; or allows to end the subscription.
    pub secrets: Vec<SecretString>,
    /// Why nothing is sent any more.
    pub disabled: Option<String>,
    /// Until then the target is left alone.
    pub retry_at: Option<DateTime<Utc>>,
    /// The recipient's e-mail address.
    pub email: String,
    /// Whose subscription it is.
    pub user_id: UserId,
    /// What is sent.
    pub message: Message,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Of what.
    pub notification_id: NotificationId,
    /// The alert, if it is about one.
    pub alert_id: Option<AlertId>,
    /// What has happened to it.
    pub change: Option<AlertChange>,
    /// The student, if it is about one, and their name.
    pub student: Option<(UserId, String)>,
    /// A few words.
    pub title: String,
    /// What it says.
    pub text: String,
    /// How urgent it is.
    pub severity: Severity,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// The delivery with this id, to be sent at `now`.
///
/// # Errors
/// The database's own.
pub async fn job(
    conn: &mut PgConnection,
    id: DeliveryId,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Job>> {
    let row = sqlx::query!(
        r#"SELECT delivery.subscription_id, delivery.notification_id, delivery.change, delivery.title, delivery.text,
                  delivery.severity, delivery.attempts, delivery.status, delivery.created_at, subscription.channel,
                  subscription.target, subscription.secret, subscription.user_id, subscription.retry_at,
                  subscription.disabled_reason,
                  CASE WHEN subscription.old_secret_until > $2 THEN subscription.old_secret END AS old_secret,
                  recipient.email, notification.alert_id, notification.student_id,
                  student.display_name AS "student_name?"
           FROM notification_deliveries AS delivery
           JOIN subscriptions AS subscription ON subscription.id = delivery.subscription_id
           JOIN users AS recipient ON recipient.id = subscription.user_id
           JOIN notifications AS notification ON notification.id = delivery.notification_id
           LEFT JOIN users AS student ON student.id = notification.student_id
           WHERE delivery.id = $1"#,
        id.as_uuid(),
        now,
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let student = row.student_id.map(UserId::from_uuid).zip(row.student_name);
    Ok(Some(Job {
        id,
        subscription_id: SubscriptionId::from_uuid(row.subscription_id),
        attempts: u16::try_from(row.attempts).unwrap_or_default(),
        is_waiting: row.status == "waiting",
        route: route(&row.channel, row.target.as_deref())?,
        secrets: [row.secret, row.old_secret].into_iter().flatten().map(Into::into).collect(),
        disabled: row.disabled_reason,
        retry_at: row.retry_at,
        email: row.email,
        user_id: UserId::from_uuid(row.user_id),
        message: Message {
            notification_id: NotificationId::from_uuid(row.notification_id),
            alert_id: row.alert_id.map(AlertId::from_uuid),
            change: row.change.as_deref().map(named).transpose()?,
            student,
            title: row.title,
            text: row.text,
            severity: named(&row.severity)?,
            created_at: row.created_at,
        },
    }))
}

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// Attempts before it.
    pub before: u16,
    /// What the target answered.
    pub response_status: Option<u16>,
    /// Why it failed.
    pub error: Option<&'a str>,
    /// When it is tried again; never, if it has succeeded or is given up.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// Records an attempt. `false`: it was recorded before.
///
/// # Errors
/// The database's own.
pub async fn record(
    conn: &mut PgConnection,
    id: DeliveryId,
    attempt: &Attempt<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let status = match (attempt.error, attempt.next_attempt_at) {
        (None, _) => "delivered",
        (Some(_), Some(_)) => "waiting",
        (Some(_), None) => "failed",
    };
    let updated = sqlx::query!(
        "UPDATE notification_deliveries
         SET status = $3, attempts = attempts + 1, next_attempt_at = $4, attempted_at = $5, response_status = $6,
             error = $7, finished_at = CASE WHEN $4::timestamptz IS NULL THEN $5::timestamptz END
         WHERE id = $1 AND attempts = $2 AND status = 'waiting'",
        id.as_uuid(),
        i16::try_from(attempt.before).unwrap_or(i16::MAX),
        status,
        attempt.next_attempt_at,
        now,
        attempt.response_status.and_then(|status| i16::try_from(status).ok()),
        attempt.error,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Moves the next attempt at a waiting delivery.
///
/// # Errors
/// The database's own.
pub async fn postpone(
    conn: &mut PgConnection,
    id: DeliveryId,
    until: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE notification_deliveries SET next_attempt_at = $2 WHERE id = $1 AND status = 'waiting'",
        id.as_uuid(),
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A delivery that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub id: DeliveryId,
    /// By which subscription.
    pub subscription_id: SubscriptionId,
    /// Attempts so far.
    pub attempts: u16,
    /// Whether the last attempt at anything of the subscription failed.
    pub is_failing: bool,
    /// Until then the target is left alone.
    pub retry_at: Option<DateTime<Utc>>,
    /// The recipient's preferences.
    pub preferences: Preferences,
}

/// Deliveries that are due, the longest first, at most `limit`, locked.
///
/// # Errors
/// The database's own.
pub async fn due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Due>> {
    let rows = sqlx::query!(
        r#"SELECT delivery.id, delivery.subscription_id, delivery.attempts, subscription.failures,
                  subscription.retry_at, time_zone, quiet_from, quiet_to, digest_at AS "digest_at?"
           FROM notification_deliveries AS delivery
           JOIN subscriptions AS subscription ON subscription.id = delivery.subscription_id
           JOIN users ON users.id = subscription.user_id
           LEFT JOIN notification_settings ON notification_settings.user_id = users.id
           WHERE next_attempt_at <= $1 ORDER BY next_attempt_at, delivery.id LIMIT $2
           FOR UPDATE OF delivery SKIP LOCKED"#,
        now,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let due = rows.into_iter().map(|row| {
        let stored = preferences::Stored {
            time_zone: row.time_zone,
            quiet_from: row.quiet_from,
            quiet_to: row.quiet_to,
            digest_at: row.digest_at,
        };
        Ok(Due {
            id: DeliveryId::from_uuid(row.id),
            subscription_id: SubscriptionId::from_uuid(row.subscription_id),
            attempts: u16::try_from(row.attempts).unwrap_or_default(),
            is_failing: row.failures > 0,
            retry_at: row.retry_at,
            preferences: stored.try_into()?,
        })
    });
    due.collect()
}

/// A delivery in the log of its subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its id.
    pub id: DeliveryId,
    /// Of what.
    pub notification_id: NotificationId,
    /// What has happened to the alert.
    pub change: Option<AlertChange>,
    /// A few words.
    pub title: String,
    /// `waiting`, `delivered` or `failed`.
    pub status: String,
    /// Attempts so far.
    pub attempts: u16,
    /// What the target answered last.
    pub response_status: Option<i16>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last tried.
    pub attempted_at: Option<DateTime<Utc>>,
    /// When it is tried again.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

struct LoggedRow {
    id: Uuid,
    notification_id: Uuid,
    change: Option<String>,
    title: String,
    status: String,
    attempts: i16,
    response_status: Option<i16>,
    error: Option<String>,
    created_at: DateTime<Utc>,
    attempted_at: Option<DateTime<Utc>>,
    next_attempt_at: Option<DateTime<Utc>>,
}

impl TryFrom<LoggedRow> for Logged {
    type Error = sqlx::Error;

    fn try_from(row: LoggedRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: DeliveryId::from_uuid(row.id),
            notification_id: NotificationId::from_uuid(row.notification_id),
            change: row.change.as_deref().map(named).transpose()?,
            title: row.title,
            status: row.status,
            attempts: u16::try_from(row.attempts).unwrap_or_default(),
            response_status: row.response_status,
            error: row.error,
            created_at: row.created_at,
            attempted_at: row.attempted_at,
            next_attempt_at: row.next_attempt_at,
        })
    }
}

/// The deliveries of a subscription before this one, the latest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn list(
    conn: &mut PgConnection,
    subscription: SubscriptionId,
    before: (DateTime<Utc>, Uuid),
    limit: i64,
) -> sqlx::Result<Vec<Logged>> {
    let rows = sqlx::query_as!(
        LoggedRow,
        "SELECT id, notification_id, change, title, status, attempts, response_status, error, created_at,
                attempted_at, next_attempt_at
         FROM notification_deliveries
         WHERE subscription_id = $1 AND (created_at, id) < ($2, $3)
         ORDER BY created_at DESC, id DESC LIMIT $4",
        subscription.as_uuid(),
        before.0,
        before.1,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Logged::try_from).collect()
}

/// Makes a delivery of a subscription wait for another attempt, whatever has become of it; `None` if there is no such
/// delivery.
///
/// # Errors
/// The database's own.
pub async fn reopen(
    conn: &mut PgConnection,
    subscription: SubscriptionId,
    id: DeliveryId,
    next_attempt_at: DateTime<Utc>,
) -> sqlx::Result<Option<Logged>> {
    sqlx::query_as!(
        LoggedRow,
        "UPDATE notification_deliveries SET status = 'waiting', next_attempt_at = $3, finished_at = NULL
         WHERE id = $1 AND subscription_id = $2
         RETURNING id, notification_id, change, title, status, attempts, response_status, error, created_at,
                   attempted_at, next_attempt_at",
        id.as_uuid(),
        subscription.as_uuid(),
        next_attempt_at,
    )
    .fetch_optional(conn)
    .await?
    .map(Logged::try_from)
    .transpose()
}
