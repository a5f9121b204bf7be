//! The features of the poller, against Kafka's protocol and a function behind HTTP.

mod world;

mod batches;
mod control;
mod failures;
mod fixtures;
mod readme;
mod set_up;
