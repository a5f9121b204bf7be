//! A student's progress as clients see it: the report of the progress function and of the gateway.
//!
//! Belongs here: the form of the report, and loading what it is made of. Never here: how scores are worked out
//! (`domain`), or who may see them (the gateway).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    activity::Activity,
    difficulty::Difficulty,
    level::{Color, Level},
    local_time::TimeZone,
    mastery,
    next_step::{CourseTopic, next_steps},
    progress::{self, Progress, TopicProgress},
};
use ids::{ExerciseId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

/// Most days of a history.
pub const MOST_DAYS: u32 = 366;

/// A score with its band; all `null` without evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Standing {
    /// 0 to 100.
    pub score: Option<u8>,
    /// The band.
    pub level: Option<Level>,
    /// The band's colour.
    pub color: Option<Color>,
}

impl Standing {
    /// Of a score.
    #[must_use]
    pub fn of(score: Option<u8>) -> Self {
        let level = score.map(Level::of_score);
        Self { score, level, color: level.map(Level::color) }
    }
}

/// Days in a row with a submitted solution or quiz, in the student's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreakReport {
    /// Until today or yesterday.
    pub current: u32,
    /// The longest one.
    pub longest: u32,
}

/// The parts of a topic's score, 0 to 100; `null` without evidence. Hints make a solution worth less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = MasteryComponents)]
pub struct ComponentsReport {
    /// Exercises: 40 %.
    pub exercises: Option<u8>,
    /// Quizzes: 30 %.
    pub quizzes: Option<u8>,
    /// Code quality: 20 %.
    pub quality: Option<u8>,
    /// Active days of the last 30: 10 %.
    pub consistency: Option<u8>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TopicReport {
    /// Its slug.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Its score.
    #[serde(flatten)]
    pub standing: Standing,
    /// The parts of the score.
    pub components: ComponentsReport,
    /// Solutions, quizzes and reviews that the score rests on.
    pub evidence: u32,
    /// The estimated probability that the student knows the topic, 0 to 1.
    pub known: Option<f64>,
    /// The estimated probability that the student remembers it today, 0 to 1.
    pub recall: Option<f64>,
    /// When to review it.
    pub review_on: Option<NaiveDate>,
}

/// A module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModuleReport {
    /// Its slug.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// The mean of its topics that have a score.
    #[serde(flatten)]
    pub standing: Standing,
    /// All topics, in teaching order.
    pub topics: Vec<TopicReport>,
}

/// An exercise to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextExercise {
    /// Its id.
    pub id: ExerciseId,
    /// Its name.
    pub title: String,
}

/// Something to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = NextStep)]
pub struct NextReport {
    /// The topic's slug.
    pub topic: String,
    /// How hard the exercise should be.
    pub difficulty: Difficulty,
    /// An exercise that the student has not solved, of that difficulty if there is one left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exercise: Option<NextExercise>,
    /// One sentence with the evidence.
    pub reason: String,
}

/// A student's progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProgressReport {
    /// Whose.
    pub user_id: UserId,
    /// The mean of all topics that have a score.
    pub overall: Standing,
    /// The streaks.
    pub streak: StreakReport,
    /// All modules, in teaching order.
    pub modules: Vec<ModuleReport>,
    /// What to do next, best first, at most three.
    pub next: Vec<NextReport>,
}

/// A day of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayReport {
    /// The day in the student's time zone.
    pub date: NaiveDate,
    /// The overall score at its end; `null` before there was evidence.
    pub score: Option<u8>,
    /// Solutions and quizzes that were submitted on it.
    pub graded: u32,
}

/// A student's progress day by day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProgressHistory {
    /// Whose.
    pub user_id: UserId,
    /// The last days, oldest first.
    pub days: Vec<DayReport>,
}

/// Whether the course has a topic.
#[must_use]
pub fn is_topic(slug: &str) -> bool {
    curriculum::embedded().topic(slug).is_some()
}

/// A student's activities and time zone.
async fn load_activities(
    conn: &mut PgConnection,
    student: UserId,
) -> sqlx::Result<Option<(Vec<Activity>, TimeZone)>> {
    let Some(zone) = storage::users::time_zone(conn, student).await? else { return Ok(None) };
    let activities = storage::activities::of_mastery(conn, student).await?;
    Ok(Some((activities, zone)))
}

/// A student's progress now; `None` without an account.
///
/// # Errors
/// The database's own.
pub async fn load(
    conn: &mut PgConnection,
    student: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<ProgressReport>> {
    let Some((activities, zone)) = load_activities(conn, student).await? else { return Ok(None) };
    let progress = Progress::of(&activities, zone, zone.day(now));
    let mut report = report(student, &progress);
    choose_exercises(conn, student, &mut report.next).await?;
    Ok(Some(report))
}

async fn choose_exercises(
    conn: &mut PgConnection,
    student: UserId,
    next: &mut [NextReport],
) -> sqlx::Result<()> {
    let topics: Vec<String> = next.iter().map(|step| step.topic.clone()).collect();
    let difficulties: Vec<String> =
        next.iter().map(|step| step.difficulty.as_str().to_owned()).collect();
    for found in storage::exercises::unsolved(conn, student, &topics, &difficulties).await? {
        let place = usize::try_from(found.place - 1).ok();
        if let Some(step) = place.and_then(|place| next.get_mut(place)) {
            let id = ExerciseId::from_uuid(found.id);
            step.exercise = Some(NextExercise { id, title: found.title });
        }
    }
    Ok(())
}

/// A student's history of the last `days` days, at most [`MOST_DAYS`]; `None` without an account.
///
/// # Errors
/// The database's own.
pub async fn load_history(
    conn: &mut PgConnection,
    student: UserId,
    now: DateTime<Utc>,
    days: u32,
) -> sqlx::Result<Option<ProgressHistory>> {
    let Some((activities, zone)) = load_activities(conn, student).await? else { return Ok(None) };
    let days = progress::history(&activities, zone, zone.day(now), days.min(MOST_DAYS));
    let day =
        |day: progress::Day| DayReport { date: day.date, score: day.score, graded: day.graded };
    Ok(Some(ProgressHistory { user_id: student, days: days.into_iter().map(day).collect() }))
}

/// The report of a student's progress, without exercises to do next.
#[must_use]
pub fn report(student: UserId, progress: &Progress) -> ProgressReport {
    let course = curriculum::embedded();
    let topics: Vec<CourseTopic<'_>> = course
        .modules
        .iter()
        .flat_map(|module| &module.topics)
        .map(|topic| CourseTopic {
            slug: &topic.slug,
            title: &topic.title,
            prerequisites: &topic.prerequisites,
        })
        .collect();
    let next = next_steps(&topics, progress).into_iter().map(|step| NextReport {
        topic: step.topic,
        difficulty: step.difficulty,
        exercise: None,
        reason: step.reason,
    });
    let streak = progress.streak();
    ProgressReport {
        user_id: student,
        overall: Standing::of(progress.overall()),
        streak: StreakReport { current: streak.current, longest: streak.longest },
        modules: course.modules.iter().map(|module| module_report(module, progress)).collect(),
        next: next.collect(),
    }
}

fn module_report(module: &curriculum::Module, progress: &Progress) -> ModuleReport {
    let found: BTreeMap<&str, &TopicProgress> =
        progress.topics.iter().map(|(slug, topic)| (slug.as_str(), topic)).collect();
    let topics: Vec<TopicReport> = module
        .topics
        .iter()
        .map(|topic| topic_report(topic, found.get(topic.slug.as_str()).copied(), progress.today))
        .collect();
    let score = mastery::overall(topics.iter().filter_map(|topic| topic.standing.score));
    ModuleReport {
        slug: module.slug.clone(),
        title: module.title.clone(),
        standing: Standing::of(score),
        topics,
    }
}

fn topic_report(
    topic: &curriculum::Topic,
    found: Option<&TopicProgress>,
    today: NaiveDate,
) -> TopicReport {
    let memory = found.and_then(|found| found.memory);
    let components = found.map(|found| found.components).unwrap_or_default();
    let rounded = |probability: f64| (probability * 1e3).round() / 1e3;
    TopicReport {
        slug: topic.slug.clone(),
        title: topic.title.clone(),
        standing: Standing::of(found.and_then(|found| found.score)),
        components: ComponentsReport {
            exercises: components.exercises,
            quizzes: components.quizzes,
            quality: components.quality,
            consistency: components.consistency,
        },
        evidence: found.map(|found| found.evidence).unwrap_or_default(),
        known: found.filter(|_| memory.is_some()).map(|found| rounded(found.known)),
        recall: memory.map(|memory| rounded(memory.recall(today))),
        review_on: memory.map(|memory| memory.due_on()),
    }
}
