//! Exercises as they are set and verified: pure steps around runs that somebody else makes.
//!
//! Belongs here: what must hold before a student sees an exercise, and what is run to find out. Never
//! here: running, storing, or the course's own content.

mod gates;

pub use gates::{Fault, Report, Trial, expect_what_reference_gives, judge, trials};
