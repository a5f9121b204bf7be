//! Classes: who teaches and attends them, what they are to do, and how they get on.

mod alerts;
mod assignments;
mod errors;
mod gradebook;
mod joining;
mod lookup;
mod manage;
mod overview;
mod roster;
mod roster_csv;
mod scores;
mod teachers;
mod timeline;
mod work;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::gateway::Gateway;

pub use self::{
    alerts::{ClassAlert, ClassAlertPage},
    assignments::{
        AssignmentDetail, AssignmentPage, AssignmentSummary, ClassAssignment, OwnAssignment,
        OwnAssignmentPage, StateCounts, StudentState,
    },
    errors::{ClassError, ClassErrorExample},
    joining::JoinedClass,
    manage::{ClassDetail, ClassPage, ClassSummary},
    overview::{
        ClassOverview, HeatMap, HeatMapStudent, HeatMapTopic, LevelCount, StrugglingStudent,
        TopicMastery,
    },
    roster::{RosterImport, RosterPage, RosterRow, RosterState, RosterStudent, RowOutcome},
    roster_csv::CsvMistake,
    teachers::ClassTeacher,
    timeline::{TimelineEntry, TimelinePage},
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
        .routes(routes!(overview::overview))
        .routes(routes!(overview::heatmap))
        .routes(routes!(errors::list))
        .routes(routes!(gradebook::export))
        .routes(routes!(assignments::create, assignments::list))
        .routes(routes!(assignments::get, assignments::delete))
        .routes(routes!(assignments::own))
        .routes(routes!(timeline::get))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::get))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(alerts::resolve))
        .routes(routes!(joining::join))
        .routes(routes!(joining::list))
        .routes(routes!(joining::leave))
}
