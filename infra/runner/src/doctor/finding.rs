//! What a check finds.

use std::time::Duration;

/// The limit of a request to another server.
pub(crate) const REQUEST_LIMIT: Duration = Duration::from_secs(5);

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is in order.
    Fine(String),
    /// It works, and somebody should look at it.
    Warning(String),
    /// It does not work, with what to do.
    Fault(String),
}

impl Finding {
    /// Fine, or a fault.
    pub(crate) fn of(is_fine: bool, fine: String, fault: String) -> Self {
        if is_fine { Self::Fine(fine) } else { Self::Fault(fault) }
    }

    /// Fine, or a warning.
    pub(crate) fn warn(is_fine: bool, fine: String, warning: String) -> Self {
        if is_fine { Self::Fine(fine) } else { Self::Warning(warning) }
    }
}
