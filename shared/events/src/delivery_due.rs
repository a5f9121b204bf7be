//! A notification is to be sent to the outside.

use ids::{DeliveryId, SubscriptionId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{Event, Topic};

/// Emitted by notification for itself, and by the gateway when a person asks for another attempt. Since 0.6.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryDue {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The subscription that it is for.
    pub subscription_id: SubscriptionId,
    /// The attempts before this one. An event whose attempt has been made is skipped.
    pub attempts: u16,
    /// Whether a person asks for it now, however often it has failed.
    #[serde(default)]
    pub by_hand: bool,
    /// The request that caused it.
    pub request_id: Uuid,
}

impl Event for DeliveryDue {
    const TYPE: &'static str = "delivery.due.v1";
    const TOPIC: Topic = Topic::NotificationsDeliveries;
    const SEALED: bool = false;

    /// The subscription stands for a student here: as the partition key it keeps the order of what is sent to one
    /// target, and a target that does not answer delays nothing but its own.
    fn student_id(&self) -> UserId {
        UserId::from_uuid(self.subscription_id.as_uuid())
    }

    fn correlation_id(&self) -> Uuid {
        self.request_id
    }
}
