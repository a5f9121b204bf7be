//! The worker process of the tests: their own program is libtest's.

use std::{path::Path, process::ExitCode};

fn main() -> ExitCode {
    let image = std::env::args().nth(2).unwrap_or_default();
    code_execution::workers::main(Path::new(&image))
}
