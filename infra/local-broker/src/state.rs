//! What every connection shares.

use std::{fs, net::SocketAddr, sync::atomic::AtomicI64};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{groups::Groups, offsets::CommittedOffsets, topics::Topics};

/// The broker's data, and notifications of new records.
#[derive(Debug)]
pub(crate) struct State {
    /// The advertised address.
    pub(crate) advertised: SocketAddr,
    pub(crate) topics: Mutex<Topics>,
    pub(crate) groups: Mutex<Groups>,
    pub(crate) offsets: Mutex<CommittedOffsets>,
    pub(crate) last_producer_id: AtomicI64,
    /// Counts appends, which wakes waiting consumers.
    pub(crate) appended: watch::Sender<u64>,
    /// Held open, and so locked, as long as the broker runs.
    pub(crate) _lock: fs::File,
}
