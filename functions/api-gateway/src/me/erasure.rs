//! Erasing an account: what everybody sees of it, at once. The rest is periodic work (`erase_accounts.rs`).

use axum::{extract::State, http::StatusCode};
use domain::user::Role;
use events::account_erased::AccountErased;
use ids::EventId;
use requests::failed;
use runtime::{
    Outgoing,
    web::{Caller, ClientAddress, Json, Problem, Student},
};
use serde::Deserialize;
use storage::{
    accounts::{self, Marked},
    administration,
};
use utoipa::ToSchema;

use crate::{
    gateway::Gateway,
    me::confirm::{changed_meanwhile, confirm, own},
    passwords::Password,
    spec::NAME,
};

/// Confirms an erasure.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErasureRequest {
    /// The account's password. People of an external identity provider have none here.
    #[schema(value_type = Option<String>)]
    password: Option<Password>,
}

/// Erases the caller's account for good. From then on nobody can log in, its sessions and sockets end, its classes do not
/// have it any more, and its address can be registered again. What is stored about it is deleted within minutes; what
/// events say about it can be read by nobody, since its key is destroyed. Sums without names stay, such as what models
/// have cost. A class must not lose its only teacher: add another one, or archive it first.
#[utoipa::path(delete, path = "/me", operation_id = "erase_me", tag = "Accounts", security(("bearer" = [])),
    request_body = ErasureRequest,
    responses((status = 204), (status = 401, body = Problem), (status = 409, body = Problem),
              (status = 415, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn erase(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    address: ClientAddress,
    Json(request): Json<ErasureRequest>,
) -> Result<StatusCode, Problem> {
    let user = own(&gateway, caller.id).await?;
    let hash = match (&user.password_hash, request.password) {
        (None, _) => None,
        (Some(_), Some(password)) => {
            Some(confirm(&gateway, address, &user, password, "password").await?)
        }
        (Some(_), None) => {
            return Err(Problem::field("password", "the password, to confirm the erasure"));
        }
    };
    let clock = &gateway.services.clock;
    let (id, now) = (clock.new_id(), clock.now());
    let mut tx = gateway.services.store.begin(NAME).await?;
    if user.role == Role::Admin {
        administration::lock(tx.conn()).await?;
        if !administration::is_another_admin(tx.conn(), caller.id).await? {
            let detail = "you are the last administrator who can log in; appoint another one first";
            return Err(Problem::new(StatusCode::CONFLICT, "last_admin", detail));
        }
    }
    match accounts::mark(tx.conn(), caller.id, hash.as_deref(), now).await? {
        Marked::Done => {}
        Marked::Changed => return Err(changed_meanwhile()),
        Marked::OnlyTeacher(classes) => return Err(only_teacher(&classes)),
    }
    let erased = AccountErased { user_id: caller.id, request_id: id };
    let outgoing = Outgoing::none().with(&erased).map_err(failed)?;
    tx.commit(EventId::from_uuid(id), outgoing, now).await?;
    // Others hear of it by the event.
    gateway.services.store.forget(caller.id);
    Ok(StatusCode::NO_CONTENT)
}

/// 409: classes would be left without a teacher.
fn only_teacher(classes: &[String]) -> Problem {
    let names = classes.join(", ");
    let detail = format!(
        "you are the only teacher of these classes: {names}; add another teacher to each, or archive it"
    );
    Problem::new(StatusCode::CONFLICT, "only_teacher", detail)
}
