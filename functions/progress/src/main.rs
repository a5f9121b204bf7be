//! The progress function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(&progress::SPEC, progress::function)
}
