//! Who is in a class: its students, and those who were invited and have no account yet.

use chrono::{DateTime, Utc};
use ids::{ClassId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

/// A student of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassStudent {
    /// The account.
    pub id: UserId,
    /// Its address.
    pub email: String,
    /// Its name.
    pub name: String,
}

/// A line of a class's roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterEntry {
    /// The student's account, or the invitation.
    pub id: Uuid,
    /// The address.
    pub email: String,
    /// The account's name, or as which they were invited.
    pub name: String,
    /// When the student joined; `None` if they were invited and have no account yet.
    pub joined_at: Option<DateTime<Utc>>,
    /// Alerts about the student that are not resolved.
    pub open_alerts: i64,
}

/// What is known of an address that is to be put on a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAddress {
    /// The address.
    pub email: String,
    /// Its account, with the name of its role; `None` if there is none.
    pub account: Option<(UserId, String)>,
    /// Whether the account is in the class.
    pub is_enrolled: bool,
    /// Whether the address was invited to the class.
    pub is_invited: bool,
}

/// Somebody to be invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// Its id.
    pub id: Uuid,
    /// The address.
    pub email: String,
    /// What the roster calls them.
    pub name: String,
}

/// A class as its students see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedClass {
    /// Its id.
    pub id: ClassId,
    /// What it is called.
    pub name: String,
    /// The names of its teachers.
    pub teachers: Vec<String>,
    /// When the student joined.
    pub joined_at: DateTime<Utc>,
}

/// How many are on a class's roster.
///
/// # Errors
/// The database's own.
pub async fn count(conn: &mut PgConnection, class: ClassId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT (SELECT count(*) FROM enrollments WHERE class_id = $1)
                  + (SELECT count(*) FROM class_invitations WHERE class_id = $1) AS "count!""#,
        class.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// Puts students into a class; those who are in it stay as they are.
///
/// # Errors
/// The database's own; a student without an account breaks `enrollments_student_id_fkey`.
pub async fn enroll(
    conn: &mut PgConnection,
    class: ClassId,
    students: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO enrollments (class_id, student_id, joined_at) SELECT $1, unnest($2::uuid[]), $3
         ON CONFLICT DO NOTHING",
        class.as_uuid(),
        students,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a student is in a class.
///
/// # Errors
/// The database's own.
pub async fn is_enrolled(
    conn: &mut PgConnection,
    class: ClassId,
    student: UserId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM enrollments WHERE class_id = $1 AND student_id = $2) AS "is!""#,
        class.as_uuid(),
        student.as_uuid(),
    )
    .fetch_one(conn)
    .await
}

/// Invites addresses without an account; those who were invited before stay as they are.
///
/// # Errors
/// The database's own.
pub async fn invite(
    conn: &mut PgConnection,
    class: ClassId,
    invited: &[NewInvitation],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = invited.iter().map(|one| one.id).collect();
    let emails: Vec<&str> = invited.iter().map(|one| one.email.as_str()).collect();
    let names: Vec<&str> = invited.iter().map(|one| one.name.as_str()).collect();
    sqlx::query!(
        "INSERT INTO class_invitations (id, class_id, email, name, invited_at)
         SELECT new.id, $1, new.email, new.name, $5
         FROM unnest($2::uuid[], $3::text[], $4::text[]) AS new (id, email, name)
         ON CONFLICT (class_id, email) DO NOTHING",
        class.as_uuid(),
        &ids,
        &emails as &[&str],
        &names as &[&str],
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes back the invitations of these addresses, since their accounts are in the class.
///
/// # Errors
/// The database's own.
pub async fn uninvite(
    conn: &mut PgConnection,
    class: ClassId,
    emails: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM class_invitations WHERE class_id = $1 AND email = ANY($2)",
        class.as_uuid(),
        emails,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts a student into all classes to which their address was invited.
///
/// # Errors
/// The database's own.
pub async fn accept_invitations(
    conn: &mut PgConnection,
    email: &str,
    student: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH invited AS (DELETE FROM class_invitations WHERE email = $1 RETURNING class_id)
         INSERT INTO enrollments (class_id, student_id, joined_at) SELECT class_id, $2, $3 FROM invited
         ON CONFLICT DO NOTHING",
        email,
        student.as_uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a student or an invitation off a roster.
///
/// # Errors
/// The database's own.
pub async fn remove(conn: &mut PgConnection, class: ClassId, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH uninvited AS (DELETE FROM class_invitations WHERE id = $2 AND class_id = $1)
         DELETE FROM enrollments WHERE class_id = $1 AND student_id = $2",
        class.as_uuid(),
        id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is known of these addresses.
///
/// # Errors
/// The database's own.
pub async fn known_addresses(
    conn: &mut PgConnection,
    class: ClassId,
    emails: &[String],
) -> sqlx::Result<Vec<KnownAddress>> {
    let rows = sqlx::query!(
        r#"SELECT wanted.email AS "email!", account.id AS "id?", account.role AS "role?",
                  EXISTS (SELECT FROM enrollments
                          WHERE class_id = $1 AND student_id = account.id) AS "is_enrolled!",
                  EXISTS (SELECT FROM class_invitations
                          WHERE class_id = $1 AND class_invitations.email = wanted.email) AS "is_invited!"
           FROM unnest($2::text[]) AS wanted (email)
           LEFT JOIN users AS account ON account.email = wanted.email"#,
        class.as_uuid(),
        emails,
    )
    .fetch_all(conn)
    .await?;
    let known = rows.into_iter().map(|row| KnownAddress {
        email: row.email,
        account: row.id.map(UserId::from_uuid).zip(row.role),
        is_enrolled: row.is_enrolled,
        is_invited: row.is_invited,
    });
    Ok(known.collect())
}

/// A class's roster in the order of addresses, after the address `after`.
///
/// # Errors
/// The database's own.
pub async fn roster(
    conn: &mut PgConnection,
    class: ClassId,
    after: &str,
    limit: i64,
) -> sqlx::Result<Vec<RosterEntry>> {
    sqlx::query_as!(
        RosterEntry,
        r#"SELECT id AS "id!", email AS "email!", name AS "name!", joined_at,
                  (SELECT count(*) FROM alerts
                   WHERE student_id = listed.id AND status <> 'resolved') AS "open_alerts!"
           FROM (SELECT users.id, email, display_name AS name, joined_at
                 FROM enrollments JOIN users ON users.id = student_id WHERE class_id = $1
                 UNION ALL
                 SELECT id, email, name, NULL FROM class_invitations WHERE class_id = $1) AS listed
           WHERE email > $2 ORDER BY email LIMIT $3"#,
        class.as_uuid(),
        after,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// The students of a class in the order of their names, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn students(
    conn: &mut PgConnection,
    class: ClassId,
    limit: i64,
) -> sqlx::Result<Vec<ClassStudent>> {
    let rows = sqlx::query!(
        "SELECT users.id, email, display_name FROM enrollments JOIN users ON users.id = student_id
         WHERE class_id = $1 ORDER BY lower(display_name), users.id LIMIT $2",
        class.as_uuid(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    let students = rows.into_iter().map(|row| ClassStudent {
        id: UserId::from_uuid(row.id),
        email: row.email,
        name: row.display_name,
    });
    Ok(students.collect())
}

/// The classes of a student that are not archived, the latest first, at most `limit`.
///
/// # Errors
/// The database's own.
pub async fn classes_of_student(
    conn: &mut PgConnection,
    student: UserId,
    limit: i64,
) -> sqlx::Result<Vec<JoinedClass>> {
    let rows = sqlx::query!(
        r#"SELECT classes.id, name, joined_at,
                  ARRAY(SELECT display_name FROM class_teachers JOIN users ON users.id = teacher_id
                        WHERE class_id = classes.id ORDER BY added_at, users.id) AS "teachers!: Vec<String>"
           FROM enrollments JOIN classes ON classes.id = class_id
           WHERE student_id = $1 AND archived_at IS NULL ORDER BY joined_at DESC, classes.id LIMIT $2"#,
        student.as_uuid(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    let classes = rows.into_iter().map(|row| JoinedClass {
        id: ClassId::from_uuid(row.id),
        name: row.name,
        teachers: row.teachers,
        joined_at: row.joined_at,
    });
    Ok(classes.collect())
}
