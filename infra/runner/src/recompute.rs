//! Works out students' progress again from the log of events, and says where it differs.

use std::collections::HashMap;

use anyhow::Context;
use clap::Args;
use domain::activity::Activity;
use ids::{EventId, UserId};
use runtime::{Clock, Outgoing, Store};
use storage::{event_log, users};
use uuid::Uuid;

use crate::terminal::say;

/// Students whose activities are held in memory at once: some hundreds of activities each.
const STUDENTS_AT_ONCE: i64 = 5_000;

/// What to work out again.
#[derive(Debug, Args)]
pub(crate) struct RecomputeArguments {
    /// The database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// One student; everybody without it.
    #[arg(long)]
    student: Option<Uuid>,
}

/// What was found.
#[derive(Debug, Default)]
struct Total {
    students: u64,
    topics: usize,
    different: usize,
}

/// Works out progress again. `false`: some of it was different.
pub(crate) async fn recompute(arguments: RecomputeArguments) -> anyhow::Result<bool> {
    let store = Store::open(&arguments.database_url)?;
    let mut total = Total::default();
    match arguments.student {
        Some(student) => {
            recompute_all(&store, &[UserId::from_uuid(student)], &mut total).await?;
        }
        None => {
            let mut last = UserId::from_uuid(Uuid::nil());
            loop {
                let students = {
                    let mut conn = store.connection().await.context("the database is away")?;
                    users::ids_after(&mut conn, last, STUDENTS_AT_ONCE).await?
                };
                let Some(next) = students.last() else { break };
                last = *next;
                recompute_all(&store, &students, &mut total).await?;
            }
        }
    }
    let Total { students, topics, different } = total;
    say(format_args!("{students} students, {topics} topics, {different} of them were different"));
    Ok(different == 0)
}

async fn recompute_all(
    store: &Store,
    students: &[UserId],
    total: &mut Total,
) -> anyhow::Result<()> {
    let mut activities: HashMap<UserId, Vec<Vec<Activity>>> =
        students.iter().map(|student| (*student, Vec::new())).collect();
    let mut position = 0;
    loop {
        let page = {
            let mut conn = store.connection().await.context("the database is away")?;
            event_log::page(&mut conn, position, &progress::EVENT_TYPES).await?
        };
        let events =
            store.keys().open_logged(page.events).await.context("events are unreadable")?;
        for event in &events {
            if let Some(of_student) = event.student.and_then(|id| activities.get_mut(&id)) {
                of_student.push(progress::activities_of(event));
            }
        }
        let Some(next) = page.next else { break };
        position = next;
    }
    for student in students {
        let from_log = activities.remove(student).unwrap_or_default();
        let mut tx = store.begin("recompute").await.context("the database is away")?;
        let Some(done) = progress::recompute(tx.conn(), *student, &from_log).await? else {
            continue;
        };
        let cause = EventId::from_uuid(Clock::System.new_id());
        tx.commit(cause, Outgoing::none(), Clock::System.now()).await?;
        for topic in done.different() {
            say(format_args!("{student}: {topic} was different"));
            total.different += 1;
        }
        total.students += 1;
        total.topics += done.after.len();
    }
    Ok(())
}
