//! The debug function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(&debug::SPEC, debug::function)
}
