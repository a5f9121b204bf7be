//! The exercise function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(&exercise::SPEC, exercise::function)
}
