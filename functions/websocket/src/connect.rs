//! Opening a socket: who may, and from where.
//!
//! A token comes in the `Sec-WebSocket-Protocol` (the only header that a browser lets a page set), in `Authorization`,
//! or in the address, as a ticket that works once or as itself. Addresses are never logged: requests are logged by
//! their route.

use std::sync::Arc;

use axum::{
    Router,
    extract::{
        FromRequestParts, Query, Request, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::user::Role;
use requests::per_address;
use runtime::{
    ConnectionId,
    auth::Verified,
    web::{ClientAddress, Path, Person, Problem, bearer_token, refused},
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use storage::socket_tickets;
use uuid::Uuid;

use crate::{
    connections::open::{Opening, open, too_many},
    door::Door,
    frames::Channel,
    messages::Place,
    session::{Opened, serve},
};

/// What is spoken on a socket, as clients name it.
const PROTOCOL: &str = "learnflow.v1";
/// Before the token that a client names beside it.
const TOKEN_PREFIX: &str = "bearer.";

/// Both paths.
pub(crate) fn routes(door: Arc<Door>) -> Router {
    Router::new()
        .route("/ws/chat/{student_id}", get(chat))
        .route("/ws/alerts", get(alerts))
        .with_state(door)
}

/// What an address may hold. Not `Debug`, since it holds secrets.
#[derive(Deserialize)]
struct Parameters {
    token: Option<String>,
    ticket: Option<String>,
    after: Option<String>,
}

async fn chat(
    State(door): State<Arc<Door>>,
    Path(student): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let entered = enter(&door, request).await?;
    if student.parse() != Ok(entered.verified.person.id.as_uuid()) {
        return Err(Problem::forbidden("this is the path of another account; use your own id"));
    }
    entered.open(door, Channel::Chat).await
}

async fn alerts(State(door): State<Arc<Door>>, request: Request) -> Result<Response, Problem> {
    let entered = enter(&door, request).await?;
    if !entered.verified.person.role.includes(Role::Teacher) {
        return Err(Problem::forbidden("this needs the role teacher"));
    }
    entered.open(door, Channel::Alerts).await
}

/// Somebody who may open a socket.
struct Entered {
    verified: Verified,
    after: Option<Uuid>,
    way: Way,
}

/// Who holds the socket.
enum Way {
    /// This instance.
    Upgrade(Result<WebSocketUpgrade, WebSocketUpgradeRejection>),
    /// API Gateway; the answer names the protocol if the client offers it.
    Held(ConnectionId, Option<&'static str>),
}

async fn enter(door: &Door, request: Request) -> Result<Entered, Problem> {
    let (mut parts, _) = request.into_parts();
    let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(&mut parts, &()).await;
    let limit = door.config.per_address;
    requests::hit(&door.services, &door.counters, &per_address(address), limit).await?;
    if !door.config.origins.admit(&parts.headers) {
        return Err(Problem::forbidden("pages of this origin may not open sockets here"));
    }
    let way = match parts.extensions.remove() {
        Some(connection) => {
            let is_offered = offered(&parts.headers).contains(&PROTOCOL);
            Way::Held(connection, is_offered.then_some(PROTOCOL))
        }
        None => Way::Upgrade(WebSocketUpgrade::from_request_parts(&mut parts, &()).await),
    };
    let Ok(Query(parameters)) = Query::<Parameters>::try_from_uri(&parts.uri) else {
        return Err(Problem::field("token", "token, ticket and after, each at most once"));
    };
    let verified = authenticate(door, &parts.headers, &parameters).await?;
    let after = match parameters.after.as_deref() {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|_not_an_id| {
            Problem::field("after", "the message_id of the last message that you have")
        })?),
    };
    Ok(Entered { verified, after, way })
}

async fn authenticate(
    door: &Door,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<Verified, Problem> {
    if let Some(ticket) = &parameters.ticket {
        return by_ticket(door, ticket).await;
    }
    let offered = offered(headers);
    let named = offered.iter().find_map(|name| name.strip_prefix(TOKEN_PREFIX));
    let token = named.or_else(|| bearer_token(headers)).or(parameters.token.as_deref());
    let token = token.ok_or_else(|| {
        Problem::unauthorized(format!(
            "offer the protocols {PROTOCOL} and {TOKEN_PREFIX}<access token>, or add ?ticket= from POST /api/v1/ws/ticket"
        ))
    })?;
    if named.is_some() && !offered.contains(&PROTOCOL) {
        let detail = format!("offer {PROTOCOL} beside the token, so that it can be accepted");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "no_protocol", detail));
    }
    door.services.verifier.verify(token).await.map_err(refused)
}

/// The protocols that a client offers.
fn offered(headers: &HeaderMap) -> Vec<&str> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim).collect()
}

async fn by_ticket(door: &Door, ticket: &str) -> Result<Verified, Problem> {
    let hash = Sha256::digest(ticket.as_bytes()).into();
    let found = {
        let mut conn = door.services.store.connection().await?;
        socket_tickets::take(&mut conn, hash, door.services.clock.now()).await?
    };
    let found = found.ok_or_else(|| {
        Problem::unauthorized("the ticket is used up or too old; get another one")
    })?;
    let role = found.role.parse().map_err(|error| Problem::internal(&error))?;
    let person = Person { id: found.user, role, external: found.external };
    let verified = Verified { person, ends_at: found.ends_at, session: found.session };
    door.services.verifier.admit(&verified).await.map_err(refused)?;
    Ok(verified)
}

impl Entered {
    async fn open(self, door: Arc<Door>, channel: Channel) -> Result<Response, Problem> {
        let Self { verified, after, way } = self;
        let user = verified.person.id;
        let upgrade = match way {
            Way::Upgrade(upgrade) => upgrade,
            Way::Held(connection, protocol) => {
                let start = Place::find(&door, user, after).await?;
                open(&door, Opening { connection, verified, channel, start }).await?;
                let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
                if let Some(name) = protocol {
                    let name = HeaderValue::from_static(name);
                    response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, name);
                }
                return Ok(response);
            }
        };
        let upgrade = upgrade.map_err(|_no_upgrade| {
            let detail = "open this address as a WebSocket";
            Problem::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", detail)
        })?;
        let membership = door.hub.join(user, channel).ok_or_else(too_many)?;
        // Found before the client gets a response: what happens from then on, it gets.
        let start = Place::find(&door, user, after).await?;
        let opened = Opened { verified, channel, start, membership };
        let of_door = Arc::clone(&door);
        door.sockets.open(upgrade.protocols([PROTOCOL]), move |socket, stop| {
            serve(of_door, socket, stop, opened)
        })
    }
}
