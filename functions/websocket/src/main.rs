//! The websocket function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(&websocket::SPEC, websocket::function)
}
