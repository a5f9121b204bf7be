//! A day in a few lines. Pure.

use std::collections::{BTreeMap, BTreeSet};

use domain::{sentence::counted, struggle::Severity};
use storage::notifications::Summed;

use crate::words::{MAX_TEXT, shortened};

/// Most notifications that are read for a digest: more than anyone can read in a day.
pub(crate) const MOST: i64 = 500;

/// What is said of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) severity: Severity,
}

/// Sums up what passed the filter; `None` if that is nothing. Names are left out: mail is read by others, too.
pub(crate) fn sum_up(all: &[Summed]) -> Option<Digest> {
    let severity = all.iter().map(|one| one.severity).max()?;
    let students =
        |of: &[&Summed]| of.iter().filter_map(|one| one.student_id).collect::<BTreeSet<_>>().len();
    let (alerts, others): (Vec<&Summed>, Vec<&Summed>) =
        all.iter().partition(|one| one.student_id.is_some());
    let (recovered, open): (Vec<&Summed>, Vec<&Summed>) =
        alerts.into_iter().partition(|one| one.is_resolved);
    let title = format!("Your day: {}", counted(open.len(), "open alert", "open alerts"));
    let mut lines = vec![format!(
        "{} of {}; {} over.",
        counted(open.len(), "alert", "alerts"),
        counted(students(&open), "student", "students"),
        counted(recovered.len(), "alert is", "alerts are"),
    )];
    let mut by_title: BTreeMap<(std::cmp::Reverse<Severity>, &str), Vec<&Summed>> = BTreeMap::new();
    for one in open {
        by_title.entry((std::cmp::Reverse(one.severity), &one.title)).or_default().push(one);
    }
    lines.extend(by_title.into_iter().map(|((std::cmp::Reverse(severity), title), of)| {
        format!(
            "- {title} ({}): {}",
            severity.as_str(),
            counted(students(&of), "student", "students")
        )
    }));
    // What is about no student in particular: a hot spot, or what another service has published.
    lines.extend(others.iter().map(|one| format!("- {} ({})", one.title, one.severity.as_str())));
    Some(Digest { title, text: shortened(&lines.join("\n"), MAX_TEXT), severity })
}

#[cfg(test)]
mod tests {
    use domain::struggle::Severity;
    use ids::UserId;
    use storage::notifications::Summed;
    use uuid::Uuid;

    use super::{Digest, sum_up};

    #[test]
    fn a_day_is_summed_up_by_what_is_urgent() {
        let one = |student: u128, title: &str, severity, is_resolved| Summed {
            student_id: Some(UserId::from_uuid(Uuid::from_u128(student))),
            classes: Vec::new(),
            title: title.to_owned(),
            severity,
            is_resolved,
        };
        let day = [
            one(1, "Needs help with Lists", Severity::Low, false),
            one(2, "Needs help with Lists", Severity::Low, false),
            one(2, "Needs help with Loops", Severity::High, false),
            one(3, "Has recovered", Severity::Medium, true),
            Summed {
                student_id: None,
                ..one(0, "4 students of 7b need help with Sets", Severity::High, false)
            },
        ];
        let text = "3 alerts of 2 students; 1 alert is over.\n\
                    - Needs help with Loops (high): 1 student\n\
                    - Needs help with Lists (low): 2 students\n\
                    - 4 students of 7b need help with Sets (high)";
        let expected = Digest {
            title: "Your day: 3 open alerts".to_owned(),
            text: text.to_owned(),
            severity: Severity::High,
        };
        assert_eq!(sum_up(&day), Some(expected));
        assert_eq!(sum_up(&[]), None);
    }
}
