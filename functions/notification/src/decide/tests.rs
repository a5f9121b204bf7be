use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    local_time::{Preferences, QuietHours, TimeOfDay},
    notification::{Channel, Filter, Route},
    struggle::{Evidence, Severity, Trigger},
};
use events::struggle_detected::{AlertChange, StruggleDetected};
use ids::{AlertId, ClassId, NotificationId, SubscriptionId, UserId};
use proptest::prelude::*;
use storage::{class_alerts::Crowd, notifications::Existing, subscriptions::Subscription};
use uuid::Uuid;

use super::{Recipient, Told, about_alert, hot_spot};

const EVENT: Uuid = Uuid::from_u128(99);

fn now() -> DateTime<Utc> {
    "2026-11-02T12:00:00Z".parse().unwrap()
}

fn class(number: u128) -> ClassId {
    ClassId::from_uuid(Uuid::from_u128(number))
}

fn event(change: AlertChange, severity: Severity) -> StruggleDetected {
    StruggleDetected {
        alert_id: AlertId::from_uuid(Uuid::from_u128(1)),
        student_id: UserId::from_uuid(Uuid::from_u128(2)),
        request_id: Uuid::from_u128(3),
        topic: Some("lists".to_owned()),
        exercise_id: None,
        trigger: Trigger::FailedRuns,
        severity,
        change,
        summary: "Five failed runs in a row since 11:50.".to_owned(),
        evidence: vec![Evidence { text: "IndexError".to_owned(), at: now(), source_id: None }],
    }
}

fn subscription(number: u128, channel: Channel, filter: Filter) -> Subscription {
    let target = match channel {
        Channel::Webhook => Some("https://example.org/"),
        Channel::Sns => Some("arn:aws:sns:eu-central-1:123456789012:alerts"),
        _ => None,
    };
    Subscription {
        id: SubscriptionId::from_uuid(Uuid::from_u128(number)),
        user_id: UserId::from_uuid(Uuid::from_u128(4)),
        route: Route::parse(channel, target).unwrap(),
        filter,
        created_at: now(),
        disabled: None,
        failures: 0,
        retry_at: None,
    }
}

fn recipient(subscriptions: Vec<Subscription>) -> Recipient {
    Recipient {
        id: UserId::from_uuid(Uuid::from_u128(4)),
        classes: vec![class(1), class(2)],
        preferences: Preferences::default(),
        subscriptions,
        existing: None,
    }
}

fn existing(severity: Severity, is_resolved: bool) -> Option<Existing> {
    let id = NotificationId::from_uuid(Uuid::from_u128(5));
    Some(Existing { id, severity, is_shown: true, is_resolved, created_at: now() })
}

fn tell(recipient: &Recipient, change: AlertChange, severity: Severity) -> Option<Told> {
    about_alert(EVENT, &event(change, severity), recipient, now())
}

#[test]
fn without_a_subscription_an_alert_is_shown_in_the_front_end() {
    let told = tell(&recipient(Vec::new()), AlertChange::Opened, Severity::Low).unwrap();
    assert!(told.announced && told.stored.is_shown && !told.stored.is_read);
    assert!(told.deliveries.is_empty());
    let notification = &told.stored.notification;
    assert_eq!(notification.title, "Needs help with Lists");
    assert_eq!(notification.text, "Five failed runs in a row since 11:50.\n- IndexError");
}

#[test]
fn only_what_is_new_to_the_recipient_is_told() {
    use AlertChange::{Opened, Resolved, Unknown, Updated};
    use Severity::{High, Low, Medium};
    for (before, change, severity, expected) in [
        (None, Opened, Low, Some((Opened, Low))),
        // It has overtaken the first.
        (None, Updated, Medium, Some((Opened, Medium))),
        (None, Unknown, High, None),
        (existing(Low, false), Opened, Low, None),
        (existing(Low, false), Updated, Low, None),
        (existing(Medium, false), Updated, Low, None),
        (existing(Low, false), Updated, Medium, Some((Updated, Medium))),
        (existing(Medium, false), Opened, High, Some((Updated, High))),
        (existing(High, false), Resolved, Low, Some((Resolved, High))),
        (existing(Low, true), Resolved, Low, None),
        (existing(Low, true), Updated, High, None),
        (existing(Low, true), Opened, High, None),
    ] {
        let recipient = Recipient { existing: before, ..recipient(Vec::new()) };
        let told = tell(&recipient, change, severity);
        let found = told.map(|told| {
            assert!(told.announced);
            let notification = told.stored.notification;
            (notification.change.unwrap(), notification.severity)
        });
        assert_eq!(found, expected, "{before:?} and {change:?} {severity:?}");
    }
}

#[test]
fn the_end_of_what_nobody_was_told_about_is_kept_quietly() {
    let subscribed = recipient(vec![subscription(10, Channel::Webhook, Filter::default())]);
    let told = tell(&subscribed, AlertChange::Resolved, Severity::High).unwrap();
    assert!(!told.announced && told.stored.is_read && !told.stored.is_shown);
    assert!(told.deliveries.is_empty());
    assert_eq!(told.stored.notification.change, Some(AlertChange::Resolved));
}

#[test]
fn many_students_of_a_class_with_the_same_alert_are_one_piece_of_news() {
    let crowd = |number, students| Crowd { class: class(number), name: "7b".to_owned(), students };
    let here = recipient(vec![subscription(10, Channel::Webhook, Filter::default())]);
    let opened = event(AlertChange::Opened, Severity::Low);
    let spot = |event: &StruggleDetected, recipient: &Recipient, crowds: &[Crowd]| {
        hot_spot(event, recipient, crowds, now())
    };
    let told = spot(&opened, &here, &[crowd(1, 3), crowd(2, 4)]).unwrap();
    assert!(told.once && told.announced && told.deliveries.len() == 1);
    assert_eq!(told.stored.notification.title, "4 students of 7b need help with Lists");
    assert_eq!(told.stored.classes, [class(2)]);
    let text = &told.stored.notification.text;
    assert!(text.contains("from 4 students: five failed runs in a row"), "{text}");
    let is_quoted = [&opened.summary, &opened.evidence[0].text].map(|own| text.contains(own));
    assert_eq!(is_quoted, [false; 2], "it stays when an account is erased: {text}");
    let later = spot(&opened, &here, &[crowd(2, 9)]).unwrap();
    assert_eq!(later.stored.notification.id, told.stored.notification.id, "the same day");
    assert_eq!(later.deliveries[0].new.id, told.deliveries[0].new.id);
    // Too few, another teacher's class, one who needs help most, and who has been told already.
    assert_eq!(spot(&opened, &here, &[crowd(1, 3)]), None);
    assert_eq!(spot(&opened, &here, &[crowd(3, 9)]), None);
    assert_eq!(spot(&event(AlertChange::Opened, Severity::High), &here, &[crowd(1, 9)]), None);
    assert_eq!(spot(&event(AlertChange::Resolved, Severity::Low), &here, &[crowd(1, 9)]), None);
    let told_before = Recipient { existing: existing(Severity::Low, false), ..here };
    assert_eq!(spot(&opened, &told_before, &[crowd(1, 9)]), None);
}

#[test]
fn each_subscription_has_its_own_filter() {
    let urgent = Filter { classes: Vec::new(), min_severity: Severity::High };
    let elsewhere = Filter { classes: vec![class(7)], ..Filter::default() };
    let here = Filter { classes: vec![class(7), class(2)], ..Filter::default() };
    let subscribed = recipient(vec![
        subscription(10, Channel::Webhook, urgent.clone()),
        subscription(11, Channel::Sns, elsewhere),
        subscription(12, Channel::Email, here),
        subscription(13, Channel::InApp, urgent),
        subscription(14, Channel::Digest, Filter::default()),
        Subscription {
            disabled: Some((now(), "gone".to_owned())),
            ..subscription(15, Channel::Webhook, Filter::default())
        },
    ]);
    let by = |severity| {
        let told = tell(&subscribed, AlertChange::Opened, severity).unwrap();
        let ids = told.deliveries.iter().map(|one| one.new.subscription_id.as_uuid().as_u128());
        (told.announced, told.stored.is_shown, ids.collect::<Vec<_>>())
    };
    assert_eq!(by(Severity::Low), (false, false, vec![12]));
    assert_eq!(by(Severity::High), (true, true, vec![10, 12]));
    // What was shown before stays.
    let later = Recipient { existing: existing(Severity::Low, false), ..subscribed };
    let told = tell(&later, AlertChange::Updated, Severity::Medium).unwrap();
    assert!(!told.announced && told.stored.is_shown);
}

#[test]
fn what_comes_in_quiet_hours_is_sent_afterwards() {
    let time = |text: &str| text.parse::<TimeOfDay>().unwrap();
    let quiet = QuietHours::new(time("11:30"), time("13:00")).unwrap();
    let mut told = recipient(vec![subscription(10, Channel::Webhook, Filter::default())]);
    told.preferences.quiet_hours = Some(quiet);
    let delivery = tell(&told, AlertChange::Opened, Severity::High).unwrap().deliveries.remove(0);
    assert!(!delivery.at_once);
    assert_eq!(delivery.new.next_attempt_at, now() + TimeDelta::hours(1));
    told.preferences.quiet_hours = None;
    let delivery = tell(&told, AlertChange::Opened, Severity::High).unwrap().deliveries.remove(0);
    assert!(delivery.at_once && delivery.new.next_attempt_at > now());
}

#[test]
fn what_a_failing_target_gets_waits_for_its_turn() {
    let failing = |failures, retry_at: Option<TimeDelta>| {
        let failing = Subscription {
            failures,
            retry_at: retry_at.map(|after| now() + after),
            ..subscription(10, Channel::Webhook, Filter::default())
        };
        let mut told = tell(&recipient(vec![failing]), AlertChange::Opened, Severity::Low).unwrap();
        let delivery = told.deliveries.remove(0);
        (delivery.at_once, delivery.new.next_attempt_at - now())
    };
    assert_eq!(failing(1, Some(TimeDelta::minutes(3))), (false, TimeDelta::minutes(3)));
    assert_eq!(failing(1, Some(TimeDelta::minutes(-3))), (false, TimeDelta::zero()));
    assert_eq!(failing(0, Some(TimeDelta::minutes(3))), (false, TimeDelta::minutes(3)));
}

proptest! {
    /// Whatever is delivered twice, late or in another order, the recipient ends up knowing the most urgent severity,
    /// or that it is over, and is told no severity twice.
    #[test]
    fn the_order_of_events_makes_no_difference(
        order in prop::collection::vec(0_usize..4, 0..12),
    ) {
        let events = [
            (AlertChange::Opened, Severity::Low),
            (AlertChange::Updated, Severity::Medium),
            (AlertChange::Updated, Severity::High),
            (AlertChange::Resolved, Severity::High),
        ];
        let mut recipient = recipient(vec![subscription(10, Channel::Webhook, Filter::default())]);
        let mut sent = Vec::new();
        for index in &order {
            let (change, severity) = events[*index];
            let Some(told) = tell(&recipient, change, severity) else { continue };
            let notification = &told.stored.notification;
            sent.extend(told.deliveries.iter().map(|one| (one.new.change == Some(AlertChange::Resolved), one.new.severity)));
            recipient.existing = Some(Existing {
                id: notification.id,
                severity: notification.severity,
                is_shown: told.stored.is_shown,
                is_resolved: notification.change == Some(AlertChange::Resolved),
                created_at: notification.created_at,
            });
        }
        prop_assert!(sent.windows(2).all(|pair| pair[0] < pair[1]), "{sent:?}");
        let is_over = order.contains(&3);
        let most = order.iter().take_while(|index| **index != 3).map(|index| events[*index].1).max();
        prop_assert_eq!(recipient.existing.is_some_and(|existing| existing.is_resolved), is_over);
        prop_assert_eq!(sent.iter().filter(|(over, _)| !over).map(|(_, severity)| *severity).next_back(), most);
    }
}
