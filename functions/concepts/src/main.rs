//! The concepts function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(&concepts::SPEC, concepts::function)
}
