//! The code-review function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main(&code_review::SPEC, code_review::function)
}
