//! Whether somebody with a valid token is still admitted.

use ids::{TokenFamilyId, UserId};
use sqlx::PgConnection;

use crate::data_keys::DataKeyRow;

/// Whether a person is admitted with a token of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Yes, also who has no account here yet.
    Granted,
    /// The account was erased.
    Erased,
    /// The account is disabled.
    Disabled,
    /// The session has ended.
    SessionEnded,
}

/// Whether a person is admitted with a token of this session, and their key. `None`: there is no such account.
///
/// # Errors
/// The database's own.
pub async fn find(
    conn: &mut PgConnection,
    person: UserId,
    session: Option<TokenFamilyId>,
) -> sqlx::Result<Option<(Admission, DataKeyRow)>> {
    let row = sqlx::query!(
        r#"SELECT data_key, account_disabled_at IS NOT NULL AS "is_disabled!",
                  EXISTS (SELECT FROM refresh_tokens WHERE family_id = $2 AND revoked_at IS NOT NULL) AS "has_ended!"
           FROM users WHERE id = $1"#,
        person.as_uuid(),
        session.map(TokenFamilyId::as_uuid),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let admission = match row.data_key {
            None => Admission::Erased,
            Some(_) if row.is_disabled => Admission::Disabled,
            Some(_) if row.has_ended => Admission::SessionEnded,
            Some(_) => Admission::Granted,
        };
        (admission, DataKeyRow { person: person.as_uuid(), key: row.data_key, is_new: false })
    }))
}
