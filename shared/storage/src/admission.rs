//! Whether somebody with a valid token is still admitted.

use domain::user::Role;
use ids::{TokenFamilyId, UserId};
use sqlx::PgConnection;

use crate::{
    data_keys::DataKeyRow,
    users::{self, ExternalPerson, UNNAMED},
};

/// Whether a person is admitted with a token of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Yes, also with a token of ours for an account that is not there: what needs one says so.
    Granted,
    /// The account was erased.
    Erased,
    /// The account is disabled.
    Disabled,
    /// The session has ended.
    SessionEnded,
}

/// What is stored of a person who wants to be admitted.
#[derive(Debug)]
pub struct Account {
    /// Whether they are.
    pub admission: Admission,
    /// The key of their data.
    pub key: DataKeyRow,
    role: Role,
    is_unnamed: bool,
}

impl Account {
    /// Whether it lacks what an external identity provider says of the person. Only who is admitted is given it.
    #[must_use]
    pub fn lacks(&self, external: &ExternalPerson) -> bool {
        let has_name = !self.is_unnamed || external.name.is_none();
        self.admission == Admission::Granted && (self.role != external.role || !has_name)
    }
}

/// The account of a person, and whether they are admitted with a token of this session. `None`: there is no such account.
///
/// # Errors
/// The database's own.
pub async fn find(
    conn: &mut PgConnection,
    person: UserId,
    session: Option<TokenFamilyId>,
) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query!(
        r#"SELECT data_key, role, display_name = $3 AS "is_unnamed!", account_disabled_at IS NOT NULL AS "is_disabled!",
                  EXISTS (SELECT FROM refresh_tokens WHERE family_id = $2 AND revoked_at IS NOT NULL) AS "has_ended!"
           FROM users WHERE id = $1"#,
        person.as_uuid(),
        session.map(TokenFamilyId::as_uuid),
        UNNAMED,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        let admission = match row.data_key {
            None => Admission::Erased,
            Some(_) if row.is_disabled => Admission::Disabled,
            Some(_) if row.has_ended => Admission::SessionEnded,
            Some(_) => Admission::Granted,
        };
        let key = DataKeyRow { person: person.as_uuid(), key: row.data_key, is_new: false };
        Ok(Account { admission, key, role: users::role(&row.role)?, is_unnamed: row.is_unnamed })
    })
    .transpose()
}
