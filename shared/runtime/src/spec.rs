//! A function's static description.

use std::time::Duration;

use delivery::Schedule;
use events::Topic;

/// A function's name, triggers, events and requirements, in one place.
///
/// A function's crate has one as `SPEC`. The command-line tool collects them for deployments. What a function registers
/// must match its spec, else it does not start.
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
    /// Topics of its own events. Besides, every function emits dead letters to `dead.letters`.
    pub emits: &'static [Topic],
    /// Who may call its HTTP endpoints.
    pub http: Http,
    /// Whether it brings the database up to date when it starts, for long-running functions; one of them does. Where
    /// functions start for each request, `learnflow migrate` does.
    pub migrates: bool,
    /// The longest that one invocation may take, with all events of a batch.
    pub timeout: Duration,
    /// Memory that it needs at most.
    pub memory_mb: u32,
    /// Its periodic work.
    pub schedules: &'static [Schedule],
    /// Its own settings; those of every function are in [`crate::config::COMMON_SETTINGS`].
    pub settings: &'static [&'static str],
}

impl Spec {
    /// Megabytes under AWS Lambda, where they decide about processors, too: with 1,769 a function has one
    /// (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html), and none of ours uses more.
    #[must_use]
    pub const fn lambda_memory_mb(&self) -> u32 {
        const ONE_PROCESSOR: u32 = 1_769;
        if self.memory_mb < ONE_PROCESSOR { self.memory_mb } else { ONE_PROCESSOR }
    }
}

/// Who may call a function's HTTP endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Http {
    /// Anybody: the endpoints check access themselves.
    Public,
    /// Other parts of the system, with a token where the port is reachable from elsewhere.
    Internal,
}
