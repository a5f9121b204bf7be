//! The teachers of students and classes.

use ids::{ClassId, UserId};
use sqlx::PgConnection;

/// A teacher, with the classes that are the reason to tell them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Teacher {
    /// Who.
    pub id: UserId,
    /// Those of their classes that were asked for.
    pub classes: Vec<ClassId>,
}

/// The teachers of a student's classes and of a class, without those that are archived.
///
/// # Errors
/// The database's own.
pub async fn teachers(
    conn: &mut PgConnection,
    student: Option<UserId>,
    class: Option<ClassId>,
) -> sqlx::Result<Vec<Teacher>> {
    let rows = sqlx::query!(
        r#"SELECT teacher_id, array_agg(class_id ORDER BY class_id) AS "classes!"
           FROM class_teachers JOIN classes ON id = class_id
           WHERE class_id = ANY(array_append(ARRAY(SELECT class_id FROM enrollments WHERE student_id = $1), $2))
             AND archived_at IS NULL
           GROUP BY teacher_id ORDER BY teacher_id"#,
        student.map(UserId::as_uuid),
        class.map(ClassId::as_uuid),
    )
    .fetch_all(conn)
    .await?;
    let teacher = |(id, classes): (_, Vec<_>)| Teacher {
        id: UserId::from_uuid(id),
        classes: classes.into_iter().map(ClassId::from_uuid).collect(),
    };
    Ok(rows.into_iter().map(|row| teacher((row.teacher_id, row.classes))).collect())
}
