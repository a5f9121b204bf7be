//! Changing a password.

use axum::{extract::State, http::StatusCode};
use ids::EventId;
use runtime::{
    Outgoing,
    web::{Caller, ClientAddress, Json, Problem, Student},
};
use serde::Deserialize;
use storage::{
    refresh_tokens::{self, Ended},
    users,
};
use utoipa::ToSchema;

use crate::{
    gateway::Gateway,
    me::confirm::{changed_meanwhile, confirm, own},
    passwords::{self, Password},
    spec::NAME,
};

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The password until now.
    #[schema(value_type = String)]
    current_password: Password,
    /// At least 8 characters.
    #[schema(value_type = String, min_length = 8, max_length = 128)]
    new_password: Password,
}

/// Changes the caller's password, and ends all other sessions, as deleting them does. Attempts count like logins.
#[utoipa::path(post, path = "/me/password", operation_id = "change_password", tag = "Accounts", security(("bearer" = [])),
    request_body = PasswordChange,
    responses((status = 204), (status = 401, body = Problem), (status = 409, body = Problem),
              (status = 422, body = Problem), (status = 429, body = Problem), (status = 501, body = Problem)))]
pub(crate) async fn change(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    address: ClientAddress,
    Json(request): Json<PasswordChange>,
) -> Result<StatusCode, Problem> {
    let user = own(&gateway, caller.id).await?;
    let old =
        confirm(&gateway, address, &user, request.current_password, "current_password").await?;
    let new = passwords::hash(request.new_password).await?;
    let clock = &gateway.services.clock;
    let now = clock.now();
    let mut tx = gateway.services.store.begin(NAME).await?;
    // First, since it locks the account: a login with the old password comes before and is ended, or fails.
    if !users::change_password(tx.conn(), caller.id, &old, &new).await? {
        return Err(changed_meanwhile());
    }
    refresh_tokens::end(tx.conn(), caller.id, Ended::AllBut(caller.session()), now).await?;
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), now).await?;
    gateway.services.store.forget(caller.id);
    Ok(StatusCode::NO_CONTENT)
}
