//! The worker process of the tests, whose own executable is libtest's.

use std::process::ExitCode;

fn main() -> ExitCode {
    code_execution::work_if_asked().unwrap_or(ExitCode::FAILURE)
}
