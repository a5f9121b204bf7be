//! Classes: who teaches and attends them, what they are to do, and how they get on.

mod joining;
mod lookup;
mod manage;
mod roster;
mod roster_csv;
mod scores;
mod teachers;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::gateway::Gateway;

pub use self::{
    joining::JoinedClass,
    manage::{ClassDetail, ClassPage, ClassSummary},
    roster::{RosterImport, RosterPage, RosterRow, RosterState, RosterStudent, RowOutcome},
    roster_csv::CsvMistake,
    teachers::ClassTeacher,
};

/// The endpoints of classes.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(manage::create, manage::list))
        .routes(routes!(manage::get, manage::change))
        .routes(routes!(manage::renew_code))
        .routes(routes!(teachers::add))
        .routes(routes!(teachers::remove))
        .routes(routes!(roster::list, roster::import))
        .routes(routes!(roster::preview))
        .routes(routes!(roster::export))
        .routes(routes!(roster::remove))
        .routes(routes!(joining::join))
        .routes(routes!(joining::list))
        .routes(routes!(joining::leave))
}
