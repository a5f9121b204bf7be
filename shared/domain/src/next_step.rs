//! What a student should do next, and why.
//!
//! Due reviews come first, most overdue first. Then begun topics that are not known well yet, weakest first, then the
//! next topic of the course; of both only those whose prerequisites are met. The difficulty is the one at which the
//! chance of success is nearest to 0.7: high enough to go on, low enough to learn something.

use chrono::NaiveDate;

use crate::{
    difficulty::Difficulty,
    knowledge::{PRIOR, chance},
    level::Level,
    progress::{Progress, TopicProgress},
};

/// The chance of success that an exercise should have.
const AIM: f64 = 0.7;
/// How much easier or harder than a medium exercise the others are, in log-odds of knowing the topic.
const STEP: f64 = 1.0;
/// Suggestions at once.
const MOST: usize = 3;

/// A topic of the course.
#[derive(Debug, Clone, Copy)]
pub struct CourseTopic<'a> {
    /// Its slug.
    pub slug: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Slugs of the topics that it builds on.
    pub prerequisites: &'a [String],
}

/// Something to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextStep {
    /// The topic's slug.
    pub topic: String,
    /// How hard the exercise should be.
    pub difficulty: Difficulty,
    /// One sentence with the evidence.
    pub reason: String,
}

/// What to do next, best first, at most three. The course is in teaching order.
#[must_use]
pub fn next_steps(course: &[CourseTopic<'_>], progress: &Progress) -> Vec<NextStep> {
    let seen = |slug: &str| progress.topics.get(slug).filter(|topic| topic.memory.is_some());
    let title =
        |slug: &str| course.iter().find(|topic| topic.slug == slug).map(|topic| topic.title);
    let is_open = |topic: &CourseTopic<'_>| {
        topic.prerequisites.iter().all(|slug| seen(slug).is_some_and(is_sufficient))
    };
    let step = |topic: &CourseTopic<'_>, reason: String| {
        let known = seen(topic.slug).map_or(PRIOR, |topic| topic.known);
        NextStep { topic: topic.slug.to_owned(), difficulty: difficulty(known), reason }
    };

    let mut due: Vec<(NaiveDate, NextStep)> = course
        .iter()
        .filter_map(|topic| {
            let memory = seen(topic.slug)?.memory?;
            let due_on = memory.due_on();
            let reason = format!(
                "You last practised \"{}\" {}; it is time for a review.",
                topic.title,
                days_ago((progress.today - memory.reviewed_on).num_days()),
            );
            (due_on <= progress.today).then(|| (due_on, step(topic, reason)))
        })
        .collect();
    due.sort_by_key(|(due_on, _)| *due_on);

    let mut weak: Vec<(u8, NextStep)> = course
        .iter()
        .filter(|topic| is_open(topic))
        .filter_map(|topic| {
            let score = seen(topic.slug)?.score?;
            let reason = format!(
                "Your score in \"{}\" is {score} out of 100; {}.",
                topic.title,
                if Level::of_score(score) <= Level::Beginner {
                    "later topics build on it"
                } else {
                    "a few more exercises will make you sure of it"
                },
            );
            (Level::of_score(score) < Level::Proficient).then(|| (score, step(topic, reason)))
        })
        .collect();
    weak.sort_by_key(|(score, _)| *score);

    let new =
        course.iter().filter(|topic| seen(topic.slug).is_none() && is_open(topic)).map(|topic| {
            let basis: Vec<&str> =
                topic.prerequisites.iter().filter_map(|slug| title(slug)).collect();
            let reason = match basis.as_slice() {
                [] => format!("The course begins with \"{}\".", topic.title),
                [one] => format!("\"{}\" builds on \"{one}\", which you know.", topic.title),
                [first @ .., last] => format!(
                    "\"{}\" builds on \"{}\" and \"{last}\", which you know.",
                    topic.title,
                    first.join("\", \""),
                ),
            };
            step(topic, reason)
        });

    let mut steps: Vec<NextStep> = Vec::new();
    let due = due.into_iter().map(|(_, step)| step);
    for step in due.chain(weak.into_iter().map(|(_, step)| step)).chain(new) {
        if steps.len() < MOST && steps.iter().all(|other| other.topic != step.topic) {
            steps.push(step);
        }
    }
    steps
}

/// Whether a topic is known well enough to build on.
fn is_sufficient(topic: &TopicProgress) -> bool {
    topic.score.is_some_and(|score| Level::of_score(score) > Level::Beginner)
}

/// The difficulty at which the chance of success is nearest to the aim.
fn difficulty(known: f64) -> Difficulty {
    let distance = |difficulty: &Difficulty| {
        let shift = match difficulty {
            Difficulty::Easy => STEP,
            Difficulty::Medium => 0.0,
            Difficulty::Hard => -STEP,
        };
        let bounded = known.clamp(0.01, 0.99);
        let odds = (bounded / (1.0 - bounded)).ln() + shift;
        (chance(1.0 / (1.0 + (-odds).exp())) - AIM).abs()
    };
    let nearest = |a: &Difficulty, b: &Difficulty| distance(a).total_cmp(&distance(b));
    Difficulty::ALL.into_iter().min_by(nearest).unwrap_or(Difficulty::Easy)
}

fn days_ago(days: i64) -> String {
    match days {
        ..=0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use chrono::{DateTime, Days, NaiveDate};

    use super::{CourseTopic, difficulty, next_steps};
    use crate::{
        difficulty::Difficulty,
        forgetting::{Memory, Rating},
        mastery::Components,
        progress::{Progress, TopicProgress},
    };

    const TODAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 3, 20).unwrap();

    fn topic(score: u8, days_ago: u64) -> TopicProgress {
        TopicProgress {
            components: Components::default(),
            score: Some(score),
            evidence: 3,
            known: f64::from(score) / 100.0,
            memory: Some(Memory::first(Rating::Good, TODAY - Days::new(days_ago))),
            last_at: DateTime::UNIX_EPOCH,
        }
    }

    fn steps(topics: &[(&str, TopicProgress)]) -> Vec<(String, String)> {
        let of = |slugs: &[&str]| slugs.iter().map(|slug| (*slug).to_owned()).collect::<Vec<_>>();
        let (none, variables, both) = (of(&[]), of(&["variables"]), of(&["variables", "lists"]));
        let course = [
            CourseTopic { slug: "variables", title: "Variables", prerequisites: &none },
            CourseTopic { slug: "lists", title: "Lists", prerequisites: &variables },
            CourseTopic { slug: "loops", title: "Loops", prerequisites: &both },
        ];
        let topics = topics.iter().map(|(slug, topic)| ((*slug).to_owned(), topic.clone()));
        let topics: BTreeMap<_, _> = topics.collect();
        let progress = Progress { topics, days: BTreeSet::new(), today: TODAY };
        let steps = next_steps(&course, &progress);
        steps.into_iter().map(|step| (step.topic, step.reason)).collect()
    }

    fn topics(found: &[(String, String)]) -> Vec<&str> {
        found.iter().map(|(topic, _)| topic.as_str()).collect()
    }

    #[test]
    fn a_new_student_begins_where_the_course_begins() {
        let found = steps(&[]);
        assert_eq!(topics(&found), ["variables"]);
        assert_eq!(found[0].1, r#"The course begins with "Variables"."#);
    }

    #[test]
    fn the_next_topic_needs_its_prerequisites() {
        assert_eq!(topics(&steps(&[("variables", topic(90, 0))])), ["lists"]);
        assert_eq!(topics(&steps(&[("variables", topic(40, 0))])), ["variables"]);
        let found = steps(&[("variables", topic(90, 0)), ("lists", topic(80, 0))]);
        assert_eq!(topics(&found), ["loops"]);
        assert_eq!(found[0].1, r#""Loops" builds on "Variables" and "Lists", which you know."#);
    }

    #[test]
    fn due_reviews_come_first_and_then_the_weakest_topic() {
        let found =
            steps(&[("variables", topic(60, 0)), ("lists", topic(50, 9)), ("loops", topic(45, 4))]);
        assert_eq!(topics(&found), ["lists", "loops", "variables"]);
        assert_eq!(
            found[0].1,
            r#"You last practised "Lists" 9 days ago; it is time for a review."#
        );
        assert_eq!(
            found[2].1,
            r#"Your score in "Variables" is 60 out of 100; a few more exercises will make you sure of it."#
        );
    }

    #[test]
    fn exercises_are_neither_too_hard_nor_too_easy() {
        let chosen = [0.2, 0.5, 0.75, 0.95].map(difficulty);
        let expected = [Difficulty::Easy, Difficulty::Easy, Difficulty::Medium, Difficulty::Hard];
        assert_eq!(chosen, expected);
    }
}
