//! The function's own settings.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use runtime::config::Settings;

use crate::workers::{self, Command, Workers};

/// The first argument of a worker process; the second is the image.
pub const WORKER_ARGUMENT: &str = "sandbox-worker";

/// Serves as a worker until the host is gone, if this program was started as a worker process.
#[must_use]
pub fn work_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    arguments.next().filter(|first| first == WORKER_ARGUMENT)?;
    let image = arguments.next().unwrap_or_default();
    Some(workers::main(Path::new(&image)))
}

/// The image where this program was built, or next to the program where it is installed.
#[must_use]
pub fn built_image() -> PathBuf {
    let installed = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join("python.cwasm")))
        .filter(|image| image.exists());
    installed.unwrap_or_else(|| PathBuf::from(env!("PYTHON_IMAGE")))
}

/// Memory of a worker process, for the 64 programs that it runs at once. One with all of its 50 MB, files and a deep
/// stack was measured at 97 MB.
const WORKER_MEMORY_MB: u64 = 6_400;

/// `PYTHON_IMAGE`: the image; `SANDBOX_WORKERS`: worker processes, by default one for each core; `SANDBOX_WORKER`: the
/// worker's program, by default this one; `SANDBOX_WORKER_MEMORY_MB`: the memory above which a worker is restarted.
pub(crate) fn workers(settings: &mut Settings) -> Option<Workers> {
    let image = settings.optional("PYTHON_IMAGE").map_or_else(built_image, PathBuf::from);
    if !Path::new(&image).exists() {
        settings.fault(format!("PYTHON_IMAGE: there is no file {}", image.display()));
        return None;
    }
    if settings.is_lambda() {
        return match Workers::thread(image) {
            Ok(workers) => Some(workers),
            Err(error) => {
                settings.fault(format!("PYTHON_IMAGE: {error}"));
                None
            }
        };
    }
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let count = settings.parsed("SANDBOX_WORKERS", cores);
    let megabytes = settings.parsed("SANDBOX_WORKER_MEMORY_MB", WORKER_MEMORY_MB);
    let program = settings.optional("SANDBOX_WORKER").map(PathBuf::from);
    let Some(program) = program.or_else(|| std::env::current_exe().ok()) else {
        settings.fault("SANDBOX_WORKER: the path of this program is not known");
        return None;
    };
    let arguments = vec![WORKER_ARGUMENT.to_owned()];
    Some(Workers::processes(
        &Command { program, arguments, image, max_memory: megabytes.saturating_mul(1 << 20) },
        count,
    ))
}
