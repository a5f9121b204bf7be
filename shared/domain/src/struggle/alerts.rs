//! What changes in the alerts of a student.

use chrono::{DateTime, TimeDelta, Utc};
use ids::{AlertId, ExerciseId};

use super::{
    Evidence, Severity, Signal, Trigger,
    rules::{LOW_QUIZ, MOST_EVIDENCE, WINDOW, placed, signals},
    signs::severity,
};
use crate::activity::{Activity, Kind};

/// How long after an alert was resolved no new one is opened for the same topic and trigger.
const COOL_DOWN: TimeDelta = TimeDelta::minutes(30);

/// An alert that is not resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The topic's slug, if it is about one.
    pub topic: Option<String>,
    /// The exercise, if it is about one.
    pub exercise: Option<ExerciseId>,
    /// The rule.
    pub trigger: Trigger,
    /// How urgent it is.
    pub severity: Severity,
    /// What, and since when, in one sentence.
    pub summary: String,
    /// The facts, newest last.
    pub evidence: Vec<Evidence>,
}

/// An alert that was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The topic's slug.
    pub topic: Option<String>,
    /// The rule.
    pub trigger: Trigger,
    /// When.
    pub at: DateTime<Utc>,
}

/// What happens to an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new one.
    Open {
        /// The rule with its facts.
        signal: Signal,
        /// How urgent it is.
        severity: Severity,
    },
    /// More facts, and perhaps more urgent: never less.
    Update {
        /// The alert as it is now.
        alert: Alert,
        /// Whether it is more urgent than before, so that teachers hear of it again.
        is_more_urgent: bool,
    },
    /// The student has recovered.
    Resolve {
        /// The alert.
        alert: Alert,
        /// What shows it, in one sentence for a teacher.
        because: String,
    },
}

/// What changes after the last of a student's activities, which are in the order of time.
///
/// One alert is open for each topic and trigger: facts are added to it, and it is not repeated. The activities reach
/// back twice [`WINDOW`].
#[must_use]
pub fn judge(
    activities: &[Activity],
    found: &[Signal],
    open: &[Alert],
    resolved: &[Resolved],
) -> Vec<Change> {
    let severity = severity(found, activities);
    let mut changes = Vec::new();
    let mut lasting: Vec<&Alert> = Vec::new();
    let mut over: Vec<&Alert> = Vec::new();
    for alert in open {
        match recovery(alert, activities).or_else(|| mistake(alert, activities)) {
            Some(because) => {
                over.push(alert);
                changes.push(Change::Resolve { alert: alert.clone(), because });
            }
            None => lasting.push(alert),
        }
    }
    for signal in found {
        let is_same =
            |alert: &&&Alert| alert.topic == signal.topic && alert.trigger == signal.trigger;
        if over.iter().any(|alert| is_same(&alert)) {
            continue;
        }
        if let Some(alert) = lasting.iter().find(is_same) {
            let known = alert.evidence.last().map(|fact| fact.at);
            let new = signal.evidence.iter().filter(|fact| Some(fact.at) > known);
            let mut evidence: Vec<Evidence> = alert.evidence.iter().chain(new).cloned().collect();
            if evidence.len() == alert.evidence.len() && severity <= alert.severity {
                continue;
            }
            evidence.drain(..evidence.len().saturating_sub(MOST_EVIDENCE));
            let is_more_urgent = severity > alert.severity;
            let alert = Alert {
                severity: severity.max(alert.severity),
                summary: signal.summary.clone(),
                evidence,
                ..(*alert).clone()
            };
            changes.push(Change::Update { alert, is_more_urgent });
            continue;
        }
        let last_at = signal.last_at();
        let is_cooling = resolved.iter().any(|before| {
            before.topic == signal.topic
                && before.trigger == signal.trigger
                && last_at.is_none_or(|last_at| last_at <= before.at + COOL_DOWN)
        });
        if !is_cooling {
            changes.push(Change::Open { signal: signal.clone(), severity });
        }
    }
    changes
}

/// What shows that the student has recovered since the alert's last fact.
fn recovery(alert: &Alert, activities: &[Activity]) -> Option<String> {
    let since = alert.evidence.last().map(|fact| fact.at);
    let later = placed(activities).into_iter().filter(|one| Some(one.activity.at) > since);
    later.into_iter().find_map(|one| {
        let in_topic = alert.topic.is_none() || one.topic == alert.topic.as_deref();
        let passed = matches!(one.activity.kind, Kind::Submission { passed: true, .. });
        let recovered = match alert.trigger {
            Trigger::RepeatedError | Trigger::FailedRuns => {
                passed || matches!(one.activity.kind, Kind::Run { error: None, .. })
            }
            Trigger::LongOnExercise => passed && one.exercise == alert.exercise,
            Trigger::LowQuiz => {
                in_topic
                    && (passed
                        || matches!(one.activity.kind, Kind::Quiz { score, .. } if score >= LOW_QUIZ))
            }
            Trigger::SaysSo => passed || matches!(one.activity.kind, Kind::WasHelped),
        };
        recovered.then(|| match one.activity.kind {
            Kind::Run { .. } => "The next program ran to its end.".to_owned(),
            Kind::Quiz { score, .. } => format!("A later quiz has {score} percent."),
            Kind::WasHelped => "The student says that an answer has helped.".to_owned(),
            _ => "The student has passed an exercise since.".to_owned(),
        })
    })
}

/// Why an alert was a mistake: an activity that arrived late shows that the rule did not apply. Only looked for while
/// the activities reach back far enough.
fn mistake(alert: &Alert, activities: &[Activity]) -> Option<String> {
    let (since, now) = (alert.evidence.last()?.at, activities.last()?.at);
    if now - since > WINDOW {
        return None;
    }
    let known = activities.partition_point(|activity| activity.at <= since);
    let applied = signals(&activities[..known])
        .iter()
        .any(|signal| signal.trigger == alert.trigger && signal.topic == alert.topic);
    (!applied).then(|| "What arrived later shows that there was no reason for it.".to_owned())
}
