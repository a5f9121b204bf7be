//! The notification function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(&notification::SPEC, notification::function)
}
