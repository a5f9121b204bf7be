//! Many students of a class with the same difficulty: their teachers hear of it once. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use domain::struggle::Severity;
use events::struggle_detected::{AlertChange, StruggleDetected};
use ids::NotificationId;
use storage::class_alerts::Crowd;
use uuid::Uuid;

use super::{News, Recipient, Told, tell};
use crate::words;

/// From so many students on it is a matter for the whole class; fewer can be helped one by one.
pub(crate) const STUDENTS: i64 = 4;
/// How long ago their alerts may have been opened: about a lesson.
pub(crate) const WINDOW: TimeDelta = TimeDelta::hours(1);

/// What a person is told instead of one more equal alert: at most once a day for each class, topic and rule. `None` if
/// the alert is to be told by itself. `crowds` are the classes of the student in which others have the same alert.
pub(crate) fn hot_spot(
    event: &StruggleDetected,
    recipient: &Recipient,
    crowds: &[Crowd],
    now: DateTime<Utc>,
) -> Option<Told> {
    let is_new = matches!(event.change, AlertChange::Opened | AlertChange::Updated)
        && recipient.existing.is_none();
    // Who needs help most is never one of many.
    if !is_new || event.severity == Severity::High {
        return None;
    }
    let is_theirs = |crowd: &&Crowd| recipient.classes.contains(&crowd.class);
    let crowd = crowds.iter().filter(is_theirs).find(|crowd| crowd.students >= STUDENTS)?;
    let topic = event.topic.as_deref().unwrap_or_default();
    let day = recipient.preferences.time_zone.day(now);
    let what = format!("{} {topic} {} {day}", crowd.class, event.trigger.as_str());
    let id = Uuid::new_v5(&recipient.id.as_uuid(), what.as_bytes());
    let news = News {
        alert_id: None,
        student_id: None,
        change: None,
        title: words::hot_spot_title(crowd, event.topic.as_deref()),
        text: words::hot_spot_text(crowd, event.trigger),
        severity: Severity::High,
    };
    let of_class = Recipient { classes: vec![crowd.class], ..recipient.clone() };
    let told = tell(id, NotificationId::from_uuid(id), &news, &of_class, now);
    Some(Told { once: true, ..told })
}
