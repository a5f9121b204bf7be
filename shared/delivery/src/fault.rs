//! Named points between the runtime's steps, at which a test can make the process die.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// A moment between two steps of handling an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultPoint {
    /// Received, nothing done.
    Received,
    /// Handled, nothing committed.
    Handled,
    /// Committed, not published.
    Committed,
    /// On the broker, not recorded as published.
    Published,
    /// Done, the offset not stored.
    Acknowledging,
}

impl FaultPoint {
    /// Every point, in the order in which an event passes them.
    pub const ALL: [Self; 5] =
        [Self::Received, Self::Handled, Self::Committed, Self::Published, Self::Acknowledging];
}

/// Stops work for good at a point, once; does nothing unless a test arms it.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<Armed>>);

struct Armed {
    at: Mutex<Option<(&'static str, FaultPoint)>>,
    reached: Notify,
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&self.0.is_some()).finish()
    }
}

impl Faults {
    /// The first work in `function` that reaches `point` never continues.
    #[must_use]
    pub fn armed(function: &'static str, point: FaultPoint) -> Self {
        let at = Mutex::new(Some((function, point)));
        Self(Some(Arc::new(Armed { at, reached: Notify::new() })))
    }

    /// Waits until the point is reached.
    pub async fn reached(&self) {
        match &self.0 {
            Some(armed) => armed.reached.notified().await,
            None => std::future::pending().await,
        }
    }

    pub(crate) async fn pass(&self, function: &str, point: FaultPoint) {
        let Some(armed) = &self.0 else { return };
        let dies = {
            let mut at = armed.at.lock();
            let dies = at.is_some_and(|(name, place)| name == function && place == point);
            if dies {
                *at = None;
            }
            dies
        };
        if dies {
            armed.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }
}
