//! The numbers of a mapping.

/// What a mapping says, in the units of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Most records in a batch.
    pub(crate) batch_size: usize,
    /// How long the first record of a batch waits for others.
    pub(crate) window_ms: i64,
    /// Most bytes of records and lanes in an event.
    pub(crate) records_limit: usize,
    /// The bytes that a lane's name takes in an event.
    pub(crate) lane_size: usize,
    /// Most invocations at once. There never are more than lanes.
    pub(crate) concurrency: usize,
    /// Whether a batch is split after an error.
    pub(crate) bisects: bool,
    /// How often a part is tried again; forever if absent.
    pub(crate) retry_limit: Option<u32>,
    /// How old a record may be; any age if absent.
    pub(crate) record_age_limit_ms: Option<i64>,
    /// Whether records that are given up go somewhere.
    pub(crate) has_destination: bool,
    /// The pause after a first failure; each further one doubles it.
    pub(crate) retry_wait_ms: i64,
    /// The longest pause.
    pub(crate) retry_wait_limit_ms: i64,
}

impl Policy {
    /// The pause after so many failures in a row.
    pub(super) fn wait_ms(&self, failures: u32) -> i64 {
        let doublings = failures.saturating_sub(1).min(30);
        self.retry_wait_ms.saturating_mul(1 << doublings).min(self.retry_wait_limit_ms)
    }
}
