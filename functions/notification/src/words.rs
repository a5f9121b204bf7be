//! What notifications say.

use domain::struggle::Trigger;
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

/// What they have in common. It is about nobody in particular, so that it stays when an account is erased; therefore it
/// says nothing that a student wrote, such as the name of an exception.
pub(crate) fn hot_spot_text(crowd: &Crowd, trigger: Trigger) -> String {
    let sign = match trigger {
        Trigger::RepeatedError => "the same error, three times or more each",
        Trigger::LongOnExercise => "over ten minutes of work on an exercise without passing it",
        Trigger::LowQuiz => "less than half of a quiz right",
        Trigger::SaysSo => "their own words",
        Trigger::FailedRuns => "five failed runs in a row or more",
    };
    format!(
        "The same sign of difficulty within an hour, from {} students: {sign}. It may help to explain it to the whole class.",
        crowd.students
    )
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
