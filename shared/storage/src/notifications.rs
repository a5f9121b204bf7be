//! What people are told.

use chrono::{DateTime, Utc};
use domain::struggle::Severity;
use events::{notification_made::Notification, struggle_detected::AlertChange};
use ids::{AlertId, ClassId, NotificationId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{named, without_nul};

/// What is known of a notification about an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Existing {
    /// Its id.
    pub id: NotificationId,
    /// The most urgent that it has been.
    pub severity: Severity,
    /// Whether it is shown in the front end.
    pub is_shown: bool,
    /// Whether the student has recovered.
    pub is_resolved: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A notification as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Who gets it.
    pub user_id: UserId,
    /// What it says. `created_at` is when it was first made.
    pub notification: Notification,
    /// The recipient's classes that the student is in.
    pub classes: Vec<ClassId>,
    /// Whether the recipient wants it in the front end.
    pub is_shown: bool,
    /// Whether it sums up others.
    pub is_digest: bool,
    /// Whether there is nothing in it for the recipient to read.
    pub is_read: bool,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// A notification in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What it says.
    pub notification: Notification,
    /// The student's name, if it is about one.
    pub student_name: Option<String>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
    /// When it was read.
    pub read_at: Option<DateTime<Utc>>,
}

/// The name of a change in the database.
#[must_use]
pub(crate) const fn change_name(change: AlertChange) -> &'static str {
    match change {
        AlertChange::Opened => "opened",
        AlertChange::Updated => "updated",
        AlertChange::Resolved => "resolved",
        AlertChange::Unknown => "unknown",
    }
}

/// The notifications of these people about an alert, locked.
///
/// # Errors
/// The database's own.
pub async fn about_alert(
    conn: &mut PgConnection,
    alert: AlertId,
    users: &[Uuid],
) -> sqlx::Result<Vec<(UserId, Existing)>> {
    let rows = sqlx::query!(
        r#"SELECT id, user_id, severity, is_shown, resolved_at IS NOT NULL AS "is_resolved!", created_at
           FROM notifications WHERE alert_id = $1 AND user_id = ANY($2) FOR UPDATE"#,
        alert.as_uuid(),
        users,
    )
    .fetch_all(conn)
    .await?;
    let existing = rows.into_iter().map(|row| {
        let existing = Existing {
            id: NotificationId::from_uuid(row.id),
            severity: named(&row.severity)?,
            is_shown: row.is_shown,
            is_resolved: row.is_resolved,
            created_at: row.created_at,
        };
        Ok((UserId::from_uuid(row.user_id), existing))
    });
    existing.collect()
}

/// Stores a notification, new or changed: whether it is new. A changed one is unread again.
///
/// # Errors
/// The database's own.
pub async fn store(conn: &mut PgConnection, stored: &Stored) -> sqlx::Result<bool> {
    let Stored { user_id, notification, classes, is_shown, is_digest, is_read, updated_at } =
        stored;
    let classes: Vec<Uuid> = classes.iter().map(|class| class.as_uuid()).collect();
    let is_resolved = notification.change == Some(AlertChange::Resolved);
    // A row that was updated has the updating transaction in `xmax`, one that was inserted has none.
    sqlx::query_scalar!(
        r#"INSERT INTO notifications (id, user_id, alert_id, student_id, classes, change, title, text, severity,
                                    is_shown, is_digest, created_at, updated_at, read_at, resolved_at)
         VALUES ($1, $2, $3, (SELECT id FROM users WHERE id = $4), $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (id) DO UPDATE
         SET classes = excluded.classes, change = excluded.change, title = excluded.title, text = excluded.text,
             severity = excluded.severity, is_shown = excluded.is_shown, updated_at = excluded.updated_at,
             read_at = excluded.read_at, resolved_at = excluded.resolved_at
         RETURNING xmax = 0 AS "is_new!""#,
        notification.id.as_uuid(),
        user_id.as_uuid(),
        notification.alert_id.map(AlertId::as_uuid),
        notification.student_id.map(UserId::as_uuid),
        &classes,
        notification.change.map(change_name),
        without_nul(&notification.title),
        without_nul(&notification.text),
        notification.severity.as_str(),
        is_shown,
        is_digest,
        notification.created_at,
        updated_at,
        is_read.then_some(updated_at),
        is_resolved.then_some(updated_at),
    )
    .fetch_one(conn)
    .await
}

/// A page of a person's notifications.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Only what was not read.
    pub unread: bool,
    /// Only what was changed before this, or at this time and has a smaller id.
    pub before: (DateTime<Utc>, Uuid),
    /// At most so many.
    pub limit: i64,
}

/// What a person sees in the front end, the latest change first.
///
/// # Errors
/// The database's own.
pub async fn list(conn: &mut PgConnection, user: UserId, page: Page) -> sqlx::Result<Vec<Listed>> {
    let rows = sqlx::query!(
        r#"SELECT notifications.id, alert_id, student_id, change, title, text, severity, notifications.created_at,
                  updated_at, read_at, display_name AS "student_name?"
           FROM notifications LEFT JOIN users ON users.id = student_id
           WHERE user_id = $1 AND (updated_at, notifications.id) < ($2, $3) AND is_shown
             AND (read_at IS NULL OR NOT $4)
           ORDER BY updated_at DESC, notifications.id DESC LIMIT $5"#,
        user.as_uuid(),
        page.before.0,
        page.before.1,
        page.unread,
        page.limit,
    )
    .fetch_all(conn)
    .await?;
    let listed = rows.into_iter().map(|row| {
        Ok(Listed {
            notification: Notification {
                id: NotificationId::from_uuid(row.id),
                title: row.title,
                text: row.text,
                severity: named(&row.severity)?,
                alert_id: row.alert_id.map(AlertId::from_uuid),
                change: row.change.as_deref().map(named).transpose()?,
                student_id: row.student_id.map(UserId::from_uuid),
                created_at: row.created_at,
            },
            student_name: row.student_name,
            updated_at: row.updated_at,
            read_at: row.read_at,
        })
    });
    listed.collect()
}

/// A notification, with its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnedNotification {
    /// Who was told.
    pub user_id: UserId,
}

/// A notification, with its owner.
///
/// # Errors
/// The database's own.
pub async fn find(
    conn: &mut PgConnection,
    id: NotificationId,
) -> sqlx::Result<Option<OwnedNotification>> {
    let user = sqlx::query_scalar!("SELECT user_id FROM notifications WHERE id = $1", id.as_uuid())
        .fetch_optional(conn)
        .await?;
    Ok(user.map(|user| OwnedNotification { user_id: UserId::from_uuid(user) }))
}

/// Notes that a notification was read; the first time stays.
///
/// # Errors
/// The database's own.
pub async fn mark_read(
    conn: &mut PgConnection,
    id: NotificationId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE notifications SET read_at = $2 WHERE id = $1 AND read_at IS NULL",
        id.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a person has read everything that they see.
///
/// # Errors
/// The database's own.
pub async fn mark_all_read(
    conn: &mut PgConnection,
    user: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE notifications SET read_at = $2 WHERE user_id = $1 AND read_at IS NULL AND is_shown",
        user.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a digest sums up of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summed {
    /// The student, if it is about one.
    pub student_id: Option<UserId>,
    /// The recipient's classes that the student is in.
    pub classes: Vec<ClassId>,
    /// A few words.
    pub title: String,
    /// How urgent it is.
    pub severity: Severity,
    /// Whether the student has recovered.
    pub is_resolved: bool,
}

/// What has happened to a person's alerts from `from` until before `until`, the latest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn changed(
    conn: &mut PgConnection,
    user: UserId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Summed>> {
    let rows = sqlx::query!(
        r#"SELECT student_id, classes, title, severity, resolved_at IS NOT NULL AS "is_resolved!"
           FROM notifications
           WHERE user_id = $1 AND updated_at >= $2 AND updated_at < $3 AND NOT is_digest
           ORDER BY updated_at DESC LIMIT $4"#,
        user.as_uuid(),
        from,
        until,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let summed = rows.into_iter().map(|row| {
        Ok(Summed {
            student_id: row.student_id.map(UserId::from_uuid),
            classes: row.classes.into_iter().map(ClassId::from_uuid).collect(),
            title: row.title,
            severity: named(&row.severity)?,
            is_resolved: row.is_resolved,
        })
    });
    summed.collect()
}
