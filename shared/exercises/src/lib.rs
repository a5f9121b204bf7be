//! Exercises: what they are, what they must pass before a student sees them, and how solutions are graded, as pure
//! steps around runs that the caller makes.
//!
//! Belongs here: an exercise with its test cases and variations, the gates that it passes, grading, and what help
//! reveals. Never here: running, storing, or the course's own content.

mod exercise;
mod gates;
mod grade;
mod leak;
mod parsons;
mod show;
mod variations;

pub use exercise::{Exercise, Template, TestCase};
pub use gates::{Fault, Report, Trial, fill_in_expected, judge, judge_task, trials};
pub use grade::{Before, Unjudged, grade};
pub use leak::{reveals_solution, same_as};
pub use parsons::{Block, MIN_FAILED, Parsons, parsons};
pub use show::assigned;
pub use variations::{id, variations};
