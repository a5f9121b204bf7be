//! Erasing accounts: marked in one transaction, then emptied a part at a time.

use chrono::{DateTime, Utc};
use ids::UserId;
use sqlx::PgConnection;

/// The outcome of [`mark`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marked {
    /// It is erased for everybody to see, and its key is gone.
    Done,
    /// There is no such account, or its password was changed meanwhile.
    Changed,
    /// Its owner is the only teacher of these classes.
    OnlyTeacher(Vec<String>),
}

/// Marks an account as erased; the rest of what is stored is deleted later.
///
/// From then on nobody can log in, no class has its owner, what events say about them can be read by nobody, and their
/// address can be registered again.
///
/// # Errors
/// The database's own.
pub async fn mark(
    conn: &mut PgConnection,
    person: UserId,
    password_hash: Option<&str>,
    now: DateTime<Utc>,
) -> sqlx::Result<Marked> {
    let id = person.as_uuid();
    let account = sqlx::query!(
        "SELECT email FROM users
         WHERE id = $1 AND erased_at IS NULL AND password_hash IS NOT DISTINCT FROM $2 FOR UPDATE",
        id,
        password_hash,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(account) = account else { return Ok(Marked::Changed) };
    // Locked, so that of two teachers who go at the same time one stays.
    let alone = sqlx::query!(
        r#"SELECT id, name, archived_at IS NOT NULL AS "is_archived!" FROM classes
           WHERE id = ANY(ARRAY(SELECT class_id FROM class_teachers WHERE teacher_id = $1)) ORDER BY id FOR UPDATE"#,
        id,
    )
    .fetch_all(&mut *conn)
    .await?;
    let (mut left, mut archived) = (Vec::new(), Vec::new());
    for class in alone {
        let others = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM class_teachers WHERE class_id = $1 AND teacher_id <> $2) AS "others!""#,
            class.id,
            id,
        );
        if others.fetch_one(&mut *conn).await? {
            continue;
        }
        if class.is_archived {
            archived.push(class.id);
        } else {
            left.push(class.name);
        }
    }
    if !left.is_empty() {
        return Ok(Marked::OnlyTeacher(left));
    }
    sqlx::query!("DELETE FROM classes WHERE id = ANY($1)", &archived).execute(&mut *conn).await?;
    sqlx::query!("DELETE FROM class_teachers WHERE teacher_id = $1", id)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("DELETE FROM enrollments WHERE student_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("DELETE FROM class_invitations WHERE email = $1", account.email)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("DELETE FROM refresh_tokens WHERE user_id = $1", id).execute(&mut *conn).await?;
    sqlx::query!("DELETE FROM socket_tickets WHERE user_id = $1", id).execute(&mut *conn).await?;
    // Those that API Gateway holds; the others hear of it.
    sqlx::query!("UPDATE connections SET ends_at = $2, due_at = $2 WHERE user_id = $1", id, now)
        .execute(&mut *conn)
        .await?;
    sqlx::query!(
        "UPDATE users SET email = $2, display_name = '', password_hash = NULL, time_zone = 'UTC', role = 'student',
                          data_key = NULL, erased_at = $3, erase_next_at = $3
         WHERE id = $1",
        id,
        format!("{person}@erased.invalid"),
        now,
    )
    .execute(conn)
    .await?;
    Ok(Marked::Done)
}

/// An erased account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Whose it was.
    pub person: UserId,
    /// When it was erased.
    pub erased_at: DateTime<Utc>,
}

/// An erased account of which something may be left, the one that waits longest.
///
/// # Errors
/// The database's own.
pub async fn next_to_erase(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Erased>> {
    sqlx::query!(
        r#"SELECT id, erased_at AS "erased_at!" FROM users
           WHERE erase_next_at <= $1 ORDER BY erase_next_at LIMIT 1 FOR UPDATE SKIP LOCKED"#,
        now,
    )
    .map(|row| Erased { person: UserId::from_uuid(row.id), erased_at: row.erased_at })
    .fetch_optional(conn)
    .await
}

/// Says when to look again for what is left of an erased account.
///
/// # Errors
/// The database's own.
pub async fn look_again(
    conn: &mut PgConnection,
    person: UserId,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE users SET erase_next_at = $2 WHERE id = $1 AND erased_at IS NOT NULL",
        person.as_uuid(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets that there was an account; everything else of it is gone.
///
/// # Errors
/// The database's own.
pub async fn forget(conn: &mut PgConnection, person: UserId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM users WHERE id = $1 AND erased_at IS NOT NULL", person.as_uuid(),)
        .execute(conn)
        .await?;
    Ok(())
}
