//! What handling an event needs besides the event.

use environment::Clock;

use crate::{fault::Faults, kafka::Producer, store::Store};

/// What an attempt needs.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The function's name.
    pub function: &'static str,
    /// The database.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// Where a test makes the process die.
    pub faults: Faults,
    /// Sends live events, which are not stored.
    pub producer: Producer,
}
