//! What has been done about an alert.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of an alert. It only moves forward: a resolved one stays resolved, and if the student struggles again there
/// is a new alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// Nobody has seen to it yet.
    Open,
    /// A teacher sees to it.
    Acknowledged,
    /// It is over: the student has recovered, or a teacher says so.
    Resolved,
}

/// An alert that is resolved cannot be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the alert is resolved already")]
pub struct AlreadyResolved;

impl AlertStatus {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Resolved];

    /// The state after a teacher says that they see to it; doing it twice changes nothing.
    ///
    /// # Errors
    /// It is resolved.
    pub const fn acknowledged(self) -> Result<Self, AlreadyResolved> {
        match self {
            Self::Open | Self::Acknowledged => Ok(Self::Acknowledged),
            Self::Resolved => Err(AlreadyResolved),
        }
    }

    /// The state after a teacher says that it is over, from whatever state; doing it twice changes nothing.
    #[must_use]
    pub const fn resolved(self) -> Self {
        Self::Resolved
    }

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AlertStatus, AlreadyResolved};

    #[test]
    fn an_alert_only_moves_forward() {
        use AlertStatus::{Acknowledged, Open, Resolved};
        for (from, acknowledged) in [
            (Open, Ok(Acknowledged)),
            (Acknowledged, Ok(Acknowledged)),
            (Resolved, Err(AlreadyResolved)),
        ] {
            assert_eq!(from.acknowledged(), acknowledged, "{from:?}");
            assert_eq!(from.resolved(), Resolved, "{from:?}");
        }
    }
}
