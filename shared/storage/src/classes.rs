//! Classes and their teachers.

use chrono::{DateTime, Utc};
use ids::{ClassId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// A class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its id.
    pub id: ClassId,
    /// What it is called.
    pub name: String,
    /// By which students join it.
    pub invite_code: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was archived: since then it gives no access.
    pub archived_at: Option<DateTime<Utc>>,
    /// How many students it has.
    pub students: i64,
    /// How many were invited and have no account yet.
    pub invited: i64,
    /// Whether the person who asks is one of its teachers.
    pub is_own: bool,
}

/// A teacher of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassTeacher {
    /// The account.
    pub id: UserId,
    /// Its address.
    pub email: String,
    /// Its name.
    pub display_name: String,
    /// Since when they teach the class.
    pub added_at: DateTime<Utc>,
}

struct ClassRow {
    id: Uuid,
    name: String,
    invite_code: String,
    created_at: DateTime<Utc>,
    archived_at: Option<DateTime<Utc>>,
    students: i64,
    invited: i64,
    is_own: bool,
}

impl From<ClassRow> for Class {
    fn from(row: ClassRow) -> Self {
        Self {
            id: ClassId::from_uuid(row.id),
            name: row.name,
            invite_code: row.invite_code,
            created_at: row.created_at,
            archived_at: row.archived_at,
            students: row.students,
            invited: row.invited,
            is_own: row.is_own,
        }
    }
}

/// Stores a new class with its first teacher.
///
/// # Errors
/// The database's own.
pub async fn insert(
    conn: &mut PgConnection,
    id: ClassId,
    teacher: UserId,
    name: &str,
    invite_code: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO classes (id, name, invite_code, created_at) VALUES ($1, $2, $3, $4)",
        id.as_uuid(),
        name,
        invite_code,
        now,
    )
    .execute(&mut *conn)
    .await?;
    add_teacher(conn, id, teacher, now).await?;
    Ok(())
}

/// A class, as `reader` sees it.
///
/// # Errors
/// The database's own.
pub async fn find(
    conn: &mut PgConnection,
    id: ClassId,
    reader: UserId,
) -> sqlx::Result<Option<Class>> {
    let row = sqlx::query_as!(
        ClassRow,
        r#"SELECT id, name, invite_code, created_at, archived_at,
                  (SELECT count(*) FROM enrollments WHERE class_id = $1) AS "students!",
                  (SELECT count(*) FROM class_invitations WHERE class_id = $1) AS "invited!",
                  EXISTS (SELECT FROM class_teachers WHERE class_id = $1 AND teacher_id = $2) AS "is_own!"
           FROM classes WHERE id = $1"#,
        id.as_uuid(),
        reader.as_uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Class::from))
}

/// The classes of a teacher before the class `before`, newest first, archived ones included.
///
/// # Errors
/// The database's own.
pub async fn of_teacher(
    conn: &mut PgConnection,
    teacher: UserId,
    before: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Class>> {
    let rows = sqlx::query_as!(
        ClassRow,
        r#"SELECT id, name, invite_code, created_at, archived_at,
                  (SELECT count(*) FROM enrollments WHERE class_id = classes.id) AS "students!",
                  (SELECT count(*) FROM class_invitations WHERE class_id = classes.id) AS "invited!",
                  true AS "is_own!"
           FROM class_teachers JOIN classes ON id = class_id
           WHERE teacher_id = $1 AND class_id < $2 ORDER BY class_id DESC LIMIT $3"#,
        teacher.as_uuid(),
        before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Class::from).collect())
}

/// How many classes a person teaches that are not archived.
///
/// # Errors
/// The database's own.
pub async fn count_active(conn: &mut PgConnection, teacher: UserId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM class_teachers JOIN classes ON id = class_id
           WHERE teacher_id = $1 AND archived_at IS NULL"#,
        teacher.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// The classes that a person teaches and that are not archived, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn active_of_teacher(
    conn: &mut PgConnection,
    teacher: UserId,
    limit: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "SELECT id FROM class_teachers JOIN classes ON id = class_id
         WHERE teacher_id = $1 AND archived_at IS NULL ORDER BY class_id DESC LIMIT $2",
        teacher.as_uuid(),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// The class that a code admits to; archived ones admit nobody.
///
/// # Errors
/// The database's own.
pub async fn find_by_code(
    conn: &mut PgConnection,
    invite_code: &str,
) -> sqlx::Result<Option<ClassId>> {
    let id = sqlx::query_scalar!(
        "SELECT id FROM classes WHERE invite_code = $1 AND archived_at IS NULL",
        invite_code,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id.map(ClassId::from_uuid))
}

/// Locks a class until the end of the transaction: whoever counts its members or teachers before changing them must be
/// alone. `false`: it is gone or archived.
///
/// # Errors
/// The database's own.
pub async fn lock_active(conn: &mut PgConnection, id: ClassId) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM classes WHERE id = $1 AND archived_at IS NULL FOR UPDATE",
        id.as_uuid(),
    );
    Ok(found.fetch_optional(conn).await?.is_some())
}

/// Gives a class another name.
///
/// # Errors
/// The database's own.
pub async fn rename(conn: &mut PgConnection, id: ClassId, name: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE classes SET name = $2 WHERE id = $1", id.as_uuid(), name)
        .execute(conn)
        .await?;
    Ok(())
}

/// Archives a class; one that is archived keeps its time.
///
/// # Errors
/// The database's own.
pub async fn archive(conn: &mut PgConnection, id: ClassId, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE classes SET archived_at = $2 WHERE id = $1 AND archived_at IS NULL",
        id.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes an archived class active again.
///
/// # Errors
/// The database's own.
pub async fn restore(conn: &mut PgConnection, id: ClassId) -> sqlx::Result<()> {
    sqlx::query!("UPDATE classes SET archived_at = NULL WHERE id = $1", id.as_uuid())
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives a class another code; the one before admits nobody any more.
///
/// # Errors
/// The database's own.
pub async fn renew_code(
    conn: &mut PgConnection,
    id: ClassId,
    invite_code: &str,
) -> sqlx::Result<()> {
    sqlx::query!("UPDATE classes SET invite_code = $2 WHERE id = $1", id.as_uuid(), invite_code)
        .execute(conn)
        .await?;
    Ok(())
}

/// The teachers of a class in the order in which they were added, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn teachers(
    conn: &mut PgConnection,
    id: ClassId,
    limit: i64,
) -> sqlx::Result<Vec<ClassTeacher>> {
    let rows = sqlx::query!(
        "SELECT users.id, email, display_name, added_at
         FROM class_teachers JOIN users ON users.id = teacher_id
         WHERE class_id = $1 ORDER BY added_at, users.id LIMIT $2",
        id.as_uuid(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    let teachers = rows.into_iter().map(|row| ClassTeacher {
        id: UserId::from_uuid(row.id),
        email: row.email,
        display_name: row.display_name,
        added_at: row.added_at,
    });
    Ok(teachers.collect())
}

/// Makes somebody a teacher of a class. `false`: they were one.
///
/// # Errors
/// The database's own.
pub async fn add_teacher(
    conn: &mut PgConnection,
    id: ClassId,
    teacher: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO class_teachers (class_id, teacher_id, added_at) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
        id.as_uuid(),
        teacher.as_uuid(),
        now,
    );
    Ok(inserted.execute(conn).await?.rows_affected() == 1)
}

/// Removes a teacher from a class.
///
/// # Errors
/// The database's own.
pub async fn remove_teacher(
    conn: &mut PgConnection,
    id: ClassId,
    teacher: UserId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM class_teachers WHERE class_id = $1 AND teacher_id = $2",
        id.as_uuid(),
        teacher.as_uuid(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a person teaches a class that is not archived and has this student.
///
/// # Errors
/// The database's own.
pub async fn teaches(
    conn: &mut PgConnection,
    teacher: UserId,
    student: UserId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM enrollments
                          CROSS JOIN LATERAL (SELECT class_id FROM class_teachers
                                              WHERE class_id = enrollments.class_id AND teacher_id = $1 LIMIT 1) AS taught
                          CROSS JOIN LATERAL (SELECT id FROM classes
                                              WHERE id = enrollments.class_id AND archived_at IS NULL LIMIT 1) AS active
                          WHERE student_id = $2) AS "teaches!""#,
        teacher.as_uuid(),
        student.as_uuid(),
    )
    .fetch_one(conn)
    .await
}
