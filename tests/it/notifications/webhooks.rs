//! Webhooks: signed, tried again, and never called where they must not be.

use std::time::Duration;

use api_gateway::responses::{DeliveryStatus, LoggedDelivery, NewSecret, SubscriptionResponse};
use reqwest::StatusCode;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use testing::{HttpTarget, TargetAnswer, TargetRequest, eventually};
use tests::World;

use super::{act, alert, class, handled, header, log, logged, received, webhook, world};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_signed_by_the_standard_also_while_its_secret_changes() {
    let target = HttpTarget::playing([], TargetAnswer::Status(200)).await;
    let world = world(&[]).await;
    let here = class(&world, "a").await;
    let made = webhook(&world, &here.teacher, target.url("/hook")).await;
    let old = made.secret.clone().expect("a secret");
    let listed = world.get("/notifications/subscriptions", Some(&here.teacher.token)).await;
    assert!(!listed.body.to_string().contains("whsec_"), "shown once");
    let verifies = |request: &TargetRequest, secret: &str| {
        let webhook = Webhook::new(secret).expect("a secret of the standard's form");
        webhook.verify(request.body.as_bytes(), &request.headers).is_ok()
    };
    let tell = async || alert(&world, &here, world.clock().new_id(), "opened", "medium").await;
    let event = tell().await;
    let first = received(&target, 1).await.remove(0);
    assert!(verifies(&first, &old) && !verifies(&first, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    assert_eq!(first.path, "/hook");
    let body: Value = serde_json::from_str(&first.body).expect("JSON");
    assert_eq!(body["type"], "alert.opened");
    assert_eq!(body["data"]["student"]["name"], "a-student");
    assert_eq!(body["data"]["text"], "Five failed runs in a row.");
    let delivery = logged(&world, &here.teacher, &made, "it is logged", |one| {
        one.status == DeliveryStatus::Delivered
    })
    .await;
    assert_eq!((delivery.attempts, delivery.response_status), (1, Some(200)));
    let id = format!("msg_{}", delivery.id.as_uuid().simple());
    assert_eq!(header(&first.headers, "webhook-id"), id);
    // Whatever is delivered twice is sent once.
    world.redeliver(&event.to_string(), "notifications.deliveries").await;
    let path = format!("/notifications/subscriptions/{}/secret", made.subscription.id);
    let new = act(&world, &here.teacher, &path).await.ok::<NewSecret>().secret;
    tell().await;
    let second = received(&target, 2).await.remove(1);
    assert!(verifies(&second, &old) && verifies(&second, &new), "both sign for a day");
    assert_ne!(header(&second.headers, "webhook-id"), id);
    world.advance(24 * 60 * 60);
    tell().await;
    let third = received(&target, 3).await.remove(2);
    let signatures = header(&third.headers, "webhook-signature").split(' ').count();
    assert_eq!(signatures, 1, "the old secret has ended");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_fails_is_tried_again_as_it_asks_and_a_redirect_is_not_followed() {
    let secret_place = HttpTarget::playing([], TargetAnswer::Status(200)).await;
    let script = [
        TargetAnswer::With(302, "location", secret_place.url("/")),
        TargetAnswer::With(503, "retry-after", "3600".to_owned()),
    ];
    let target = HttpTarget::playing(script, TargetAnswer::Status(204)).await;
    let world = world(&[]).await;
    let here = class(&world, "a").await;
    let made = webhook(&world, &here.teacher, target.url("/")).await;
    let failed = async |attempts| {
        let is = |one: &LoggedDelivery| one.attempts == attempts;
        logged(&world, &here.teacher, &made, "an attempt is logged", is).await
    };
    alert(&world, &here, world.clock().new_id(), "opened", "low").await;
    let first = failed(1).await;
    assert_eq!((first.status, first.response_status), (DeliveryStatus::Waiting, Some(302)));
    world.advance(6);
    let second = failed(2).await;
    assert_eq!(second.error.as_deref(), Some("it answered 503 Service Unavailable"));
    let wait = second.next_attempt_at.expect("another attempt") - world.now();
    assert!(wait.num_seconds() >= 3_600, "{wait}");
    let path = "/notifications/subscriptions";
    let listed = world.get(path, Some(&here.teacher.token)).await.ok::<Vec<SubscriptionResponse>>();
    assert_eq!(listed[0].failures, 2);
    // A person does not wait.
    let path = format!("{path}/{}/deliveries/{}/retry", made.subscription.id, second.id);
    assert_eq!(act(&world, &here.teacher, &path).await.status, StatusCode::ACCEPTED);
    let third = failed(3).await;
    assert_eq!((third.status, third.error), (DeliveryStatus::Delivered, None));
    let ids: Vec<_> =
        target.requests().iter().map(|one| header(&one.headers, "webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]), "a target can drop what it has");
    assert!(secret_place.requests().is_empty(), "a redirect is not followed");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_target_delays_nobody_else_and_one_that_is_gone_gets_no_more() {
    let silent = HttpTarget::playing([], TargetAnswer::Hangs).await;
    let gone = HttpTarget::playing([], TargetAnswer::Status(410)).await;
    let fine = HttpTarget::playing([], TargetAnswer::Status(200)).await;
    let world = world(&[]).await;
    let here = class(&world, "a").await;
    let to_silent = webhook(&world, &here.teacher, silent.url("/")).await;
    let to_gone = webhook(&world, &here.teacher, gone.url("/")).await;
    webhook(&world, &here.teacher, fine.url("/")).await;
    for _ in 0..5 {
        let alert_id = world.clock().new_id();
        let event = alert(&world, &here, alert_id, "opened", "low").await;
        handled(&world, event).await;
    }
    let quick = tokio::time::timeout(Duration::from_secs(10), received(&fine, 5)).await;
    assert_eq!(quick.expect("well before the silent one's 15 s are over").len(), 5);
    let ended = async || {
        let path = "/notifications/subscriptions";
        let all =
            world.get(path, Some(&here.teacher.token)).await.ok::<Vec<SubscriptionResponse>>();
        all.into_iter().find(|one| one.id == to_gone.subscription.id)?.disabled_reason
    };
    assert_eq!(eventually("it has ended", ended).await, "its target is gone");
    // The first attempt ends after 15 s; the others are then not made.
    logged(&world, &here.teacher, &to_silent, "it has not answered", |one| {
        one.error.as_deref() == Some("it did not answer in time")
    })
    .await;
    eventually("all have had their turn", async || {
        let log = log(&world, &here.teacher, &to_gone).await;
        let all = log.iter().all(|one| one.status == DeliveryStatus::Failed);
        (all && !log.is_empty()).then_some(())
    })
    .await;
    assert_eq!(gone.requests().len(), 1);
    assert_eq!(silent.requests().len(), 1);
    let waiting = log(&world, &here.teacher, &to_silent).await;
    assert!(waiting.iter().all(|one| one.status == DeliveryStatus::Waiting), "nothing is lost");
    let failed = log(&world, &here.teacher, &to_gone).await.remove(0);
    let path = format!(
        "/notifications/subscriptions/{}/deliveries/{}/retry",
        to_gone.subscription.id, failed.id
    );
    assert_eq!(act(&world, &here.teacher, &path).await.status, StatusCode::CONFLICT);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_in_a_private_network_is_refused_when_it_is_subscribed_and_when_it_is_called() {
    let here_target = HttpTarget::playing([], TargetAnswer::Status(200)).await;
    let world = World::new().await;
    let here = class(&world, "a").await;
    for private in [
        "https://127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/",
        "http://example.org/",
    ] {
        let body = json!({ "channel": "webhook", "target": private });
        let refused =
            world.post("/notifications/subscriptions", Some(&here.teacher.token), &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{private}");
        assert_eq!(refused.body["errors"][0]["field"], "target", "{private}");
    }
    // What a name stands for is seen when it is called.
    let url = format!("https://localhost:{}/", here_target.port());
    let made = webhook(&world, &here.teacher, url).await;
    alert(&world, &here, world.clock().new_id(), "opened", "high").await;
    let failed = logged(&world, &here.teacher, &made, "it is refused", |one| {
        one.status == DeliveryStatus::Failed
    })
    .await;
    assert_eq!(failed.error.as_deref(), Some("its address is not on the public internet"));
    assert!(here_target.requests().is_empty());
    world.finish().await;
}
