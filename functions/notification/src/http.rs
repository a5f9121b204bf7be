//! `POST /notifications/subscribe` and `POST /notifications/publish`, for other services.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use domain::{
    notification::{Channel, Filter, MAX_SUBSCRIPTIONS, Route, secret},
    struggle::Severity,
    text::{NotificationText, NotificationTitle},
};
use ids::{ClassId, EventId, SubscriptionId, UserId};
use runtime::{
    Endpoint, HandlerError, Outgoing, Services,
    outbound::AllowedNetworks,
    web::{Json, Problem},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use storage::{
    preferences,
    subscriptions::{self, NewSubscription},
    users,
};
use uuid::Uuid;

use crate::{
    decide::News,
    spec::NAME,
    tell::{self, Audience},
};

#[derive(Debug, Clone)]
struct Door {
    services: Arc<Services>,
    networks: AllowedNetworks,
    sends_mail: bool,
}

pub(crate) fn routes(
    services: &Arc<Services>,
    networks: AllowedNetworks,
    sends_mail: bool,
) -> [Endpoint; 2] {
    let door = Door { services: Arc::clone(services), networks, sends_mail };
    [
        ("/notifications/subscribe", post(subscribe).with_state(door.clone())),
        ("/notifications/publish", post(publish).with_state(door)),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscribeRequest {
    user_id: UserId,
    channel: Channel,
    target: Option<String>,
    #[serde(default)]
    filter: Filter,
}

#[derive(Debug, Serialize)]
struct Subscribed {
    id: SubscriptionId,
    /// A webhook's; shown only here.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

async fn subscribe(
    State(door): State<Door>,
    Json(request): Json<SubscribeRequest>,
) -> Result<Response, Problem> {
    let SubscribeRequest { user_id, channel, target, filter } = request;
    if channel.is_mail() && !door.sends_mail {
        return Err(Problem::field("channel", "another channel: this installation sends no mail"));
    }
    let wrong_target = |reason: String| Problem::field("target", reason);
    let route = Route::parse(channel, target.as_deref());
    let route = route.map_err(|error| wrong_target(error.to_string()))?;
    if let Route::Webhook(url) = &route {
        door.networks.check(url).map_err(|refusal| wrong_target(refusal.to_string()))?;
    }
    filter.check().map_err(|error| Problem::field("filter.classes", error.to_string()))?;
    let clock = &door.services.clock;
    let (id, now) = (SubscriptionId::from_uuid(clock.new_id()), clock.now());
    let random = clock.new_secret().map_err(|error| Problem::internal(&error))?;
    let text = secret(channel, &random);
    let stored_secret = text.as_deref().map(SecretString::from);
    let mut tx = door.services.store.begin(NAME).await?;
    if users::find(tx.conn(), user_id).await?.is_none() {
        return Err(Problem::field("user_id", "there is no such account"));
    }
    if subscriptions::count(tx.conn(), user_id).await? >= MAX_SUBSCRIPTIONS {
        let detail = format!("a person has at most {MAX_SUBSCRIPTIONS} subscriptions");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_subscriptions", detail));
    }
    let preferences = preferences::find(tx.conn(), user_id).await?;
    let new = NewSubscription {
        id,
        user_id,
        route: &route,
        filter: &filter,
        secret: stored_secret.as_ref(),
        digest_due_at: channel.is_daily().then(|| preferences.next_digest(now)),
    };
    subscriptions::insert(tx.conn(), &new, now).await?;
    tx.commit(EventId::from_uuid(id.as_uuid()), Outgoing::none(), now).await?;
    let secret = text.filter(|_| channel == Channel::Webhook);
    Ok((StatusCode::CREATED, Json(Subscribed { id, secret })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishRequest {
    user_id: Option<UserId>,
    class_id: Option<ClassId>,
    alert: AlertText,
}

/// What people are told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertText {
    title: NotificationTitle,
    text: NotificationText,
    #[serde(default = "least")]
    severity: Severity,
    student_id: Option<UserId>,
}

const fn least() -> Severity {
    Severity::Low
}

#[derive(Debug, Serialize)]
struct Published {
    id: Uuid,
}

async fn publish(
    State(door): State<Door>,
    Json(request): Json<PublishRequest>,
) -> Result<Response, Problem> {
    let PublishRequest { user_id, class_id, alert } = request;
    let audience = match (user_id, class_id) {
        (Some(user), class) => Audience::Person(user, class),
        (None, Some(class)) => Audience::Teachers(class),
        (None, None) => return Err(Problem::field("user_id", "name a person or a class")),
    };
    let news = News {
        alert_id: None,
        student_id: alert.student_id,
        change: None,
        title: alert.title.into(),
        text: alert.text.into(),
        severity: alert.severity,
    };
    let clock = &door.services.clock;
    let (id, now) = (clock.new_id(), clock.now());
    let mut tx = door.services.store.begin(NAME).await?;
    if let Audience::Person(user, _) = audience
        && users::find(tx.conn(), user).await?.is_none()
    {
        return Err(Problem::field("user_id", "there is no such account"));
    }
    let published = tell::publish(tx.conn(), id, audience, &news, now).await.map_err(failed)?;
    let outgoing = published.ok_or_else(|| {
        Problem::field("class_id", "there is no such class, or nobody teaches it")
    })?;
    tx.commit(EventId::from_uuid(id), outgoing, now).await?;
    Ok((StatusCode::ACCEPTED, Json(Published { id })).into_response())
}

fn failed(error: HandlerError) -> Problem {
    let (HandlerError::Retry(cause) | HandlerError::Fail(cause)) = error;
    match cause.downcast::<sqlx::Error>() {
        Ok(error) => error.into(),
        Err(cause) => Problem::internal(cause.as_ref()),
    }
}
