//! Exercises as they are set, verified and graded: pure steps around runs that somebody else makes.
//!
//! Belongs here: what must hold before a student sees an exercise, what a solution is worth, and what help
//! gives away. Never here: running, storing, or the course's own content.

mod bank;
mod gates;
mod grade;
mod leak;
mod parsons;
mod show;

pub use bank::{BankExercise, bank, id, variations};
pub use gates::{Fault, Report, Trial, expect_what_reference_gives, judge, judge_task, trials};
pub use grade::{Before, Unjudged, grade};
pub use leak::{gives_away, same_as};
pub use parsons::{Block, MIN_FAILED, Parsons, parsons};
pub use show::set;
