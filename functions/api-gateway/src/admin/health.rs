//! How the installation is, function by function. What the database and the broker say is collected, and a pure step
//! makes states of it.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use runtime::{
    Periodic as _, Sweep,
    cluster::GroupState,
    web::{Admin, Caller, Json, Problem},
};
use serde::{Deserialize, Serialize};
use storage::feature_health::{self as stored, Counted, Outcomes, PeriodicRun};
use utoipa::ToSchema;

use crate::gateway::Gateway;

/// Events that wait for a function beyond which it is too slow.
const HIGH_LAG: i64 = 1_000;
/// Age of an unsent event beyond which the broker is too slow: a relay sends within seconds.
const OLD: TimeDelta = TimeDelta::seconds(60);
/// What counts of the model and the sandbox.
const HOUR: TimeDelta = TimeDelta::hours(1);
/// What counts of dead letters.
const DAY: TimeDelta = TimeDelta::hours(24);
/// A run has a result within half a minute, or is lost.
const RUN_LIMIT: TimeDelta = TimeDelta::seconds(60);
/// Failures of a hundred beyond which something works badly, and beyond which it does not work.
const BAD_PERCENT: i64 = 10;
const DOWN_PERCENT: i64 = 50;
/// Fewer failures say nothing.
const FEW: i64 = 3;
/// Intervals of the hourly and minutely work after which it is missing.
const MISSED: i32 = 10;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeatureState {
    /// It works.
    Ok,
    /// It works, and somebody should look at it.
    Degraded,
    /// It does not work.
    Down,
}

/// A function, or something that all of them need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Feature {
    /// The function's name, or `broker`, `outbox`, `model`, `sandbox`, `periodic-work`.
    pub name: String,
    /// How it is.
    pub state: FeatureState,
    /// Why, in a sentence.
    pub summary: String,
}

/// When periodic work was last begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeriodicWork {
    /// The work.
    pub name: String,
    /// When.
    pub begun_at: DateTime<Utc>,
}

/// How the installation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstallationHealth {
    /// The worst state of all.
    pub state: FeatureState,
    /// When it was looked.
    pub checked_at: DateTime<Utc>,
    /// Each function that has handled events or given any up, and what all of them need.
    pub features: Vec<Feature>,
    /// The last runs of periodic work.
    pub periodic_work: Vec<PeriodicWork>,
}

/// How each function, the broker, the model and the sandbox are: what waits, what was given up, what failed.
#[utoipa::path(get, path = "/admin/health", operation_id = "get_installation_health", tag = "Administration",
    security(("bearer" = [])), responses((status = 200, body = InstallationHealth), (status = 403, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    _caller: Caller<Admin>,
) -> Result<Json<InstallationHealth>, Problem> {
    let now = gateway.services.clock.now();
    let facts = {
        let mut conn = gateway.services.store.connection().await?;
        Facts {
            now,
            groups: None,
            dead_letters: stored::dead_letters(&mut conn, now - DAY).await?,
            parked: stored::parked(&mut conn).await?,
            oldest_unsent: stored::oldest_unsent(&mut conn).await?,
            model: stored::model_calls(&mut conn, now - HOUR).await?,
            runs: stored::runs(&mut conn, now - HOUR, now - RUN_LIMIT).await?,
            periodic: stored::periodic_runs(&mut conn).await?,
        }
    };
    // Without the connection, since the broker may take seconds.
    let groups = gateway.services.groups().await;
    Ok(Json(assess(Facts { groups, ..facts })))
}

/// What is known.
#[derive(Debug)]
struct Facts {
    now: DateTime<Utc>,
    /// None if the broker does not answer.
    groups: Option<Vec<GroupState>>,
    dead_letters: Vec<Counted>,
    parked: Vec<Counted>,
    oldest_unsent: Option<DateTime<Utc>>,
    model: Outcomes,
    runs: Outcomes,
    periodic: Vec<PeriodicRun>,
}

fn feature(name: &str, state: FeatureState, summary: String) -> Feature {
    Feature { name: name.to_owned(), state, summary }
}

fn assess(facts: Facts) -> InstallationHealth {
    let mut features = functions(&facts);
    features.push(broker(facts.groups.as_deref()));
    features.push(outbox(facts.now, facts.oldest_unsent));
    features.push(success("model", "calls in the last hour", facts.model));
    features.push(success("sandbox", "runs in the last hour", facts.runs));
    features.push(sweeping(facts.now, &facts.periodic));
    let work = |run: PeriodicRun| PeriodicWork { name: run.name, begun_at: run.begun_at };
    InstallationHealth {
        state: features.iter().map(|feature| feature.state).max().unwrap_or(FeatureState::Ok),
        checked_at: facts.now,
        features,
        periodic_work: facts.periodic.into_iter().map(work).collect(),
    }
}

/// What is known about a function.
#[derive(Debug, Default)]
struct Known {
    group: Option<(usize, i64)>,
    dead_letters: i64,
    parked: i64,
}

fn functions(facts: &Facts) -> Vec<Feature> {
    let mut known: BTreeMap<&str, Known> = BTreeMap::new();
    for group in facts.groups.iter().flatten() {
        known.entry(&group.function).or_default().group = Some((group.members, group.lag));
    }
    for counted in &facts.dead_letters {
        known.entry(&counted.function).or_default().dead_letters = counted.count;
    }
    for counted in &facts.parked {
        known.entry(&counted.function).or_default().parked = counted.count;
    }
    known.into_iter().map(|(name, known)| function(name, &known)).collect()
}

fn function(name: &str, known: &Known) -> Feature {
    let Known { group, dead_letters, parked } = known;
    let (state, summary) = match group {
        Some((0, lag)) if *lag > 0 => {
            (FeatureState::Down, format!("{lag} events wait, and no instance handles them"))
        }
        Some((_, lag)) if *lag > HIGH_LAG => {
            (FeatureState::Degraded, format!("{lag} events wait: more come than are handled"))
        }
        _ if *parked > 0 => (
            FeatureState::Degraded,
            format!("{parked} of its events were refused by the broker and wait for an operator"),
        ),
        _ if *dead_letters > 0 => {
            (FeatureState::Degraded, format!("it has given up {dead_letters} events within a day"))
        }
        Some((_, 1)) => (FeatureState::Ok, "1 event waits".to_owned()),
        Some((_, lag)) => (FeatureState::Ok, format!("{lag} events wait")),
        None => (FeatureState::Ok, "it handles no events from the broker".to_owned()),
    };
    feature(name, state, summary)
}

fn broker(groups: Option<&[GroupState]>) -> Feature {
    match groups {
        Some(groups) => {
            let count = groups.len();
            feature("broker", FeatureState::Ok, format!("it answers, and knows {count} functions"))
        }
        None => {
            let summary = "it does not answer; what is accepted is kept and sent later";
            feature("broker", FeatureState::Down, summary.to_owned())
        }
    }
}

fn outbox(now: DateTime<Utc>, oldest: Option<DateTime<Utc>>) -> Feature {
    let Some(oldest) = oldest else {
        return feature("outbox", FeatureState::Ok, "no event waits for the broker".to_owned());
    };
    let age = now - oldest;
    let state = if age > OLD { FeatureState::Degraded } else { FeatureState::Ok };
    let seconds = age.num_seconds();
    feature(
        "outbox",
        state,
        format!("the oldest event that waits for the broker is {seconds} s old"),
    )
}

fn success(name: &str, what: &str, outcomes: Outcomes) -> Feature {
    let Outcomes { done, failed } = outcomes;
    let all = done + failed;
    if all == 0 {
        return feature(name, FeatureState::Ok, format!("no {what}"));
    }
    let percent = failed * 100 / all;
    let state = match percent {
        _ if failed < FEW => FeatureState::Ok,
        DOWN_PERCENT.. => FeatureState::Down,
        BAD_PERCENT.. => FeatureState::Degraded,
        _ => FeatureState::Ok,
    };
    feature(name, state, format!("{failed} of {all} {what} failed"))
}

/// Expired data is deleted every minute, so that is the work whose absence shows.
fn sweeping(now: DateTime<Utc>, periodic: &[PeriodicRun]) -> Feature {
    const NAME: &str = "periodic-work";
    let every = TimeDelta::from_std(Sweep::SCHEDULE.every).unwrap_or(TimeDelta::MAX);
    let last = periodic.iter().find(|run| run.name == Sweep::SCHEDULE.name);
    let Some(last) = last else {
        let summary = "expired data was never deleted here; see `learnflow sweep`";
        return feature(NAME, FeatureState::Degraded, summary.to_owned());
    };
    let age = now - last.begun_at;
    if age > every * MISSED {
        let minutes = age.num_minutes();
        let summary = format!("expired data was last deleted {minutes} minutes ago");
        return feature(NAME, FeatureState::Degraded, summary);
    }
    feature(NAME, FeatureState::Ok, "it runs".to_owned())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use runtime::{Periodic as _, Sweep, cluster::GroupState};
    use storage::feature_health::{Counted, Outcomes, PeriodicRun};

    use super::{Facts, FeatureState, assess};

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn healthy() -> Facts {
        let group =
            |function: &str, lag| GroupState { function: function.to_owned(), members: 1, lag };
        Facts {
            now: NOW,
            groups: Some(vec![group("triage", 0), group("concepts", 3)]),
            dead_letters: Vec::new(),
            parked: Vec::new(),
            oldest_unsent: None,
            model: Outcomes { done: 90, failed: 1 },
            runs: Outcomes { done: 2, failed: 0 },
            periodic: vec![PeriodicRun { name: Sweep::SCHEDULE.name.to_owned(), begun_at: NOW }],
        }
    }

    /// The one feature that is not in order, after a change of what is known.
    fn broken(change: impl FnOnce(&mut Facts)) -> (String, FeatureState, String) {
        let mut facts = healthy();
        change(&mut facts);
        let health = assess(facts);
        let mut all = health.features.into_iter().filter(|found| found.state != FeatureState::Ok);
        let found = all.next().expect("one is not in order");
        assert_eq!(health.state, found.state);
        assert_eq!(all.next(), None, "only one");
        (found.name, found.state, found.summary)
    }

    #[test]
    fn a_healthy_installation_is_ok() {
        let health = assess(healthy());
        assert_eq!(health.state, FeatureState::Ok, "{health:?}");
        let names: Vec<&str> = health.features.iter().map(|found| found.name.as_str()).collect();
        let expected =
            ["concepts", "triage", "broker", "outbox", "model", "sandbox", "periodic-work"];
        assert_eq!(names, expected);
    }

    #[test]
    fn each_fault_is_found_where_it_is() {
        let counted = |count| vec![Counted { function: "debug".to_owned(), count }];
        let groups = |facts: &mut Facts| facts.groups.take().expect("there are some");
        let late = TimeDelta::hours(2);
        for (name, state, words, found) in [
            (
                "triage",
                FeatureState::Down,
                "no instance",
                broken(|facts| {
                    let mut all = groups(facts);
                    (all[0].members, all[0].lag) = (0, 7);
                    facts.groups = Some(all);
                }),
            ),
            (
                "triage",
                FeatureState::Degraded,
                "2000 events wait",
                broken(|facts| {
                    let mut all = groups(facts);
                    all[0].lag = 2_000;
                    facts.groups = Some(all);
                }),
            ),
            (
                "debug",
                FeatureState::Degraded,
                "given up 2",
                broken(|facts| facts.dead_letters = counted(2)),
            ),
            (
                "debug",
                FeatureState::Degraded,
                "1 of its events",
                broken(|facts| facts.parked = counted(1)),
            ),
            (
                "outbox",
                FeatureState::Degraded,
                "7200 s",
                broken(|facts| facts.oldest_unsent = Some(NOW - late)),
            ),
            (
                "model",
                FeatureState::Degraded,
                "20 of 110",
                broken(|facts| facts.model = Outcomes { done: 90, failed: 20 }),
            ),
            (
                "sandbox",
                FeatureState::Down,
                "3 of 3",
                broken(|facts| facts.runs = Outcomes { done: 0, failed: 3 }),
            ),
            (
                "periodic-work",
                FeatureState::Degraded,
                "120 minutes",
                broken(|facts| facts.periodic[0].begun_at = NOW - late),
            ),
            (
                "periodic-work",
                FeatureState::Degraded,
                "never",
                broken(|facts| facts.periodic.clear()),
            ),
        ] {
            assert_eq!((found.0.as_str(), found.1), (name, state), "{}", found.2);
            assert!(found.2.contains(words), "{}", found.2);
        }
    }

    #[test]
    fn without_a_broker_functions_are_unknown() {
        let health = assess(Facts { groups: None, ..healthy() });
        assert_eq!(health.state, FeatureState::Down);
        assert!(health.features.iter().all(|found| found.name != "triage"));
    }
}
