//! Tools of other ecosystems that check our contracts, in the versions that their lock files name, installed once.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, ensure};

/// The folder of `node_modules` with what a `package-lock.json` names. `None`, with a clear message, if Node.js or npm
/// is missing.
///
/// # Errors
/// They are there, and the packages cannot be installed.
pub fn npm_packages(manifest: &Path) -> anyhow::Result<Option<PathBuf>> {
    if !is_there("node") || !is_there("npm") {
        skip("Node.js or npm");
        return Ok(None);
    }
    let lock = manifest.join("package-lock.json");
    let install = |folder: &Path| {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(manifest.join(file), folder.join(file))?;
        }
        // Packages' own install scripts are not needed here, and one of them reports to its maker.
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(Command::new("npm").args(arguments).current_dir(folder))
    };
    install_once("npm", &lock, install).map(Some)
}

/// A virtual environment of Python with what a `requirements.txt` names. `None`, with a clear message, if Python is
/// missing.
///
/// # Errors
/// It is there, and the packages cannot be installed.
pub fn python_packages(requirements: &Path) -> anyhow::Result<Option<PathBuf>> {
    if !is_there("python3") {
        skip("Python");
        return Ok(None);
    }
    let install = |folder: &Path| {
        run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let pip = folder.join("bin/pip");
        run(Command::new(pip).args(["install", "--quiet", "-r"]).arg(requirements))
    };
    install_once("python", requirements, install).map(Some)
}

/// The first of these programs that this machine has. `None`, with a clear message, if it has none of them.
#[must_use]
pub fn program(names: &[&str]) -> Option<String> {
    let found = names.iter().find(|name| is_there(name));
    if found.is_none() {
        skip(&names.join(" or "));
    }
    found.map(|name| (*name).to_owned())
}

fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn skip(missing: &str) {
    eprintln!("SKIPPED: {missing} is missing, so what needs it was not tested");
}

/// Installs into a folder below `target`, unless what is there was installed from the same lock file.
fn install_once(
    name: &str,
    lock: &Path,
    install: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    // Tests of one process run at the same time, and several need the same tool.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let owner = lock.parent().and_then(Path::file_name).unwrap_or_else(|| OsStr::new("tools"));
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let folder = target.join(format!("{}-{name}", owner.display()));
    let wanted = fs::read(lock).with_context(|| format!("{} cannot be read", lock.display()))?;
    let installed = folder.join("installed");
    if fs::read(&installed).is_ok_and(|done| done == wanted) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    install(&folder)?;
    fs::write(installed, wanted)?;
    Ok(folder)
}

pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?} does not start"))?;
    let text = [output.stdout, output.stderr].concat();
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&text));
    Ok(())
}

/// Removes from a command that builds something what cargo has set for the test that starts it.
///
/// Build scripts of dependencies watch these variables: with others they run again, and everything above them is built
/// again, under the hands of the tests that use it.
pub fn forget_the_tests_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let of_the_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_"];
        if of_the_package.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
}
