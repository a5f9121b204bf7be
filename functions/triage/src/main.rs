//! The triage function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main("triage", triage::function)
}
