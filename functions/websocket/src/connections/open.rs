//! A socket is opened that API Gateway holds: it becomes a row.

use axum::http::StatusCode;
use chrono::TimeDelta;
use events::connection_due::ConnectionDue;
use ids::EventId;
use runtime::{ConnectionId, Outgoing, auth::Verified, web::Problem};
use storage::connections::{self, Connection};

use crate::{door::Door, frames::Channel, messages::Start, spec::NAME};

/// After which time without a message API Gateway closes a connection, and a minute for its word of that.
pub(crate) const IDLE: TimeDelta = TimeDelta::minutes(11);
/// When a new connection is checked if its event is lost.
const FIRST_LOOK: TimeDelta = TimeDelta::minutes(1);

/// A socket that somebody may open.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) connection: ConnectionId,
    pub(crate) verified: Verified,
    pub(crate) channel: Channel,
    /// Where the client continues.
    pub(crate) start: Start,
}

/// Stores a connection. Nothing can be sent before API Gateway has our answer, so an event is emitted, at which what the
/// client has missed is sent, and what has come since its place was found.
///
/// # Errors
/// Too many sockets of this person (429), no such account (401), the name is taken (409), or the database is away (503).
pub(crate) async fn open(door: &Door, opening: Opening) -> Result<(), Problem> {
    let Opening { connection: ConnectionId(id), verified, channel, start } = opening;
    let Verified { person, ends_at, session } = verified;
    let clock = &door.services.clock;
    let (now, cause) = (clock.now(), clock.new_id());
    let (place, is_place_unknown) = match start {
        Start::Found(place) => (place, false),
        Start::Unknown(place) => (place, true),
    };
    let life = door.config.life_of(cause.as_u128());
    let life = TimeDelta::from_std(life).unwrap_or(TimeDelta::MAX);
    let new = Connection {
        id,
        user: person.id,
        role: person.role,
        external: person.external,
        channel: channel.name().to_owned(),
        position: place.position(),
        looked_at: place.looked_at(),
        is_place_unknown,
        opened_at: now,
        session,
        ends_at,
        closes_at: now + life,
        active_at: now,
    };
    let mut tx = door.services.store.begin(NAME).await?;
    let open = connections::count(tx.conn(), person.id, now - IDLE, now).await?;
    if usize::try_from(open).is_ok_and(|open| open >= door.config.per_person) {
        return Err(too_many());
    }
    if !connections::insert(tx.conn(), &new, now + FIRST_LOOK).await.map_err(without_account)? {
        return Err(Problem::new(StatusCode::CONFLICT, "connected", "this connection is open"));
    }
    let due = ConnectionDue {
        connection_id: new.id,
        user_id: person.id,
        request_id: person.id.as_uuid(),
    };
    let outgoing = Outgoing::none().with(&due).map_err(requests::failed)?;
    Ok(tx.commit(EventId::from_uuid(cause), outgoing, now).await?)
}

/// 429: this person has too many open sockets.
pub(crate) fn too_many() -> Problem {
    let detail = "you have too many open sockets; close one first";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_sockets", detail)
}

/// A valid token may have outlived its account.
fn without_account(error: sqlx::Error) -> Problem {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    if constraint == Some("connections_user_id_fkey") {
        return Problem::unauthorized("this account no longer exists; register again");
    }
    error.into()
}
