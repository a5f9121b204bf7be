//! The gateway function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(&api_gateway::SPEC, api_gateway::function)
}
