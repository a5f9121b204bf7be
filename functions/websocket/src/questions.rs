//! Frames of clients, carried out: as if the question had been sent to the gateway.

use ids::{EventId, QueryId, UserId};
use requests::{Acceptance, QueryRequest};
use runtime::{
    auth::Verified,
    web::{Person, Problem, refused},
};

use crate::{
    door::Door,
    frames::{Channel, Reply},
    incoming::{Incoming, Unreadable, read},
    spec::NAME,
};

/// What comes of a frame.
#[derive(Debug)]
pub(crate) enum Done {
    /// This is sent back.
    Reply(String),
    /// The socket may live as long as this token.
    Renewed(Verified),
    /// Nothing is to be done.
    Nothing,
}

/// Stands for a frame that is no text.
pub(crate) const NOT_TEXT: &str = "binary frames are not read here";

/// Counts a frame, and carries it out.
pub(crate) async fn handle(door: &Door, person: &Person, channel: Channel, text: &[u8]) -> Done {
    let bucket = requests::per_user(person.id);
    let limit = door.config.per_user;
    match requests::hit(&door.services, &door.counters, &bucket, limit).await {
        Ok(_within) => carry_out(door, person, channel, text).await,
        Err(problem) => Done::Reply(reply(door, person.id, None).refused(&problem)),
    }
}

/// Carries out a frame.
async fn carry_out(door: &Door, person: &Person, channel: Channel, text: &[u8]) -> Done {
    let (id, done) = match read(text) {
        Err(Unreadable { id, problem }) => (id, Err(*problem)),
        Ok(Incoming::Ping) => (None, Ok(Done::Nothing)),
        Ok(Incoming::Token(token)) => (None, renew(door, person, &token).await.map(Done::Renewed)),
        Ok(Incoming::Question { id, request }) => {
            let accepted = ask(door, person, channel, id.clone(), request).await;
            let done = accepted
                .map(|query| Done::Reply(reply(door, person.id, id.clone()).accepted(query)));
            (id, done)
        }
    };
    done.unwrap_or_else(|problem| Done::Reply(reply(door, person.id, id).refused(&problem)))
}

/// The start of an answer to a frame with this id.
pub(crate) fn reply(door: &Door, student: UserId, to: Option<String>) -> Reply {
    let clock = &door.services.clock;
    Reply { id: EventId::from_uuid(clock.new_id()), student, at: clock.now(), to }
}

async fn ask(
    door: &Door,
    person: &Person,
    channel: Channel,
    key: Option<String>,
    request: QueryRequest,
) -> Result<QueryId, Problem> {
    if channel != Channel::Chat {
        return Err(Problem::forbidden("this socket only delivers alerts; ask on /ws/chat"));
    }
    let services = &*door.services;
    let (id, now) = (services.clock.new_id(), services.clock.now());
    let at = requests::Door { services, function: NAME };
    Ok(QueryId::from_uuid(match requests::accept(at, person, key, id, now, request).await? {
        Acceptance::New(_conversation) => id,
        Acceptance::Repeated(first) => first,
    }))
}

async fn renew(door: &Door, person: &Person, token: &str) -> Result<Verified, Problem> {
    let verified = door.services.verifier.verify(token).await.map_err(refused)?;
    let other = verified.person;
    if other.id != person.id || !other.role.includes(person.role) {
        return Err(Problem::forbidden(
            "this is a token of somebody else; open a new socket with it",
        ));
    }
    Ok(verified)
}
