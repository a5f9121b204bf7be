//! Output for a person at a terminal.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

/// Ends a command with an error message.
#[expect(clippy::print_stderr, reason = "a command's answer to a person")]
pub(crate) fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("learnflow: {error:#}");
    ExitCode::FAILURE
}

/// Prints a line for the person at the terminal.
#[expect(clippy::print_stdout, reason = "a command's answer to a person")]
pub(crate) fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

/// A line that the next one replaces; only on a terminal.
pub(crate) fn progress(text: &str) {
    let mut terminal = io::stderr();
    if terminal.is_terminal() {
        let dots = if text.is_empty() { "" } else { " …" };
        // Progress that cannot be shown is no reason to stop.
        if write!(terminal, "\r\x1b[K{text}{dots}").and_then(|()| terminal.flush()).is_err() {
            tracing::debug!("no terminal to show progress on");
        }
    }
}
