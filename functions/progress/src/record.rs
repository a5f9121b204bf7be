//! Records activities, and works out what they change.

use chrono::{DateTime, Utc};
use domain::{
    activity::Activity,
    level::Level,
    local_time::TimeZone,
    progress::Progress,
    struggle::{self, Change, WINDOW},
};
use events::progress_updated::{Mastery, ProgressUpdated};
use ids::{EventId, UserId};
use runtime::{HandlerError, Outgoing};
use sqlx::PgConnection;
use storage::{activities, progress};
use uuid::Uuid;

use crate::alerts;

/// What an event reports.
pub(crate) struct Report {
    pub(crate) cause: EventId,
    pub(crate) student: UserId,
    pub(crate) activities: Vec<Activity>,
    pub(crate) now: DateTime<Utc>,
}

/// Stores what is new, and announces what follows from it. Nothing is stored for a student without an account.
pub(crate) async fn record(
    conn: &mut PgConnection,
    report: Report,
    request: Uuid,
) -> Result<Outgoing, HandlerError> {
    let Report { student, now, .. } = report;
    if report.activities.is_empty() {
        return Ok(Outgoing::none());
    }
    let locked = activities::lock(conn, student).await.map_err(HandlerError::retry)?;
    let Some(zone) = locked else { return Ok(Outgoing::none()) };
    let new = activities::insert(conn, student, &report.activities).await;
    if new.map_err(HandlerError::retry)? == 0 {
        return Ok(Outgoing::none());
    }
    let mut outgoing = Outgoing::none();
    if report.activities.iter().any(|activity| activity.kind.counts_towards_mastery()) {
        let all = activities::of_mastery(conn, student).await.map_err(HandlerError::retry)?;
        let progress = as_of_last(&all, zone);
        let rows = progress::rows(&progress);
        progress::upsert(conn, student, &rows).await.map_err(HandlerError::retry)?;
        for updated in updates(&all, &progress, report.cause, student, request) {
            outgoing = outgoing.with(&updated)?;
        }
    }
    let recent = activities::recent(conn, student, now - WINDOW * 2).await;
    let recent = recent.map_err(HandlerError::retry)?;
    // Old activities that are reported late change the mastery, and are no reason to alarm anybody today.
    if recent.last().is_none_or(|last| now - last.at > WINDOW) {
        return Ok(outgoing);
    }
    let signals = struggle::signals(&recent);
    let open = storage::alerts::unresolved(conn, student).await.map_err(HandlerError::retry)?;
    let resolved = storage::alerts::resolved_since(conn, student, now - WINDOW).await;
    let resolved = resolved.map_err(HandlerError::retry)?;
    let changes = struggle::judge(&recent, &signals, &open, &resolved);
    let is_newest = recent.last().is_some_and(|last| last.id == report.cause);
    let opened = changes.iter().find_map(|change| match change {
        Change::Open { signal, .. } => struggle::nudge_after(signal),
        Change::Update { .. } | Change::Resolve { .. } => None,
    });
    let context = alerts::Context { student, request, cause: report.cause, now };
    for change in alerts::apply(conn, context, changes).await? {
        outgoing = outgoing.with(&change)?;
    }
    // A word to the student fits what was done just now, not what came late.
    let word = struggle::nudge(&recent).or(opened).filter(|_| is_newest);
    match word {
        Some(nudge) => outgoing.with(&alerts::nudge(context, nudge)),
        None => Ok(outgoing),
    }
}

/// The progress on the day of the last of these activities: what is stored depends on nothing but them.
pub(crate) fn as_of_last(activities: &[Activity], zone: TimeZone) -> Progress {
    let last = activities.last().map_or(DateTime::UNIX_EPOCH, |last| last.at);
    Progress::of(activities, zone, zone.day(last))
}

/// The new mastery of the topics that the event was about.
fn updates(
    all: &[Activity],
    progress: &Progress,
    cause: EventId,
    student: UserId,
    request: Uuid,
) -> Vec<ProgressUpdated> {
    let mastery = |score: u8| Mastery { score, level: Level::of_score(score) };
    let Some(overall) = progress.overall().map(mastery) else { return Vec::new() };
    let topics = all.iter().filter(|activity| activity.id == cause);
    topics
        .filter_map(|activity| {
            let topic = activity.topic.clone()?;
            let score = progress.topics.get(&topic)?.score?;
            let mastery = mastery(score);
            Some(ProgressUpdated {
                student_id: student,
                request_id: request,
                topic,
                mastery,
                overall,
            })
        })
        .collect()
}
