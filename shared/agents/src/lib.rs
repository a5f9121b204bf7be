//! Agents as state machines, and the one driver that runs them: it loads what they need, stores their state while they
//! wait for a program or a model, emits what they decide, and resumes them.
//!
//! Belongs here: what all agents have in common. Never here: what an agent decides or says.

mod after_model;
mod budget;
mod call;
mod direct;
mod draft;
mod driver;
mod handlers;
mod lost;
mod program;
pub mod step;
mod store;

pub use direct::{Direct, ask};
pub use handlers::{AfterRun, Beginning, Handlers};
pub use lost::answer_lost_drafts;
pub use program::{code, plain_program};
pub use step::{Agent, Arrived, Ask, Begin, Effect, Load, Never, Next, Reply, Run, Step};
pub use store::find_exercise;
