use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    local_time::{Preferences, QuietHours},
    notification::Route,
    struggle::Severity,
};
use events::delivery_due::DeliveryDue;
use ids::{DeliveryId, NotificationId, SubscriptionId, UserId};
use storage::deliveries::{Due, Job, Message};
use uuid::Uuid;

use super::{Failure, Plan, again, due, plan, retry_after};

fn now() -> DateTime<Utc> {
    "2026-11-02T12:00:00Z".parse().unwrap()
}

fn job() -> Job {
    let id = Uuid::from_u128(1);
    Job {
        id: DeliveryId::from_uuid(id),
        subscription_id: SubscriptionId::from_uuid(id),
        attempts: 2,
        is_waiting: true,
        route: Route::Email,
        secrets: Vec::new(),
        disabled: None,
        retry_at: None,
        email: "ada@example.org".to_owned(),
        user_id: UserId::from_uuid(id),
        message: Message {
            notification_id: NotificationId::from_uuid(id),
            alert_id: None,
            change: None,
            student: None,
            title: "x".to_owned(),
            text: "x".to_owned(),
            severity: Severity::Low,
            created_at: now(),
        },
    }
}

fn planned(job: &Job, attempts: u16, by_hand: bool, after: TimeDelta) -> Plan {
    let event = DeliveryDue {
        delivery_id: job.id,
        subscription_id: job.subscription_id,
        attempts,
        by_hand,
        request_id: Uuid::nil(),
    };
    plan(job, &event, now() + after)
}

#[test]
fn an_attempt_is_made_once_and_not_while_the_target_rests() {
    let at_once = TimeDelta::zero();
    assert_eq!(planned(&job(), 2, false, at_once), Plan::Send);
    assert_eq!(planned(&job(), 1, false, at_once), Plan::Skip);
    assert_eq!(planned(&job(), 3, false, at_once), Plan::Skip);
    assert_eq!(planned(&Job { is_waiting: false, ..job() }, 2, true, at_once), Plan::Skip);
    let until = now() + TimeDelta::minutes(5);
    let resting = Job { retry_at: Some(until), ..job() };
    assert_eq!(planned(&resting, 2, false, at_once), Plan::Postpone(until));
    assert_eq!(planned(&resting, 2, false, TimeDelta::minutes(5)), Plan::Send);
    assert_eq!(planned(&resting, 2, true, at_once), Plan::Send);
    let week = TimeDelta::days(7);
    assert_eq!(planned(&job(), 2, false, week), Plan::Send);
    assert!(matches!(planned(&job(), 2, false, week + TimeDelta::seconds(1)), Plan::GiveUp(_)));
    assert_eq!(planned(&job(), 2, true, TimeDelta::days(80)), Plan::Send);
    let ended = Job { disabled: Some("gone".to_owned()), ..job() };
    assert!(matches!(planned(&ended, 2, false, at_once), Plan::GiveUp(_)));
}

#[test]
fn ten_attempts_are_made_over_three_days() {
    let failure = Failure::default();
    let mut at = now();
    let mut attempts = 0;
    while let Some(next) = again(&failure, attempts, at, 0).delivery_at {
        assert!(next > at);
        at = next;
        attempts += 1;
    }
    // The first attempt comes before any failure.
    assert_eq!(attempts + 1, 10);
    assert_eq!(at - now(), TimeDelta::minutes(35) + TimeDelta::hours(75) + TimeDelta::seconds(5));
    for seed in [1, 7, 123_456_789, u64::MAX] {
        let (plain, moved) = (again(&failure, 3, now(), 0), again(&failure, 3, now(), seed));
        let jitter = moved.delivery_at.unwrap() - plain.delivery_at.unwrap();
        assert!(jitter >= TimeDelta::zero() && jitter < TimeDelta::minutes(12), "{jitter}");
    }
}

#[test]
fn a_target_is_asked_no_sooner_than_it_says_and_not_at_all_when_it_is_gone() {
    let after = |failure: Failure, attempts| {
        let again = again(&failure, attempts, now(), 0);
        (again.delivery_at.map(|at| at - now()), again.target_at - now())
    };
    let asks = |wait| Failure { retry_after: Some(wait), ..Failure::default() };
    let (minute, day) = (TimeDelta::minutes(1), TimeDelta::hours(24));
    assert_eq!(after(asks(minute), 0), (Some(minute), minute));
    assert_eq!(after(asks(minute), 1), (Some(TimeDelta::minutes(5)), TimeDelta::minutes(5)));
    assert_eq!(after(asks(day * 30), 0), (Some(day), day));
    assert_eq!(after(asks(minute * -1), 0), (Some(minute / 12), minute / 12));
    // However long the next attempt at a delivery is away, its target is tried by another one within the hour.
    assert_eq!(after(Failure::default(), 8), (Some(day), TimeDelta::hours(1)));
    let for_good = Failure { is_final: true, ..Failure::default() };
    assert_eq!(after(for_good, 0).0, None);
    assert_eq!(after(Failure::default(), 9).0, None);
}

#[test]
fn of_a_failing_target_one_delivery_is_tried_at_a_time() {
    let one = |target: u128, is_failing, retry_at: Option<TimeDelta>| Due {
        id: DeliveryId::from_uuid(Uuid::from_u128(1)),
        subscription_id: SubscriptionId::from_uuid(Uuid::from_u128(target)),
        attempts: 0,
        is_failing,
        retry_at: retry_at.map(|after| now() + after),
        preferences: Preferences::default(),
    };
    let mut sleeps = one(5, false, None);
    let time = |text: &str| text.parse().unwrap();
    sleeps.preferences.quiet_hours = QuietHours::new(time("11:00"), time("12:30")).ok();
    let minutes = TimeDelta::minutes;
    let all = [
        one(1, false, None),
        one(1, false, None),
        one(2, true, Some(minutes(-1))),
        one(2, true, Some(minutes(-1))),
        one(3, true, None),
        one(4, true, Some(minutes(9))),
        sleeps,
    ];
    let found: Vec<_> = due(&all, now()).iter().map(|at| at.map(|at| at - now())).collect();
    let expected = [None, None, None, Some(minutes(1)), None, Some(minutes(9)), Some(minutes(30))];
    assert_eq!(found, expected);
}

#[test]
fn a_wait_is_given_in_seconds_or_as_a_date() {
    assert_eq!(retry_after("120", now()), Some(TimeDelta::seconds(120)));
    let date = retry_after("Mon, 02 Nov 2026 12:01:00 GMT", now());
    assert_eq!(date, Some(TimeDelta::minutes(1)));
    for wrong in ["", "soon", "-1", "1.5", "99999999999999"] {
        assert_eq!(retry_after(wrong, now()), None, "{wrong}");
    }
}
