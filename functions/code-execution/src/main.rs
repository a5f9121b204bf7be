//! The code-execution function, and its worker processes.

use std::process::ExitCode;

fn main() -> ExitCode {
    code_execution::work_if_asked()
        .unwrap_or_else(|| runtime::main(&code_execution::SPEC, code_execution::function))
}
