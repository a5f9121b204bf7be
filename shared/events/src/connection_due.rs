//! A connection may have something to be sent.

use ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic};

/// Emitted by websocket for itself: API Gateway has opened a connection, or one has waited for something. Since 0.7.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionDue {
    /// The connection's name at API Gateway.
    pub connection_id: String,
    /// Whose it is.
    pub user_id: UserId,
    /// The request that caused it.
    pub request_id: Uuid,
}

impl Event for ConnectionDue {
    const TYPE: &'static str = "connection.due.v1";
    const TOPIC: Topic = Topic::SocketsConnections;
    /// It names a connection, and nothing that was said.
    const SEALED: bool = false;

    fn student_id(&self) -> UserId {
        self.user_id
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id
    }
}
