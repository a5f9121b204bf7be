//! Sending a person's messages on a connection: in their order, by one at a time, from the connection's place on.
//!
//! What was sent and not noted, because we died in between, is sent again: a client drops what it has by its
//! `message_id`.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use runtime::{
    OpenError,
    auth::{TokenError, Verified},
    web::{Person, Problem, sockets::count_end},
};
use storage::{
    connections::{self, Claimed, Connection},
    socket_messages::{self, Message},
};
use uuid::Uuid;

use super::{
    open::IDLE,
    post::{ApiGateway, Outcome},
};
use crate::{
    door::Door,
    frames::{Channel, Recipient, stored_frame},
    hub::Piece,
    messages::{Place, unknown_place},
    questions::reply,
};

/// How long a claim lasts from its last step. A step is a look for messages (8 s) and a message (6 s), or less.
const CLAIM: TimeDelta = TimeDelta::seconds(30);
/// The longest for one delivery, so that an invocation ends in time; the rest is sent by the next one.
const DELIVERY_LIMIT: Duration = Duration::from_secs(12);
/// When a connection is due that is not finished with.
const LATER: TimeDelta = TimeDelta::seconds(10);
/// How long API Gateway may not know a connection yet: it waits for our answer for 29 s.
const YOUNG: TimeDelta = TimeDelta::seconds(30);

/// Sends what there is on a connection, unless somebody else is doing so, who then sends this, too.
///
/// # Errors
/// The database's own.
pub(crate) async fn deliver(
    door: &Door,
    gateway: &ApiGateway,
    connection: &str,
    piece: Option<&Piece>,
) -> Result<(), OpenError> {
    let claim = door.services.clock.new_id();
    let claimed = {
        let now = door.services.clock.now();
        let mut conn = door.services.store.connection().await?;
        connections::claim(&mut conn, connection, claim, now, now + CLAIM).await?
    };
    let Some(Claimed { connection: at, is_own: true, wakes }) = claimed else { return Ok(()) };
    let recipient = Recipient { id: at.user, role: at.role, channel: Channel::named(&at.channel) };
    let courier = Courier { door, gateway, claim, at, wakes, recipient, began: Instant::now() };
    courier.run(piece).await
}

/// Whether API Gateway may not know the connection yet.
pub(crate) fn is_young(connection: &Connection, now: DateTime<Utc>) -> bool {
    connection.opened_at + YOUNG > now
}

/// When a connection is over.
pub(crate) fn over_at(connection: &Connection) -> DateTime<Utc> {
    connection.ends_at.min(connection.closes_at)
}

/// What the token said that a connection lives with.
pub(crate) fn token_of(connection: &Connection) -> Verified {
    let Connection { user, role, external, ends_at, session, .. } = *connection;
    Verified { person: Person { id: user, role, external }, ends_at, session }
}

/// What comes after a part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Go on.
    On,
    /// Leave the rest to a later delivery.
    Later,
    /// The connection is gone: forget it.
    Forget,
    /// Somebody else has the claim.
    Leave,
}

/// Why a connection ends: the code that it counts under, and what its client is told.
struct End {
    code: u16,
    name: &'static str,
    detail: &'static str,
}

/// Who has the claim on a connection.
struct Courier<'a> {
    door: &'a Door,
    gateway: &'a ApiGateway,
    claim: Uuid,
    at: Connection,
    /// The occasions to look for messages before the last look.
    wakes: i64,
    recipient: Recipient,
    began: Instant,
}

impl Courier<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.door.services.clock.now()
    }

    async fn run(mut self, mut piece: Option<&Piece>) -> Result<(), OpenError> {
        loop {
            match self.send_all(piece.take()).await? {
                Next::On if self.release(Some(self.wakes), self.next_look()).await? => break,
                Next::On => match self.advance().await? {
                    // There was another occasion meanwhile, so it looks again.
                    Some(wakes) => self.wakes = wakes,
                    None => break,
                },
                Next::Leave => break,
                Next::Later => {
                    self.release(None, self.now() + LATER).await?;
                    break;
                }
                Next::Forget => {
                    let mut conn = self.door.services.store.connection().await?;
                    connections::delete(&mut conn, &self.at.id).await?;
                    break;
                }
            }
        }
        Ok(())
    }

    fn next_look(&self) -> DateTime<Utc> {
        over_at(&self.at).min(self.at.active_at + IDLE)
    }

    /// Stores how far it has come; returns the occasions to look for messages so far, or `None` if the claim is lost.
    async fn advance(&self) -> sqlx::Result<Option<i64>> {
        let until = self.now() + CLAIM;
        let mut conn = self.door.services.store.connection().await?;
        connections::advance(&mut conn, &self.at, self.claim, until).await
    }

    async fn release(&self, wakes: Option<i64>, due_at: DateTime<Utc>) -> sqlx::Result<bool> {
        let mut conn = self.door.services.store.connection().await?;
        connections::release(&mut conn, &self.at, self.claim, wakes, due_at).await
    }

    async fn send_all(&mut self, piece: Option<&Piece>) -> Result<Next, OpenError> {
        let now = self.now();
        if let Some(end) = self.end(now).await? {
            return Ok(self.close(end, now).await);
        }
        if self.at.active_at + IDLE <= now {
            match self.look().await {
                Next::On => {}
                other => return Ok(other),
            }
        }
        if self.at.is_place_unknown {
            let answer = reply(self.door, self.recipient.id, None).refused(&unknown_place());
            match self.post(&answer).await {
                Next::On => self.at.is_place_unknown = false,
                other => return Ok(other),
            }
            if self.advance().await?.is_none() {
                return Ok(Next::Leave);
            }
        }
        match self.send_messages().await? {
            Next::On => {}
            other => return Ok(other),
        }
        self.send_piece(piece).await
    }

    async fn send_messages(&mut self) -> Result<Next, OpenError> {
        let Connection { user, position, looked_at, .. } = self.at;
        let mut place = Place::at(user, position, looked_at);
        let mut look = true;
        loop {
            let found = place.next(self.door, look).await?;
            self.at.looked_at = place.looked_at();
            look = false;
            if found.is_empty() {
                return Ok(Next::On);
            }
            for message in found {
                let is_sent = match self.send_message(&message).await {
                    Ok(is_sent) => is_sent,
                    Err(other) => return Ok(other),
                };
                place.pass(message.position);
                self.at.position = message.position;
                if is_sent && self.advance().await?.is_none() {
                    return Ok(Next::Leave);
                }
                if self.began.elapsed() > DELIVERY_LIMIT {
                    return Ok(Next::Later);
                }
            }
        }
    }

    /// Sends a message; `Ok(false)` if it is nothing for this client.
    async fn send_message(&mut self, message: &Message) -> Result<bool, Next> {
        let Some(mut frame) = stored_frame(message, self.recipient) else { return Ok(false) };
        let is_young = is_young(&self.at, self.now());
        let mut outcome = self.gateway.post(&self.at.id, &frame.text, is_young).await;
        if outcome == Outcome::TooLarge {
            frame.shorten();
            outcome = self.gateway.post(&self.at.id, &frame.text, is_young).await;
        }
        match outcome {
            Outcome::Done => {
                self.at.active_at = self.now();
                Ok(true)
            }
            Outcome::TooLarge => {
                tracing::error!(message = %message.id, "API Gateway finds a message too large; it is left out");
                Ok(true)
            }
            Outcome::Gone => Err(Next::Forget),
            Outcome::Later => Err(Next::Later),
        }
    }

    /// Sends a piece of an answer, unless the answer was sent. A piece may be missing.
    async fn send_piece(&mut self, piece: Option<&Piece>) -> Result<Next, OpenError> {
        let Some(piece) = piece else { return Ok(Next::On) };
        let is_answered = {
            let mut conn = self.door.services.store.connection().await?;
            socket_messages::is_answered(&mut conn, piece.query).await?
        };
        if is_answered {
            return Ok(Next::On);
        }
        Ok(match self.post(&piece.frame).await {
            Next::Forget => Next::Forget,
            _ => Next::On,
        })
    }

    async fn post(&mut self, text: &str) -> Next {
        let is_young = is_young(&self.at, self.now());
        match self.gateway.post(&self.at.id, text, is_young).await {
            Outcome::Done => {
                self.at.active_at = self.now();
                Next::On
            }
            Outcome::TooLarge => Next::On,
            Outcome::Gone => Next::Forget,
            Outcome::Later => Next::Later,
        }
    }

    /// Whether a connection is still there that was silent for longer than API Gateway lets it be.
    async fn look(&mut self) -> Next {
        match self.gateway.look(&self.at.id).await {
            Outcome::Gone => Next::Forget,
            Outcome::Later => Next::Later,
            Outcome::Done | Outcome::TooLarge => {
                self.at.active_at = self.now();
                Next::On
            }
        }
    }

    /// Why it ends, if it does.
    async fn end(&self, now: DateTime<Utc>) -> sqlx::Result<Option<End>> {
        let end = |code, name, detail| Some(End { code, name, detail });
        if self.at.ends_at <= now {
            let detail = "the token has expired; connect with a new one";
            return Ok(end(4401, "token_expired", detail));
        }
        if self.at.closes_at <= now {
            let detail = "this socket is as old as sockets get; connect again with after=";
            return Ok(end(4000, "connect_again", detail));
        }
        Ok(match self.door.services.verifier.admit(&token_of(&self.at)).await {
            Err(TokenError::AccountsAway(error)) => return Err(error),
            Err(TokenError::Erased) => end(4401, "account_erased", "the account was erased"),
            Err(TokenError::Disabled) => end(4401, "account_disabled", "the account is disabled"),
            Err(TokenError::SessionEnded) => {
                end(4401, "session_ended", "the session has ended; log in again")
            }
            // Only a token itself can be refused for anything else.
            Ok(()) | Err(_) => None,
        })
    }

    /// Says why it ends, which API Gateway cannot, and ends it.
    async fn close(&self, end: End, now: DateTime<Utc>) -> Next {
        let End { code, name, detail } = end;
        let problem = Problem::new(StatusCode::UNAUTHORIZED, name, detail);
        let answer = reply(self.door, self.recipient.id, None).refused(&problem);
        let id = &self.at.id;
        if self.gateway.post(id, &answer, is_young(&self.at, now)).await == Outcome::Gone {
            return Next::Forget;
        }
        count_end(code);
        match self.gateway.close(id).await {
            Outcome::Done | Outcome::Gone => Next::Forget,
            Outcome::Later | Outcome::TooLarge => Next::Later,
        }
    }
}
