//! The product's nouns and rules, as plain functions over values.
//!
//! Belongs here: what would still be true if LearnFlow were played with paper cards. Never here: a
//! database, a network, a clock, randomness or logging.

pub mod agent;
pub mod difficulty;
pub mod execution;
pub mod hints;
pub mod level;
pub mod local_time;
pub mod notification;
pub mod struggle;
pub mod text;
pub mod trace;
mod trimmed;
pub mod user;
pub mod versioned;
