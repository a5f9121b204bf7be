//! Where a person wants to be told.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::notification::{Channel, Filter, MAX_SUBSCRIPTIONS, Route, secret};
use ids::{EventId, SubscriptionId};
use requests::{Creation, idempotency_key};
use runtime::{
    Outgoing, Transaction,
    web::{Caller, Json, Path, Person, Problem, Student},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use storage::{
    preferences,
    subscriptions::{self, NewSubscription, Subscription},
};
use utoipa::ToSchema;

use crate::{
    gateway::Gateway,
    limits,
    ownership::{missing, own},
    spec::NAME,
};

/// How long the old secret signs beside the new one: enough to change it where it is checked.
const OLD_SECRET_LIFE: TimeDelta = TimeDelta::days(1);

/// A new subscription.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubscribeRequest {
    /// How you want to be told.
    channel: Channel,
    /// The address of a webhook, or the ARN of an SNS topic. E-mails go to the address of your account.
    #[schema(example = "https://example.org/hook")]
    target: Option<String>,
    /// About what; about everything by default.
    #[serde(default)]
    filter: Filter,
}

/// A subscription of yours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubscriptionResponse {
    /// Its id.
    pub id: SubscriptionId,
    /// How you are told.
    pub channel: Channel,
    /// The address of a webhook, or the ARN of an SNS topic.
    pub target: Option<String>,
    /// About what.
    pub filter: Filter,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Failed attempts since the last success; the log of its deliveries says why.
    pub failures: u32,
    /// When its target is tried again, if it has failed.
    pub retry_at: Option<DateTime<Utc>>,
    /// Since when nothing is sent any more.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Why.
    pub disabled_reason: Option<String>,
}

/// A subscription that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubscriptionMade {
    /// The subscription.
    pub subscription: SubscriptionResponse,
    /// Signs what a webhook gets. It is shown only now; a repeated request does not show it again.
    pub secret: Option<String>,
}

/// A webhook's new secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewSecret {
    /// Signs what the webhook gets. It is shown only now.
    pub secret: String,
    /// Until then the old one signs, too.
    pub old_secret_until: DateTime<Utc>,
}

impl From<Subscription> for SubscriptionResponse {
    fn from(stored: Subscription) -> Self {
        let (disabled_at, disabled_reason) = stored.disabled.unzip();
        Self {
            id: stored.id,
            channel: stored.route.channel(),
            target: stored.route.target().map(str::to_owned),
            filter: stored.filter,
            created_at: stored.created_at,
            failures: stored.failures,
            retry_at: stored.retry_at,
            disabled_at,
            disabled_reason,
        }
    }
}

/// Where you are told, beside the front end.
#[utoipa::path(get, path = "/notifications/subscriptions", operation_id = "list_subscriptions", tag = "Notifications", security(("bearer" = [])),
    responses((status = 200, body = [SubscriptionResponse]), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<Json<Vec<SubscriptionResponse>>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let found = subscriptions::of_users(&mut conn, &[caller.id.as_uuid()]).await?;
    Ok(Json(found.into_iter().map(SubscriptionResponse::from).collect()))
}

/// Subscribes you to notifications. Without a subscription they are shown in the front end; with one for it, those that
/// pass its filter.
#[utoipa::path(post, path = "/notifications/subscriptions", operation_id = "subscribe", tag = "Notifications", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = SubscribeRequest,
    responses((status = 201, body = SubscriptionMade), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem),
              (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn subscribe(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    headers: HeaderMap,
    Json(request): Json<SubscribeRequest>,
) -> Result<Response, Problem> {
    limits::check(&gateway, &format!("user:{}", caller.id), gateway.config.per_user).await?;
    let key = idempotency_key(&headers)?;
    let route = checked_route(&gateway, &caller, &request)?;
    let services = &gateway.services;
    let (now, random) = (services.clock.now(), services.clock.new_secret());
    let secret = secret(request.channel, &random.map_err(|error| Problem::internal(&error))?);
    let secret = secret.map(SecretString::from);
    let mut tx = services.store.begin(NAME).await?;
    let preferences = preferences::find(tx.conn(), caller.id).await?;
    let new = NewSubscription {
        id: SubscriptionId::from_uuid(services.clock.new_id()),
        user_id: caller.id,
        route: &route,
        filter: &request.filter,
        secret: secret.as_ref(),
        digest_due_at: request.channel.is_daily().then(|| preferences.next_digest(now)),
    };
    let key = key.as_deref();
    let (operation, id) = ("subscription", new.id.as_uuid());
    let creation = Creation { operation, owner: caller.id, key, id, now };
    if let Some(first) = creation.earlier(tx.conn(), &request).await? {
        let first = found(tx.conn(), SubscriptionId::from_uuid(first)).await?;
        return Ok(created(first, None));
    }
    insert(tx.conn(), &new, now).await?;
    let made = found(tx.conn(), new.id).await?;
    tx.commit(EventId::from_uuid(id), Outgoing::none(), now).await?;
    let shown = secret.filter(|_| request.channel == Channel::Webhook);
    Ok(created(made, shown.as_ref().map(ExposeSecret::expose_secret)))
}

fn checked_route(
    gateway: &Gateway,
    caller: &Person,
    request: &SubscribeRequest,
) -> Result<Route, Problem> {
    if request.channel.is_mail() && caller.external {
        let detail = "another channel: your identity provider has not told us your address";
        return Err(Problem::field("channel", detail));
    }
    if request.channel.is_mail() && !gateway.config.sends_mail {
        return Err(Problem::field("channel", "another channel: this installation sends no mail"));
    }
    let route = Route::parse(request.channel, request.target.as_deref())
        .map_err(|error| Problem::field("target", error.to_string()))?;
    if let Route::Webhook(url) = &route {
        let checked = gateway.config.webhook_networks.check(url);
        checked.map_err(|refusal| Problem::field("target", refusal.to_string()))?;
    }
    let checked = request.filter.check();
    checked.map_err(|error| Problem::field("filter.classes", error.to_string()))?;
    Ok(route)
}

async fn insert(
    conn: &mut PgConnection,
    new: &NewSubscription<'_>,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    if subscriptions::count(conn, new.user_id).await? >= MAX_SUBSCRIPTIONS {
        let detail = format!("you have {MAX_SUBSCRIPTIONS} subscriptions; delete one first");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_subscriptions", detail));
    }
    Ok(subscriptions::insert(conn, new, now).await?)
}

async fn found(conn: &mut PgConnection, id: SubscriptionId) -> Result<Subscription, Problem> {
    subscriptions::find(conn, id).await?.ok_or_else(missing::<Subscription>)
}

fn created(subscription: Subscription, secret: Option<&str>) -> Response {
    let (subscription, secret) = (subscription.into(), secret.map(str::to_owned));
    (StatusCode::CREATED, Json(SubscriptionMade { subscription, secret })).into_response()
}

/// A subscription of the caller, and a transaction to change it.
pub(super) async fn own_subscription<'a>(
    gateway: &'a Gateway,
    caller: &Caller<Student>,
    id: &str,
) -> Result<(Transaction<'a>, Subscription), Problem> {
    let id: SubscriptionId = id.parse().map_err(|_not_an_id| missing::<Subscription>())?;
    let mut tx = gateway.services.store.begin(NAME).await?;
    let found = own(caller, subscriptions::find(tx.conn(), id).await?);
    Ok((tx, found.ok_or_else(missing::<Subscription>)?))
}

/// Ends a subscription of yours. What waits to be sent by it is not sent any more.
#[utoipa::path(delete, path = "/notifications/subscriptions/{id}", operation_id = "unsubscribe", tag = "Notifications", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The subscription")),
    responses((status = 204, description = "Deleted"), (status = 404, body = Problem)))]
pub(crate) async fn delete(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let (mut tx, subscription) = own_subscription(&gateway, &caller, &id).await?;
    let clock = &gateway.services.clock;
    subscriptions::delete(tx.conn(), subscription.id).await?;
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook of yours a new secret. For a day, what it gets is signed by both.
#[utoipa::path(post, path = "/notifications/subscriptions/{id}/secret", operation_id = "rotate_secret", tag = "Notifications", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The subscription")),
    responses((status = 200, body = NewSecret), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn rotate(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Json<NewSecret>, Problem> {
    let (mut tx, subscription) = own_subscription(&gateway, &caller, &id).await?;
    let clock = &gateway.services.clock;
    let channel = subscription.route.channel();
    if channel != Channel::Webhook {
        let detail = "only what a webhook gets is signed";
        return Err(Problem::new(StatusCode::CONFLICT, "no_secret", detail));
    }
    let random = clock.new_secret().map_err(|error| Problem::internal(&error))?;
    let secret = secret(channel, &random).unwrap_or_default();
    let now = clock.now();
    let old_secret_until = now + OLD_SECRET_LIFE;
    let stored = SecretString::from(secret.as_str());
    subscriptions::rotate_secret(tx.conn(), subscription.id, &stored, old_secret_until).await?;
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), now).await?;
    Ok(Json(NewSecret { secret, old_secret_until }))
}

/// Ends a subscription by the link in its e-mails (RFC 8058); no login is needed.
#[utoipa::path(post, path = "/notifications/unsubscribe/{id}/{secret}", operation_id = "unsubscribe_by_mail", tag = "Notifications",
    params(("id" = Uuid, Path, description = "The subscription"), ("secret" = String, Path, description = "As in the link")),
    responses((status = 204, description = "Ended"), (status = 404, body = Problem)))]
pub(crate) async fn unsubscribe_by_mail(
    State(gateway): State<Gateway>,
    Path((id, shown)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let unknown = || Problem::not_found("there is no such subscription");
    let id: SubscriptionId = id.parse().map_err(|_not_an_id| unknown())?;
    let clock = &gateway.services.clock;
    let mut tx = gateway.services.store.begin(NAME).await?;
    let stored = subscriptions::email_secret(tx.conn(), id).await?.ok_or_else(unknown)?;
    // Hashes are compared, so that the time reveals nothing of the secret.
    if Sha256::digest(shown) != Sha256::digest(stored.expose_secret()) {
        return Err(unknown());
    }
    let now = clock.now();
    subscriptions::disable(tx.conn(), id, "ended by the link in an e-mail", now).await?;
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}
