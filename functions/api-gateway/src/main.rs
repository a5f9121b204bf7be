//! The gateway function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main("api-gateway", api_gateway::function)
}
