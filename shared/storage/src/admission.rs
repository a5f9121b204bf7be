//! Whether somebody with a valid token is still admitted.

use domain::user::Role;
use ids::{TokenFamilyId, UserId};
use sqlx::PgConnection;

use crate::{
    data_keys::DataKeyRow,
    users::{self, External, UNNAMED},
};

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

/// Who wants to be admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asked {
    /// The person.
    pub person: UserId,
    /// The session of their token, if it is one of ours.
    pub session: Option<TokenFamilyId>,
    /// The role that an external identity provider gives them, if it issued the token.
    pub role: Option<Role>,
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
    /// Whether it has what an external identity provider says of the person.
    #[must_use]
    pub fn agrees_with(&self, external: &External) -> bool {
        self.role == external.role && (!self.is_unnamed || external.name.is_none())
    }
}

/// The account of a person, and whether they are admitted. `None`: there is no such account.
///
/// # Errors
/// The database's own.
pub async fn find(conn: &mut PgConnection, asked: &Asked) -> sqlx::Result<Option<Account>> {
    let Asked { person, session, .. } = *asked;
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
