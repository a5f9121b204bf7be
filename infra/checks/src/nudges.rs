//! How early students are nudged: a replay of recorded sessions in which experts marked when help was needed.
//!
//! The sessions are a table in the format `ProgSnap2`, as a working group at a conference in 2022 published
//! them (`FITech/MainTable.csv`): with seconds since the beginning, and a `Y` where two experts agreed to intervene.

use std::{collections::BTreeMap, fmt, path::Path};

use chrono::{DateTime, TimeDelta};
use domain::{
    activity::{Activity, Kind},
    difficulty::Difficulty,
    struggle::nudge,
};
use ids::{EventId, ExerciseId};

/// Sessions to replay: one student with one exercise each.
type Sessions = BTreeMap<(String, String), Session>;

/// A student with an exercise.
#[derive(Debug, Default)]
struct Session {
    /// Seconds and what was done then.
    steps: Vec<(f64, Kind)>,
    /// When experts agreed that help was needed, in seconds.
    points: Vec<f64>,
}

/// What a replay has shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Nudges {
    /// Sessions.
    pub sessions: usize,
    /// Points at which experts agreed that help was needed.
    pub points: usize,
    /// Of these, those before which there was a nudge.
    pub in_time: usize,
    /// Sessions with a nudge.
    pub nudged: usize,
    /// Of these, those in which experts saw no need for help from then on.
    pub needless: usize,
}

impl fmt::Display for Nudges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sessions, points, in_time, nudged, needless } = self;
        write!(
            f,
            "nudges: before {in_time} of {points} points at which experts agree that help is needed; in {nudged} of \
             {sessions} sessions, needless in {needless}"
        )
    }
}

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file's own.
    #[error("the table cannot be read")]
    Csv(#[from] csv::Error),
    /// A column that is not there.
    #[error("the table has no column {0}")]
    NoColumn(&'static str),
}

/// Replays the sessions of a table.
///
/// # Errors
/// The table cannot be read, or has other columns.
pub fn replay(table: &Path) -> Result<Nudges, TableError> {
    let mut nudges = Nudges::default();
    for session in read(table)?.into_values() {
        let first = first_nudge(&session);
        nudges.sessions += 1;
        nudges.points += session.points.len();
        if let Some(first) = first {
            nudges.nudged += 1;
            let later = session.points.iter().filter(|point| **point >= first).count();
            nudges.in_time += later;
            nudges.needless += usize::from(later == 0);
        }
    }
    Ok(nudges)
}

fn read(table: &Path) -> Result<Sessions, TableError> {
    let mut reader = csv::Reader::from_path(table)?;
    let headers = reader.headers()?.clone();
    let column = |name: &'static str| {
        // The first name may follow a byte order mark.
        let is_it = |header: &str| header.trim_start_matches('\u{feff}') == name;
        headers.iter().position(is_it).ok_or(TableError::NoColumn(name))
    };
    let (exercise, student) = (column("AssignmentID")?, column("SubjectID")?);
    let (event, time, needed) =
        (column("EventType")?, column("X-ElapsedTime")?, column("X-Intervene")?);
    let mut sessions = Sessions::new();
    for record in reader.records() {
        let record = record?;
        let field = |column: usize| record.get(column).unwrap_or_default();
        let key = (field(exercise).to_owned(), field(student).to_owned());
        let seconds: f64 = field(time).parse().unwrap_or_default();
        let session = sessions.entry(key).or_default();
        let kind = match field(event) {
            "File.Run" => Some(Kind::Run { error: None, program: None }),
            // The results are not in the table.
            "File.Submit" => Some(Kind::Submission {
                difficulty: Difficulty::Medium,
                score: 0,
                passed: false,
                quality: None,
                helped: false,
            }),
            _ if session.steps.is_empty() => Some(Kind::Given),
            _ => None,
        };
        session.steps.extend(kind.map(|kind| (seconds, kind)));
        if field(needed) == "Y" {
            session.points.push(seconds);
        }
    }
    Ok(sessions)
}

/// When the student is nudged first, in seconds.
fn first_nudge(session: &Session) -> Option<f64> {
    let exercise = ExerciseId::from_uuid(uuid::Uuid::nil());
    let numbered = session.steps.iter().zip(1_u128..);
    let activities: Vec<Activity> = numbered
        .map(|((seconds, kind), number)| {
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a session")]
            let millis = (seconds * 1e3) as i64;
            Activity {
                id: EventId::from_uuid(uuid::Uuid::from_u128(number)),
                source: None,
                at: DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis),
                topic: None,
                exercise: Some(exercise),
                kind: kind.clone(),
            }
        })
        .collect();
    let first = (1..=activities.len()).find(|count| nudge(&activities[..*count]).is_some())?;
    session.steps.get(first - 1).map(|(seconds, _)| *seconds)
}

#[cfg(test)]
mod tests {
    use super::{Nudges, replay};

    #[test]
    fn a_nudge_counts_for_the_points_after_it() {
        let table = "EventID,AssignmentID,SubjectID,EventType,X-ElapsedTime,X-Intervene\n\
                     1,A,S,File.Init,0,\n\
                     2,A,S,File.Edit,30,Y\n\
                     3,A,S,File.Run,60,\n\
                     4,A,S,File.Run,100,\n\
                     5,A,S,File.Edit,150,Y\n\
                     6,A,S,File.Edit,151,D\n\
                     7,A,T,File.Init,0,\n\
                     8,A,T,File.Run,300,\n";
        let path =
            std::env::temp_dir().join(format!("learnflow-nudges-{}.csv", std::process::id()));
        std::fs::write(&path, table).unwrap();
        let found = replay(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let expected = Nudges { sessions: 2, points: 2, in_time: 1, nudged: 1, needless: 0 };
        assert_eq!(found, expected);
    }
}
