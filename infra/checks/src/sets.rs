//! The public sets as files: what several measurements read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The course tasks of the Refactory set: those that we develop with, and those that stay unseen.
pub(crate) const TASKS: [(&str, &[u8]); 2] =
    [("Refactory 1 to 3", &[1, 2, 3]), ("Refactory 4 and 5", &[4, 5])];

/// A set cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
pub struct SetError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

pub(crate) fn read(path: &Path) -> Result<String, SetError> {
    fs::read_to_string(path).map_err(|source| SetError { path: path.to_owned(), source })
}

/// The files of a folder in the order of their names; none if it is not there.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, SetError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |source| SetError { path: folder.to_owned(), source };
    let paths = fs::read_dir(folder).map_err(failed)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}
