//! A person's messages: which are new, and where a client continues.

use chrono::{DateTime, TimeDelta, Utc};
use ids::UserId;
use runtime::{OpenError, web::Problem};
use storage::socket_messages::{self, Message};
use uuid::Uuid;

use crate::door::Door;

/// How far back a client can continue. Whoever was away longer has the history by HTTP.
const REPLAY: TimeDelta = TimeDelta::days(1);
/// Longer than a transaction can stay open after its event's time, with clocks that differ by a minute: what happened
/// before is committed, or never will be.
const SETTLED: TimeDelta = TimeDelta::minutes(2);
/// Messages that are read at once. Each has up to 900 KB.
const PAGE: i64 = 8;

/// Where a socket is in its person's messages.
#[derive(Debug)]
pub(crate) struct Place {
    user: UserId,
    /// The position of the last message that was sent.
    position: i64,
    /// When it was last looked for new ones.
    looked_at: DateTime<Utc>,
}

/// Where a client continues.
#[derive(Debug)]
pub(crate) enum Start {
    /// After the message that it named, or with what comes from now on.
    Found(Place),
    /// The message that it named is unknown, or too old: with the oldest that there is.
    Unknown(Place),
}

/// What a client is told that cannot continue where it wants to.
pub(crate) fn unknown_place() -> Problem {
    let detail = "the message is unknown or older than a day: messages of the last day follow, and older ones are in \
                  your history, such as GET /api/v1/conversations";
    Problem::field("after", detail)
}

impl Place {
    /// The place of a socket that was here before.
    pub(crate) const fn at(user: UserId, position: i64, looked_at: DateTime<Utc>) -> Self {
        Self { user, position, looked_at }
    }

    /// The position of the last message that was sent.
    pub(crate) const fn position(&self) -> i64 {
        self.position
    }

    /// When it was last looked for new ones.
    pub(crate) const fn looked_at(&self) -> DateTime<Utc> {
        self.looked_at
    }

    /// The place behind the message `after`, or behind all messages.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) async fn find(
        door: &Door,
        user: UserId,
        after: Option<Uuid>,
    ) -> sqlx::Result<Start> {
        let _turn = door.looks.acquire().await.map_err(|_closed| sqlx::Error::PoolClosed)?;
        let looked_at = door.services.clock.now();
        let mut conn = door.services.store.connection().await?;
        // All of the time that can be replayed, so that nothing older is found later and taken for new.
        socket_messages::find_new(&mut conn, user, looked_at - REPLAY, looked_at).await?;
        let place = |position| Self { user, position, looked_at };
        let Some(after) = after else {
            let last = socket_messages::last_position(&mut conn, user).await?;
            return Ok(Start::Found(place(last)));
        };
        let known = socket_messages::position_of(&mut conn, user, after).await?;
        Ok(known.map_or_else(|| Start::Unknown(place(0)), |at| Start::Found(place(at))))
    }

    /// Looks for new messages, unless it is known that there are some; returns the next ones.
    ///
    /// # Errors
    /// The database's own, or a message was changed.
    pub(crate) async fn next(
        &mut self,
        door: &Door,
        look: bool,
    ) -> Result<Vec<Message>, OpenError> {
        let _turn = door.looks.acquire().await.map_err(|_closed| sqlx::Error::PoolClosed)?;
        let found = {
            let mut conn = door.services.store.connection().await?;
            if look {
                let now = door.services.clock.now();
                let since = self.looked_at - SETTLED;
                socket_messages::find_new(&mut conn, self.user, since, now).await?;
                self.looked_at = now;
            }
            socket_messages::after(&mut conn, self.user, self.position, PAGE).await?
        };
        let mut opened = Vec::with_capacity(found.len());
        for mut message in found {
            let data = door.services.store.keys();
            let data = data.open(message.id, &message.event_type, message.data).await?;
            // About an account that was erased meanwhile: no frame, but its place is passed.
            message.data = data.unwrap_or_else(|| serde_json::Value::Null.into());
            opened.push(message);
        }
        Ok(opened)
    }

    /// A message was sent.
    pub(crate) const fn pass(&mut self, position: i64) {
        self.position = position;
    }
}
