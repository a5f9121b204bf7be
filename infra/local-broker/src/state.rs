//! What every connection shares.

use std::{fs, net::SocketAddr, sync::atomic::AtomicI64};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{groups::Groups, offsets::CommittedOffsets, topics::Topics};

/// The broker's data, and who waits for more of it.
#[derive(Debug)]
pub(crate) struct State {
    /// Where clients are told to find the broker.
    pub(crate) advertised: SocketAddr,
    pub(crate) topics: Mutex<Topics>,
    pub(crate) groups: Mutex<Groups>,
    pub(crate) offsets: Mutex<CommittedOffsets>,
    pub(crate) last_producer_id: AtomicI64,
    /// Counts appends; whoever waits for records wakes up.
    pub(crate) appended: watch::Sender<u64>,
    /// Held open, and so locked, as long as the broker runs.
    pub(crate) _lock: fs::File,
}
