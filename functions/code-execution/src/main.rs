//! The code-execution function, and its worker processes.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().is_some_and(|first| first == code_execution::WORKER_ARGUMENT) {
        let image = arguments.next().unwrap_or_default();
        return code_execution::workers::main(Path::new(&image));
    }
    runtime::main(&code_execution::SPEC, code_execution::function)
}
