//! Lanes that an operator has paused (`learnflow lanes`): a lane is what a function has to do of one partition.
//!
//! They are kept in the database, and each consumer looks there again and again: so a pause outlives restarts and
//! rebalances, whichever instance has the partition.

use std::{collections::HashMap, time::Duration};

use environment::chain;
use storage::paused_lanes;
use tokio::{sync::watch, task::JoinSet, time::MissedTickBehavior};

use crate::{database::bounded, scope::Scope};

/// How often a consumer looks: a change takes effect within that time. Short, since an operator waits for it; a look
/// costs one small query for each function.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A partition of a topic.
pub(crate) type Partition = (String, i32);

/// For each paused lane of a function the offset from which on its events are not handled.
pub(crate) type Stops = HashMap<Partition, i64>;

/// The paused lanes of one function, as they are in the database.
pub(crate) struct PausedLanes {
    /// `None` until they were read for the first time.
    stops: watch::Receiver<Option<Stops>>,
    /// Ends with this.
    _looking: JoinSet<()>,
}

impl PausedLanes {
    /// Begins to look.
    pub(crate) fn of(scope: Scope) -> Self {
        let (sender, stops) = watch::channel(None);
        let mut looking = JoinSet::new();
        looking.spawn(look(scope, sender));
        Self { stops, _looking: looking }
    }

    /// Completes after each look, with what was found.
    pub(crate) async fn looked_up(&mut self) -> Stops {
        loop {
            if self.stops.changed().await.is_err() {
                // Nobody looks any more: they stay as they are.
                std::future::pending::<()>().await;
            }
            if let Some(stops) = self.stops.borrow_and_update().clone() {
                return stops;
            }
        }
    }
}

/// Looks until nobody wants to know. While the database is away, paused lanes stay as they are.
async fn look(scope: Scope, sender: watch::Sender<Option<Stops>>) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let read = bounded(async {
            let mut conn = scope.store.connection().await?;
            paused_lanes::of_function(&mut conn, scope.function).await
        });
        match read.await {
            Ok(lanes) => {
                let stops: Stops = lanes
                    .into_iter()
                    .map(|lane| ((lane.topic, i32::from(lane.partition)), lane.stops_at))
                    .collect();
                sender.send_replace(Some(stops));
            }
            Err(error) => {
                tracing::debug!(function = scope.function, error = %chain(&error), "paused lanes cannot be read");
            }
        }
    }
}
