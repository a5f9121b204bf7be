//! The state of a Kafka cluster, for operators.

mod groups;
mod lanes;
mod patience;
mod records;
mod topics;

pub use groups::{GroupLag, GroupState, groups, lag, members};
pub use lanes::{FunctionLanes, LaneState, all_lanes, lanes};
pub use records::{Place, RECORDS_LIMIT, locate};
pub use topics::{TopicSettings, TopicState, settings, topics};
