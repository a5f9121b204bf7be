//! Answers students who ask how they are doing.

use std::fmt::Write as _;

use agents::{Agent, Arrived, Begin, Never, Reply, Step};
use chrono::{DateTime, Utc};
use domain::{agent::Author, sentence::counted};
use events::{
    model_call::{TriageModelFinished, TriageModelRequested},
    progress_requested::ProgressRequested,
    question_answered::Answer,
    question_routed::Routing,
};
use progress_report::{ProgressReport, Standing, TopicReport};
use runtime::HandlerError;
use sqlx::PgConnection;

/// Topics that are listed: the weakest ones come last in the course's order, so all of a beginner's fit.
const LISTED: usize = 12;

/// Says how a student is doing.
#[derive(Debug)]
pub(crate) struct ProgressAgent;

/// A question about progress, with the progress; none for a student without an account.
#[derive(Debug)]
pub(crate) struct Loaded {
    routing: Routing,
    report: Option<ProgressReport>,
}

impl Begin<ProgressRequested> for ProgressAgent {
    type Loaded = Loaded;

    async fn load(
        request: ProgressRequested,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Loaded, HandlerError> {
        let ProgressRequested(routed) = request;
        let report = progress_report::load(conn, routed.asked.student_id, now).await;
        Ok(Loaded { routing: routed.routing, report: report.map_err(HandlerError::retry)? })
    }

    fn begin(loaded: Loaded, _: DateTime<Utc>) -> Step<Self> {
        Step::answer(Reply::offline(loaded.routing, answer(loaded.report.as_ref())))
    }
}

impl Agent for ProgressAgent {
    type Running = Never;
    type Asking = Never;
    // It asks no model, so neither is ever sent.
    type ModelRequested = TriageModelRequested;
    type ModelFinished = TriageModelFinished;

    const AUTHOR: Author = Author::Progress;
    const VERSION: u32 = 1;

    fn resume(arrived: Arrived<Self>, _: DateTime<Utc>) -> Step<Self> {
        match arrived {
            Arrived::Run { state, .. } => match state {},
            Arrived::Model { state, .. } => match state {},
        }
    }
}

/// How the student is doing, in words.
fn answer(report: Option<&ProgressReport>) -> Answer {
    let Some(report) = report else {
        return Answer::text(
            "There is no progress to report: you have no account here.".to_owned(),
        );
    };
    let scored: Vec<&TopicReport> = report
        .modules
        .iter()
        .flat_map(|module| &module.topics)
        .filter(|topic| topic.standing.score.is_some())
        .collect();
    let mut text = match report.overall.score {
        None => "You have not handed in a solution or a quiz yet, so there is no score yet. One solution is \
                 enough to get one."
            .to_owned(),
        Some(score) => format!(
            "Your overall score is **{score} out of 100** ({}), across {}.",
            level(report.overall),
            counted(scored.len(), "topic", "topics"),
        ),
    };
    let streak = report.streak;
    if streak.current > 0 {
        let days = counted(streak.current as usize, "day", "days");
        text.push_str(&format!(" You are on a streak of {days}"));
        if streak.longest > streak.current {
            text.push_str(&format!("; your longest was {}", streak.longest));
        }
        text.push('.');
    }
    if !scored.is_empty() {
        text.push_str("\n\n| topic | score | level |\n|---|---|---|\n");
        for topic in scored.iter().take(LISTED) {
            let score = topic.standing.score.unwrap_or_default();
            // Writing to a string cannot fail.
            writeln!(text, "| {} | {score} | {} |", topic.title, level(topic.standing))
                .unwrap_or_default();
        }
        if scored.len() > LISTED {
            text.push_str(&format!("\nand {} more.", scored.len() - LISTED));
        }
    }
    if !report.next.is_empty() {
        text.push_str("\n\n**What to do next**\n\n");
        for step in &report.next {
            let difficulty = step.difficulty.as_str();
            writeln!(text, "- {} Try {} {difficulty} exercise.", step.reason, article(difficulty))
                .unwrap_or_default();
        }
    }
    let topics = report.next.iter().map(|step| step.topic.clone()).collect();
    Answer { topics, ..Answer::text(text.trim_end().to_owned()) }
}

fn level(standing: Standing) -> &'static str {
    standing.level.map(domain::level::Level::as_str).unwrap_or_default()
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{DateTime, Utc};
    use domain::{
        activity::{Activity, Kind},
        difficulty::Difficulty,
        local_time::TimeZone,
        progress::Progress,
    };
    use ids::{EventId, ExerciseId, UserId};
    use uuid::Uuid;

    use super::answer;

    fn user() -> UserId {
        UserId::from_uuid(Uuid::nil())
    }

    #[test]
    fn a_new_student_hears_where_to_begin() {
        let today = "2026-03-01".parse().unwrap();
        let nothing = Progress { topics: BTreeMap::new(), days: Default::default(), today };
        let report = progress_report::report(user(), &nothing);
        let answer = answer(Some(&report));
        assert!(answer.content.starts_with("You have not handed in"), "{}", answer.content);
        assert!(
            answer.content.contains(r#"The course begins with "Variables"."#),
            "{}",
            answer.content
        );
        assert_eq!(answer.topics, ["variables"]);
    }

    #[test]
    fn others_hear_their_score_their_topics_and_what_is_next() {
        let at: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
        let solved = Activity {
            id: EventId::from_uuid(Uuid::nil()),
            source: None,
            at,
            topic: Some("variables".to_owned()),
            exercise: Some(ExerciseId::from_uuid(Uuid::nil())),
            kind: Kind::Submission {
                difficulty: Difficulty::Easy,
                score: 100,
                passed: true,
                quality: None,
                helped: false,
            },
        };
        let progress = Progress::of(&[solved], TimeZone::default(), at.date_naive());
        let answer = answer(Some(&progress_report::report(user(), &progress)));
        let text = &answer.content;
        assert!(
            text.starts_with(
                "Your overall score is **81 out of 100** (proficient), across 1 topic."
            ),
            "{text}"
        );
        assert!(text.contains("You are on a streak of 1 day."), "{text}");
        assert!(text.contains("| Variables | 81 | proficient |"), "{text}");
        assert!(text.contains(r#"builds on "Variables", which you know."#), "{text}");
    }
}
