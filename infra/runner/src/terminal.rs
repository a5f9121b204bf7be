//! Output for a person at a terminal.

use std::process::ExitCode;

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
