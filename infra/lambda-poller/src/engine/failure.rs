//! Records that are given up.

use std::sync::Arc;

use crate::{answer::FunctionError, record::Record};

/// How often a delivery to the on-failure destination is tried before somebody must look at it.
pub(crate) const DELIVERY_ATTEMPTS: u32 = 10;

/// Why records are not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// The function has failed too often.
    RetryAttemptsExhausted,
    /// They are older than the mapping permits.
    RecordAgeExceeded,
    /// A single record is too large for an event.
    MaximumPayloadSizeExceeded,
}

/// Records that are given up.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// Which.
    pub(crate) records: Vec<Arc<Record>>,
    /// Why.
    pub(crate) condition: Condition,
    /// How often the function was invoked with them.
    pub(crate) invocations: u32,
    /// The function's last error, if it was invoked.
    pub(crate) error: Option<FunctionError>,
}
