//! Tickets for sockets: for a browser that can only open an address, which must not hold a token.

use axum::{extract::State, http::StatusCode};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use runtime::web::{Caller, Json, Problem, Student};
use serde::{Deserialize, Serialize};
use storage::socket_tickets::{self, Ticket};
use utoipa::ToSchema;

use crate::{access::hash, gateway::Gateway, limits};

/// How long a ticket works: a page asks for one when it is about to connect.
const TICKET_LIFE: TimeDelta = TimeDelta::seconds(30);

/// A ticket that opens one socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SocketTicket {
    /// Goes into the address: `?ticket=…`.
    pub ticket: String,
    /// Seconds until it no longer works.
    pub expires_in: i64,
}

/// Gives a ticket that opens one WebSocket within 30 seconds, at `/ws/chat/{student_id}` or `/ws/alerts` of the
/// websocket function.
#[utoipa::path(post, path = "/ws/ticket", operation_id = "get_socket_ticket", tag = "Tutor", security(("bearer" = [])),
    responses((status = 201, body = SocketTicket), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn give(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<(StatusCode, Json<SocketTicket>), Problem> {
    limits::check(&gateway, &requests::per_user(caller.id), gateway.config.per_user).await?;
    let clock = &gateway.services.clock;
    let secret = clock.new_secret().map_err(|error| Problem::internal(&error))?;
    let ticket = URL_SAFE_NO_PAD.encode(secret);
    let stored = Ticket {
        user: caller.id,
        role: caller.role.as_str().to_owned(),
        external: caller.external,
        ends_at: caller.verified().ends_at,
        session: caller.session(),
    };
    let mut conn = gateway.services.store.connection().await?;
    socket_tickets::insert(&mut conn, hash(&ticket), &stored, clock.now() + TICKET_LIFE).await?;
    Ok((StatusCode::CREATED, Json(SocketTicket { ticket, expires_in: TICKET_LIFE.num_seconds() })))
}
