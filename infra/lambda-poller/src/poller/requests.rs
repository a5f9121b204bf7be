//! What people can ask of a mapping at work.

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use crate::engine::LaneView;

/// Where a lane goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Offset(i64),
    /// The first record that is not older; milliseconds since 1970.
    Time(i64),
}

/// What is asked; a partition, or all.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Request {
    View,
    Pause(Option<i32>),
    Resume(Option<i32>),
    Step(Option<i32>),
    Rewind(Option<i32>, Target),
}

/// A mapping as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MappingView {
    pub(crate) name: String,
    pub(crate) function: String,
    pub(crate) topic: String,
    pub(crate) group: String,
    /// What is wrong with Kafka.
    pub(crate) trouble: Option<String>,
    pub(crate) lanes: Vec<LaneView>,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    View(MappingView),
    /// What was done, in words.
    Done(String),
    /// Why nothing was done.
    Refused(String),
}

pub(super) type Reply = oneshot::Sender<Outcome>;
pub(crate) type Requests = mpsc::Receiver<(Request, Reply)>;
