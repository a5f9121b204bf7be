//! What is known about a function before it starts.

use std::time::Duration;

use delivery::Schedule;
use events::Topic;

/// What a function is called, what starts it, what it emits, and what it needs: the one place for all of it.
///
/// A function's crate has one as `SPEC`. The command-line tool collects them; whoever deploys the functions reads them
/// there. What a function registers must agree with it, else it does not start.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Its name: also that of its crate, its binary and its folder.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub purpose: &'static str,
    /// Its port unless `PORT` says otherwise.
    pub port: u16,
    /// Topics whose events start it.
    pub consumes: &'static [Topic],
    /// Topics of its own events. What nobody can handle goes to `dead.letters`, for every function.
    pub emits: &'static [Topic],
    /// Who may call its HTTP endpoints.
    pub http: Http,
    /// Whether it brings the database up to date when it starts, for long-running functions; one of them does. Where
    /// functions start for each request, `learnflow migrate` does.
    pub migrates: bool,
    /// The longest that one invocation may take, with all events of a batch.
    pub timeout: Duration,
    /// Memory that it needs at its worst.
    pub memory_mb: u32,
    /// Work that it does again and again without an event.
    pub schedules: &'static [Schedule],
    /// Settings of its own; those of every function are in [`crate::config::COMMON_SETTINGS`].
    pub settings: &'static [&'static str],
}

/// Who may call a function's HTTP endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http {
    /// Anybody: the endpoints look after their own access.
    Public,
    /// Other parts of the system, with a token where the port is reachable from elsewhere.
    Internal,
}
