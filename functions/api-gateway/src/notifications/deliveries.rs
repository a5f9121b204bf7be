//! What was sent to the outside, and how that went.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::notification::DELIVERY_LEASE;
use events::{delivery_due::DeliveryDue, struggle_detected::AlertChange};
use ids::{DeliveryId, EventId, NotificationId};
use requests::failed;
use runtime::{
    Outgoing,
    web::{Caller, Json, Path, Problem, Student},
};
use serde::{Deserialize, Serialize};
use storage::deliveries::{self, Logged};
use utoipa::ToSchema;

use super::subscriptions::own_subscription;
use crate::{
    gateway::Gateway,
    limits,
    pages::{self, Moment, PageOf},
    stored,
};

/// Deliveries on a page.
const PAGE: i64 = 50;

/// The state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It will be sent, or sent again.
    Waiting,
    /// The target has it.
    Delivered,
    /// It was given up.
    Failed,
}

/// A notification that is sent by a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoggedDelivery {
    /// Its id: a webhook gets it as `webhook-id`, after `msg_` and without hyphens.
    pub id: DeliveryId,
    /// The notification.
    pub notification_id: NotificationId,
    /// What had happened to the alert.
    pub change: Option<AlertChange>,
    /// The notification's title at that time.
    pub title: String,
    /// Its state.
    pub status: DeliveryStatus,
    /// Attempts so far.
    pub attempts: u16,
    /// What the target answered last.
    pub response_status: Option<i16>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last tried.
    pub attempted_at: Option<DateTime<Utc>>,
    /// When it is tried again at the latest.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// A page of deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryPage {
    /// At most 50, the latest first.
    pub items: Vec<LoggedDelivery>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

impl TryFrom<Logged> for LoggedDelivery {
    type Error = Problem;

    fn try_from(logged: Logged) -> Result<Self, Problem> {
        Ok(Self {
            id: logged.id,
            notification_id: logged.notification_id,
            change: logged.change,
            title: logged.title,
            status: stored::name(logged.status)?,
            attempts: logged.attempts,
            response_status: logged.response_status,
            error: logged.error,
            created_at: logged.created_at,
            attempted_at: logged.attempted_at,
            next_attempt_at: logged.next_attempt_at,
        })
    }
}

/// What was sent by a subscription of yours in the last 90 days, and what waits to be sent.
#[utoipa::path(get, path = "/notifications/subscriptions/{id}/deliveries", operation_id = "list_deliveries", tag = "Notifications", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The subscription"), PageOf),
    responses((status = 200, body = DeliveryPage), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
    page: Result<Query<PageOf>, QueryRejection>,
) -> Result<Json<DeliveryPage>, Problem> {
    let before = Moment::before(pages::read(page)?.cursor.as_deref())?;
    let (mut tx, subscription) = own_subscription(&gateway, &caller, &id).await?;
    let found = deliveries::list(tx.conn(), subscription.id, (before.at, before.id), PAGE).await?;
    let place = |last: &Logged| Moment { at: last.created_at, id: last.id.as_uuid() };
    let next_cursor = pages::next_cursor(&found, PAGE, |last| place(last).cursor());
    let items: Result<_, Problem> = found.into_iter().map(LoggedDelivery::try_from).collect();
    Ok(Json(DeliveryPage { items: items?, next_cursor }))
}

/// Sends something by a subscription of yours again, now, whatever has become of it.
#[utoipa::path(post, path = "/notifications/subscriptions/{id}/deliveries/{delivery_id}/retry", operation_id = "retry_delivery",
    tag = "Notifications", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The subscription"), ("delivery_id" = Uuid, Path, description = "The delivery")),
    responses((status = 202, description = "It is being sent", body = LoggedDelivery), (status = 404, body = Problem), (status = 409, body = Problem),
              (status = 429, body = Problem)))]
pub(crate) async fn retry(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<Response, Problem> {
    limits::check(&gateway, &format!("user:{}", caller.id), gateway.config.per_user).await?;
    let unknown = || Problem::not_found("the subscription has no such delivery");
    let (mut tx, subscription) = own_subscription(&gateway, &caller, &id).await?;
    let delivery_id: DeliveryId = delivery.parse().map_err(|_not_an_id| unknown())?;
    if let Some((_, reason)) = subscription.disabled {
        let detail = format!("the subscription has ended ({reason}); make a new one");
        return Err(Problem::new(StatusCode::CONFLICT, "subscription_disabled", detail));
    }
    let clock = &gateway.services.clock;
    let now = clock.now();
    let lost_at = now + DELIVERY_LEASE;
    let reopened = deliveries::reopen(tx.conn(), subscription.id, delivery_id, lost_at).await?;
    let reopened = reopened.ok_or_else(unknown)?;
    let due = DeliveryDue {
        delivery_id,
        subscription_id: subscription.id,
        attempts: reopened.attempts,
        by_hand: true,
        request_id: delivery_id.as_uuid(),
    };
    let outgoing = Outgoing::none().with(&due).map_err(failed)?;
    tx.commit(EventId::from_uuid(clock.new_id()), outgoing, now).await?;
    Ok((StatusCode::ACCEPTED, Json(LoggedDelivery::try_from(reopened)?)).into_response())
}
