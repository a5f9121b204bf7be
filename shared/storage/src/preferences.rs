//! When people want to be told.

use domain::local_time::{LocalTimeError, Preferences, QuietHours, TimeOfDay, TimeZone};
use ids::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

/// The columns of a person, who may have chosen no more than a time zone.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) time_zone: String,
    pub(crate) quiet_from: Option<i16>,
    pub(crate) quiet_to: Option<i16>,
    pub(crate) digest_at: Option<i16>,
}

impl TryFrom<Stored> for Preferences {
    type Error = sqlx::Error;

    fn try_from(stored: Stored) -> sqlx::Result<Self> {
        read(stored).map_err(|error| sqlx::Error::Decode(error.into()))
    }
}

fn read(stored: Stored) -> Result<Preferences, LocalTimeError> {
    let quiet_hours = match (stored.quiet_from, stored.quiet_to) {
        (Some(from), Some(to)) => Some(QuietHours::new(time(from)?, time(to)?)?),
        _ => None,
    };
    let usual = Preferences::default();
    Ok(Preferences {
        time_zone: TimeZone::stored(&stored.time_zone),
        quiet_hours,
        digest_at: stored.digest_at.map(time).transpose()?.unwrap_or(usual.digest_at),
    })
}

fn time(minutes: i16) -> Result<TimeOfDay, LocalTimeError> {
    let minutes = u16::try_from(minutes).map_err(|_negative| LocalTimeError::Time)?;
    TimeOfDay::from_minutes(minutes)
}

fn column(time: TimeOfDay) -> i16 {
    i16::try_from(time.minutes()).unwrap_or_default()
}

/// A person's preferences.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Preferences> {
    let found = of_users(conn, &[user.as_uuid()]).await?;
    Ok(found.into_iter().next().map(|(_, preferences)| preferences).unwrap_or_default())
}

/// The preferences of several people.
///
/// # Errors
/// The database's own.
pub async fn of_users(
    conn: &mut PgConnection,
    users: &[Uuid],
) -> sqlx::Result<Vec<(UserId, Preferences)>> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", time_zone AS "time_zone!", quiet_from, quiet_to, digest_at AS "digest_at?"
           FROM users LEFT JOIN notification_settings ON user_id = id WHERE id = ANY($1)"#,
        users,
    )
    .fetch_all(conn)
    .await?;
    let read = rows.into_iter().map(|row| {
        let stored = Stored {
            time_zone: row.time_zone,
            quiet_from: row.quiet_from,
            quiet_to: row.quiet_to,
            digest_at: row.digest_at,
        };
        Ok((UserId::from_uuid(row.id), stored.try_into()?))
    });
    read.collect()
}

/// Stores a person's preferences; their time zone is that of their account.
///
/// # Errors
/// The database's own; a person without an account breaks `notification_settings_user_id_fkey`.
pub async fn store(
    conn: &mut PgConnection,
    user: UserId,
    preferences: &Preferences,
) -> sqlx::Result<()> {
    let zone = preferences.time_zone.name();
    sqlx::query!("UPDATE users SET time_zone = $2 WHERE id = $1", user.as_uuid(), zone)
        .execute(&mut *conn)
        .await?;
    let bounds = preferences.quiet_hours.map(QuietHours::bounds);
    sqlx::query!(
        "INSERT INTO notification_settings (user_id, quiet_from, quiet_to, digest_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE
         SET quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, digest_at = excluded.digest_at",
        user.as_uuid(),
        bounds.map(|(from, _)| column(from)),
        bounds.map(|(_, to)| column(to)),
        column(preferences.digest_at),
    )
    .execute(conn)
    .await?;
    Ok(())
}
