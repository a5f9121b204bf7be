//! Sockets that API Gateway holds, under AWS Lambda: the same function, with its sockets' state in the database.

pub(crate) mod courier;
pub(crate) mod due;
pub(crate) mod open;
pub(crate) mod post;

use std::sync::Arc;

use axum::{body::Bytes, http::StatusCode};
use events::{CloudEvent, Envelope, Event, connection_due::ConnectionDue};
use futures::future::{BoxFuture, join_all};
use ids::UserId;
use runtime::{
    ConnectionId, Connections, HandlerError, Live, OpenError, auth::Verified, web::Problem,
};
use storage::{
    DatabaseFault,
    connections::{self, Connection},
};

use self::{
    courier::{deliver, is_young, over_at, token_of},
    post::{ApiGateway, Outcome},
};
use crate::{
    door::Door,
    frames::Channel,
    hub::{Piece, piece},
    questions::{Done, NOT_TEXT, handle, reply},
};

/// Sockets that API Gateway holds.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) door: Arc<Door>,
    pub(crate) gateway: ApiGateway,
}

impl Held {
    async fn delivered(&self, connection: &str, piece: Option<&Piece>) -> Result<(), OpenError> {
        deliver(&self.door, &self.gateway, connection, piece).await
    }

    /// Carries out a frame, and sends what there is.
    async fn received(&self, id: &str, message: &[u8]) -> Result<(), OpenError> {
        let now = self.door.services.clock.now();
        let found = {
            let mut conn = self.door.services.store.connection().await?;
            connections::note_active(&mut conn, id, now).await?
        };
        let Some(connection) = found else {
            self.dismiss(id).await;
            return Ok(());
        };
        let token = token_of(&connection);
        let is_admitted = self.door.services.verifier.admit(&token).await.is_ok();
        // Whoever is not admitted is told why by what follows.
        if over_at(&connection) > now && is_admitted {
            self.answer(&connection, message).await?;
        }
        self.delivered(id, None).await
    }

    async fn answer(&self, connection: &Connection, message: &[u8]) -> sqlx::Result<()> {
        let Connection { id, channel, .. } = connection;
        let person = token_of(connection).person;
        match handle(&self.door, &person, Channel::named(channel), message).await {
            Done::Nothing => Ok(()),
            Done::Renewed(Verified { ends_at, session, .. }) => {
                let mut conn = self.door.services.store.connection().await?;
                connections::renew(&mut conn, id, ends_at, session).await
            }
            Done::Reply(answer) => {
                let is_young = is_young(connection, self.door.services.clock.now());
                if self.gateway.post(id, &answer, is_young).await == Outcome::Gone {
                    return self.ended(id).await;
                }
                Ok(())
            }
        }
    }

    /// Closes a connection that we do not know, any more or yet: its client comes back with a new one.
    async fn dismiss(&self, id: &str) {
        let detail = "this socket is unknown here; connect again with after=";
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "connect_again", detail);
        let nobody = UserId::from_uuid(uuid::Uuid::nil());
        let answer = reply(&self.door, nobody, None).refused(&problem);
        self.gateway.post(id, &answer, false).await;
        self.gateway.close(id).await;
    }

    async fn ended(&self, id: &str) -> sqlx::Result<()> {
        let mut conn = self.door.services.store.connection().await?;
        connections::delete(&mut conn, id).await
    }

    /// Sends what there is to whom an event is about.
    async fn heard(&self, event: CloudEvent) -> Result<(), OpenError> {
        if event.event_type == ConnectionDue::TYPE {
            let Ok(due) = Envelope::<ConnectionDue>::read(event) else { return Ok(()) };
            return self.delivered(&due.data.connection_id, None).await;
        }
        let subject = event.subject.as_deref().and_then(|subject| subject.parse().ok());
        let Some(user) = subject else { return Ok(()) };
        let found = {
            let mut conn = self.door.services.store.connection().await?;
            connections::of_user(&mut conn, user).await?
        };
        if found.is_empty() {
            return Ok(());
        }
        let is_live = Live::is_live(&event);
        let piece = if is_live {
            let opened = self.door.services.store.keys().open_event(event).await?;
            opened.and_then(|event| piece(event, user))
        } else {
            None
        };
        let mut sent = Vec::new();
        for (id, channel) in &found {
            if !is_live || Channel::named(channel) == Channel::Chat {
                sent.push(self.delivered(id, piece.as_ref()));
            }
        }
        // One that fails stops none of the others.
        join_all(sent).await.into_iter().collect()
    }
}

impl Connections for Held {
    fn receive(
        &self,
        ConnectionId(id): ConnectionId,
        message: Bytes,
        is_text: bool,
    ) -> BoxFuture<'_, Result<(), HandlerError>> {
        Box::pin(async move {
            let message = if is_text { &*message } else { NOT_TEXT.as_bytes() };
            self.received(&id, message).await.map_err(failed)
        })
    }

    fn end(&self, ConnectionId(id): ConnectionId) -> BoxFuture<'_, Result<(), HandlerError>> {
        Box::pin(async move { self.ended(&id).await.map_err(|error| failed(error.into())) })
    }

    fn hear(&self, event: CloudEvent) -> BoxFuture<'_, Result<(), HandlerError>> {
        Box::pin(async move { self.heard(event).await.map_err(failed) })
    }
}

fn failed(error: OpenError) -> HandlerError {
    let error = match error {
        OpenError::Database(error) => error,
        OpenError::Damaged(damaged) => return HandlerError::fail(damaged),
    };
    match DatabaseFault::of(&error) {
        DatabaseFault::Away | DatabaseFault::Passing => HandlerError::retry(error),
        DatabaseFault::Permanent => HandlerError::fail(error),
    }
}
