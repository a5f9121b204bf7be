//! How many events wait for the publisher or the broker.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Bytes of events that wait for the publisher or the broker: some hundred of the largest.
const QUEUE_BYTES: usize = 64 << 20;
/// Events in transit to the broker at once; fewer than its client can hold.
pub(crate) const IN_FLIGHT_LIMIT: usize = 5_000;

/// Counts them, and bounds their bytes.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    count: AtomicUsize,
    bytes: AtomicUsize,
    empty: Notify,
}

impl Pending {
    /// Reserves space for events; `false` if they do not fit.
    pub(crate) fn add(&self, count: usize, bytes: usize) -> bool {
        if self.bytes.fetch_add(bytes, Ordering::AcqRel) + bytes > QUEUE_BYTES {
            self.bytes.fetch_sub(bytes, Ordering::AcqRel);
            return false;
        }
        self.count.fetch_add(count, Ordering::AcqRel);
        true
    }

    /// Frees the space of events that the broker has answered.
    pub(crate) fn left(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Counts events as done. Their tickets must be closed before: who waits for this notes the process's progress next.
    pub(crate) fn done(&self, count: usize) {
        if self.count.fetch_sub(count, Ordering::AcqRel) == count {
            self.empty.notify_waiters();
        }
    }

    /// Whether the relay would only add to the backlog.
    pub(crate) fn is_busy(&self) -> bool {
        self.bytes.load(Ordering::Acquire) > QUEUE_BYTES / 2
            || self.count.load(Ordering::Acquire) > IN_FLIGHT_LIMIT
    }

    /// Waits until nothing is pending.
    pub(crate) async fn emptied(&self) {
        loop {
            let notified = self.empty.notified();
            if self.count.load(Ordering::Acquire) == 0 {
                return;
            }
            notified.await;
        }
    }
}
