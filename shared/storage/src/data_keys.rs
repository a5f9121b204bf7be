//! The key of each person, with which what events say about them is encrypted. It is destroyed with the account.

use sqlx::PgConnection;
use uuid::Uuid;

/// A person's key.
#[derive(Debug, Clone)]
pub struct DataKeyRow {
    /// Whose.
    pub person: Uuid,
    /// 32 bytes; none if the account was erased.
    pub key: Option<Vec<u8>>,
    /// Whether this transaction has made it or changed its account, so that it may not last.
    pub is_new: bool,
}

/// The keys of these people. Who has no account has no row.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, people: &[Uuid]) -> sqlx::Result<Vec<DataKeyRow>> {
    sqlx::query_as!(
        DataKeyRow,
        r#"SELECT id AS person, data_key AS key,
                  coalesce(xmin = pg_current_xact_id_if_assigned()::xid, false) AS "is_new!"
           FROM users WHERE id = ANY($1)"#,
        people,
    )
    .fetch_all(conn)
    .await
}
