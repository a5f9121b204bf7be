//! An account has been erased.

use ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic};

/// Emitted by the gateway, heard by everyone who follows answers. Since 0.6.
///
/// The account's key is forgotten where it is still in memory, and its sockets end. Whoever misses it learns of it a
/// little later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountErased {
    /// Whose account it was.
    pub user_id: UserId,
    /// The request that erased it.
    pub request_id: Uuid,
}

impl Event for AccountErased {
    const TYPE: &'static str = "account.erased.v1";
    const TOPIC: Topic = Topic::LearningResponses;
    const SEALED: bool = false;

    fn student_id(&self) -> UserId {
        self.user_id
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id
    }
}
