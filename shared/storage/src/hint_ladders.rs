//! Students' positions on hint ladders.

use domain::hints::Ladder;
use ids::UserId;
use sqlx::PgConnection;

/// A student's ladder for a problem, locked until the transaction ends.
///
/// # Errors
/// The database's own.
pub async fn find(
    conn: &mut PgConnection,
    student: UserId,
    problem: &[u8],
) -> sqlx::Result<Option<Ladder>> {
    let row = sqlx::query!(
        "SELECT rung, attempt, given_at, day_began_at, given FROM hint_ladders
         WHERE student_id = $1 AND problem = $2 FOR UPDATE",
        student.as_uuid(),
        problem,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Ladder {
        rung: u8::try_from(row.rung).unwrap_or(1),
        attempt: row.attempt,
        given_at: row.given_at,
        day_began_at: row.day_began_at,
        given: u32::try_from(row.given).unwrap_or_default(),
    }))
}

/// Stores a student's position. Nothing is stored for a student without an account.
///
/// # Errors
/// The database's own.
pub async fn store(
    conn: &mut PgConnection,
    student: UserId,
    problem: &[u8],
    ladder: &Ladder,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO hint_ladders (student_id, problem, rung, attempt, given_at, day_began_at, given)
         SELECT id, $2, $3, $4, $5, $6, $7 FROM users WHERE id = $1
         ON CONFLICT (student_id, problem) DO UPDATE
         SET rung = excluded.rung, attempt = excluded.attempt, given_at = excluded.given_at,
             day_began_at = excluded.day_began_at, given = excluded.given",
        student.as_uuid(),
        problem,
        i16::from(ladder.rung),
        ladder.attempt,
        ladder.given_at,
        ladder.day_began_at,
        i32::try_from(ladder.given).unwrap_or(i32::MAX),
    )
    .execute(conn)
    .await?;
    Ok(())
}
