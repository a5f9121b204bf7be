//! The function dies between any two of its steps, and what it was about to do is done.

use api_gateway::responses::DeliveryStatus;
use reqwest::StatusCode;
use runtime::fault::{FaultPoint, Faults};
use testing::{HttpTarget, TargetAnswer};

use super::{act, alert, class, header, inbox, logged, received, webhook, world};

/// Dies at the first event after the start: an alert, or a delivery that a person wants to be tried again.
async fn check(point: FaultPoint, by_hand: bool) {
    let script = by_hand.then_some(TargetAnswer::Status(500));
    let target = HttpTarget::playing(script, TargetAnswer::Status(200)).await;
    let mut world = world(&[]).await;
    let here = class(&world, "a").await;
    let made = webhook(&world, &here.teacher, target.url("/")).await;
    let alert_id = world.clock().new_id();
    let mut retry = None;
    if by_hand {
        alert(&world, &here, alert_id, "opened", "low").await;
        let failed = logged(&world, &here.teacher, &made, "it fails", |one| one.attempts == 1);
        let (subscription, delivery) = (made.subscription.id, failed.await.id);
        retry = Some(format!(
            "/notifications/subscriptions/{subscription}/deliveries/{delivery}/retry"
        ));
    }
    world.stop().await;
    let faults = Faults::armed("notification", point);
    world.start(faults.clone()).await;
    match retry {
        Some(path) => {
            assert_eq!(act(&world, &here.teacher, &path).await.status, StatusCode::ACCEPTED);
        }
        None => {
            alert(&world, &here, alert_id, "opened", "low").await;
        }
    }
    faults.reached().await;
    world.kill().await;
    world.start(Faults::default()).await;
    // The dead process's events are left to a relay.
    world.advance(11);
    logged(&world, &here.teacher, &made, "it is delivered", |one| {
        one.status == DeliveryStatus::Delivered
    })
    .await;
    let calls = received(&target, 1).await;
    let id = header(&calls[0].headers, "webhook-id");
    assert!(calls.iter().all(|call| header(&call.headers, "webhook-id") == id), "{point:?}");
    assert_eq!(inbox(&world, &here.teacher, "").await.len(), 1, "{point:?}");
    let sql = "SELECT count(*) FROM events WHERE type = 'notification.made.v1' AND partition_key = $1::text";
    assert_eq!(world.count(sql, here.teacher.id).await, 1, "{point:?}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_teacher_is_told_once_wherever_the_function_dies() {
    for point in FaultPoint::ALL {
        check(point, false).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_is_made_wherever_the_function_dies() {
    // A delivery emits nothing, so it does not pass the points of what is published.
    for point in [FaultPoint::Received, FaultPoint::Handled, FaultPoint::Acknowledging] {
        check(point, true).await;
    }
}
