//! The code-review function.

use std::process::ExitCode;

fn main() -> ExitCode {
    runtime::main("code-review", code_review::function)
}
