//! What administrators do: accounts and their rights, the cost of models, events that were given up, what happened to a
//! request, what waits where, and how the functions are.

mod dead_letters;
mod health;
mod lanes;
mod replays;
mod traces;
pub(crate) mod usage;
mod users;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::gateway::Gateway;

pub use self::{
    dead_letters::{DeadLetterDetail, DeadLetterPage, ListedDeadLetter, RecordedReplay},
    health::{Feature, FeatureState, InstallationHealth, PeriodicWork},
    lanes::{LaneList, ListedLane},
    replays::ReplayedDeadLetter,
    usage::{UsageReport, UsageRow},
    users::{Account, AccountChangeKind, AccountDetail, AccountPage, RecordedChange},
};

/// The endpoints for administrators.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(users::list))
        .routes(routes!(users::get, users::change))
        .routes(routes!(usage::get))
        .routes(routes!(dead_letters::list))
        .routes(routes!(dead_letters::get))
        .routes(routes!(replays::replay))
        .routes(routes!(traces::get))
        .routes(routes!(lanes::list))
        .routes(routes!(health::get))
}
