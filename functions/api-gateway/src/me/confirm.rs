//! The caller's own account, and whether it is really its owner who asks.

use axum::http::StatusCode;
use domain::text::Email;
use ids::UserId;
use runtime::web::{ClientAddress, Problem};
use storage::users::{self, User};

use crate::{
    access,
    gateway::Gateway,
    limits,
    passwords::{self, Password},
};

/// The account of a caller.
pub(crate) async fn own(gateway: &Gateway, caller: UserId) -> Result<User, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let user = users::find(&mut conn, caller).await?;
    user.ok_or_else(|| Problem::not_found("there is no account with this id here"))
}

/// Confirms the password of an account, like a login: each attempt counts. Returns its hash.
pub(crate) async fn confirm(
    gateway: &Gateway,
    ClientAddress(address): ClientAddress,
    user: &User,
    password: Password,
    field: &'static str,
) -> Result<String, Problem> {
    let hash = user.password_hash.clone().ok_or_else(access::external_only)?;
    let email = Email::try_from(user.email.clone()).map_err(|error| Problem::internal(&error))?;
    limits::password(gateway, address, &email).await?;
    if !passwords::fits(password, Some(hash.clone())).await? {
        return Err(Problem::field(field, "this is not the account's password"));
    }
    Ok(hash)
}

/// 409: the password was changed by another request meanwhile.
pub(crate) fn changed_meanwhile() -> Problem {
    let detail = "the password was changed meanwhile; try again with the new one";
    Problem::new(StatusCode::CONFLICT, "password_changed", detail)
}
