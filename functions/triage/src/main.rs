//! The triage function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(&triage::SPEC, triage::function)
}
