//! What a person is told in the front end.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use events::notification_made::Notification;
use ids::{EventId, NotificationId};
use runtime::{
    Outgoing,
    web::{Caller, Json, Path, Problem, Student},
};
use serde::{Deserialize, Serialize};
use storage::notifications::{self, Listed, OwnedNotification};
use utoipa::{IntoParams, ToSchema};

use crate::{
    gateway::Gateway,
    ownership::{missing, own},
    pages::{self, Moment},
    spec::NAME,
};

/// Notifications on a page.
const PAGE: i64 = 50;

/// Which notifications.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct InboxFilter {
    /// Only those that you have not read.
    #[serde(default)]
    unread: bool,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A notification of yours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedNotification {
    /// What it says.
    pub notification: Notification,
    /// The name of the student that it is about.
    pub student_name: Option<String>,
    /// When it was made or changed.
    pub updated_at: DateTime<Utc>,
    /// When you read it; none if you have not since it was changed.
    pub read_at: Option<DateTime<Utc>>,
}

/// A page of notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotificationPage {
    /// At most 50, the latest change first.
    pub items: Vec<ListedNotification>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

impl From<Listed> for ListedNotification {
    fn from(listed: Listed) -> Self {
        let Listed { notification, student_name, updated_at, read_at } = listed;
        Self { notification, student_name, updated_at, read_at }
    }
}

/// Your notifications, the latest change first.
#[utoipa::path(get, path = "/notifications", operation_id = "list_notifications", tag = "Notifications", security(("bearer" = [])),
    params(InboxFilter),
    responses((status = 200, body = NotificationPage), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    filter: Result<Query<InboxFilter>, QueryRejection>,
) -> Result<Json<NotificationPage>, Problem> {
    let filter = pages::read(filter)?;
    let before = Moment::before(filter.cursor.as_deref())?;
    let mut conn = gateway.services.store.connection().await?;
    let page =
        notifications::Page { unread: filter.unread, before: (before.at, before.id), limit: PAGE };
    let found = notifications::list(&mut conn, caller.id, page).await?;
    let place = |last: &Listed| Moment { at: last.updated_at, id: last.notification.id.as_uuid() };
    let next_cursor = pages::next_cursor(&found, PAGE, |last| place(last).cursor());
    let items = found.into_iter().map(ListedNotification::from).collect();
    Ok(Json(NotificationPage { items, next_cursor }))
}

/// Marks a notification of yours as read.
#[utoipa::path(post, path = "/notifications/{id}/read", operation_id = "read_notification", tag = "Notifications", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The notification")),
    responses((status = 204, description = "Marked"), (status = 404, body = Problem)))]
pub(crate) async fn read(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id: NotificationId = id.parse().map_err(|_not_an_id| missing::<OwnedNotification>())?;
    let services = &gateway.services;
    let now = services.clock.now();
    let mut tx = services.store.begin(NAME).await?;
    let found = notifications::find(tx.conn(), id).await?;
    own(&caller, found).ok_or_else(missing::<OwnedNotification>)?;
    notifications::mark_read(tx.conn(), id, now).await?;
    tx.commit(EventId::from_uuid(services.clock.new_id()), Outgoing::none(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Marks all your notifications as read.
#[utoipa::path(post, path = "/notifications/read", operation_id = "read_notifications", tag = "Notifications", security(("bearer" = [])),
    responses((status = 204, description = "Marked"), (status = 401, body = Problem)))]
pub(crate) async fn read_all(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<StatusCode, Problem> {
    let services = &gateway.services;
    let now = services.clock.now();
    let mut tx = services.store.begin(NAME).await?;
    notifications::mark_all_read(tx.conn(), caller.id, now).await?;
    tx.commit(EventId::from_uuid(services.clock.new_id()), Outgoing::none(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}
