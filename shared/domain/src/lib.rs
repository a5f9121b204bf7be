//! The product's nouns and rules, as plain functions over values.
//!
//! Belongs here: what would still be true if LearnFlow were played with paper cards. Never here: a
//! database, a network, a clock, randomness or logging.

pub mod activity;
pub mod agent;
pub mod alert_status;
pub mod answer_report;
pub mod assignment;
pub mod difficulty;
pub mod draft_key;
pub mod execution;
pub mod forgetting;
pub mod hints;
pub mod invite_code;
pub mod knowledge;
pub mod level;
pub mod local_time;
pub mod mastery;
pub mod next_step;
pub mod notification;
pub mod progress;
pub mod quiz;
pub mod sentence;
pub mod streak;
pub mod struggle;
pub mod text;
pub mod trace;
mod trimmed;
pub mod user;
pub mod versioned;
