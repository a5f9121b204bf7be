//! When a person wants to be told.

use axum::extract::State;
use domain::local_time::Preferences;
use ids::EventId;
use runtime::{
    Outgoing,
    web::{Caller, Json, Problem, Student},
};
use storage::{preferences, subscriptions};

use crate::{gateway::Gateway, spec::NAME};

/// Your time zone, your quiet hours, and when your day is summed up.
#[utoipa::path(get, path = "/notifications/settings", operation_id = "get_notification_settings", tag = "Notifications", security(("bearer" = [])),
    responses((status = 200, body = Preferences), (status = 401, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<Json<Preferences>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    Ok(Json(preferences::find(&mut conn, caller.id).await?))
}

/// Changes your time zone, your quiet hours, and when your day is summed up. What comes in quiet hours is sent
/// afterwards; the front end shows it at once.
#[utoipa::path(put, path = "/notifications/settings", operation_id = "put_notification_settings", tag = "Notifications", security(("bearer" = [])),
    request_body = Preferences,
    responses((status = 200, body = Preferences), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn put(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Json(wanted): Json<Preferences>,
) -> Result<Json<Preferences>, Problem> {
    let services = &gateway.services;
    let now = services.clock.now();
    let mut tx = services.store.begin(NAME).await?;
    preferences::store(tx.conn(), caller.id, &wanted).await?;
    subscriptions::move_digests(tx.conn(), caller.id, wanted.next_digest(now)).await?;
    tx.commit(EventId::from_uuid(services.clock.new_id()), Outgoing::none(), now).await?;
    Ok(Json(wanted))
}
