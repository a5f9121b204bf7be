//! What notifications say.

use events::struggle_detected::{AlertChange, StruggleDetected};
use storage::class_alerts::Crowd;

/// Most characters of a text: with its title, escaped as JSON at its worst, a webhook's body stays below 20 KB.
pub(crate) const MAX_TEXT: usize = 2_000;

/// A few words about an alert.
pub(crate) fn title(alert: &StruggleDetected, change: AlertChange) -> String {
    let topic = alert.topic.as_deref().and_then(|slug| curriculum::embedded().topic(slug));
    let subject = topic.map_or_else(String::new, |topic| format!(" with {}", topic.title));
    match change {
        AlertChange::Opened | AlertChange::Unknown => format!("Needs help{subject}"),
        AlertChange::Updated => format!("Needs help{subject} more urgently"),
        AlertChange::Resolved => format!("No longer needs help{subject}"),
    }
}

/// What an alert says: its summary, and what it rests on.
pub(crate) fn text(alert: &StruggleDetected) -> String {
    let mut text = alert.summary.clone();
    for evidence in &alert.evidence {
        text.push_str("\n- ");
        text.push_str(&evidence.text);
    }
    shortened(&text, MAX_TEXT)
}

/// A few words about many students of a class with the same difficulty.
pub(crate) fn hot_spot_title(crowd: &Crowd, topic: Option<&str>) -> String {
    let topic = topic.and_then(|slug| curriculum::embedded().topic(slug));
    let subject = topic.map_or_else(String::new, |topic| format!(" with {}", topic.title));
    format!("{} students of {} need help{subject}", crowd.students, crowd.name)
}

/// What they have in common, with the latest of them as an example.
pub(crate) fn hot_spot_text(alert: &StruggleDetected) -> String {
    let text = format!(
        "They have met the same difficulty within an hour, so it may help to explain it to the whole class. The latest \
         one: {}",
        alert.summary
    );
    shortened(&text, MAX_TEXT)
}

/// At most so many characters; it shows if something was cut off.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let kept = text.char_indices().nth(most - 1).map_or(0, |(end, _)| end);
            format!("{}…", &text[..kept])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß", 3), "äö…");
        assert_eq!(shortened("", 3), "");
    }
}
