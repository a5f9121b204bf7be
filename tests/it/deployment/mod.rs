//! The deployment files are what the catalogue says, and the tools of those who read them find no fault.

mod agreement;
mod kubernetes;
mod monitoring;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

use runner::{
    deployment::{self, settings::SETTINGS},
    functions,
};
use testing::outside_tools::python_packages;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One test installs the tools, and the others wait for it.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The tools of a lock file, or `None` where there is no Python.
fn tools(folder: &str) -> Option<PathBuf> {
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("requirements.txt");
    python_packages(&requirements)
        .expect("the tools are installed")
        .map(|folder| folder.join("bin"))
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn the_committed_files_are_those_of_the_catalogue() {
    deployment::write(&root(), true).expect("`learnflow deploy-files .` changes nothing");
    let elsewhere = tempfile::TempDir::new().expect("a folder");
    deployment::write(elsewhere.path(), false).expect("they are written");
    let template = elsewhere.path().join("template.yaml");
    let text = std::fs::read_to_string(&template).expect("it is there");
    std::fs::write(&template, text.replace("learning.requests", "learning.reqests"))
        .expect("written");
    let fault = deployment::write(elsewhere.path(), true).expect_err("a changed file is found");
    assert!(fault.to_string().contains("template.yaml;"), "{fault}");
}

#[test]
fn it_is_known_where_every_setting_comes_from() {
    let known: Vec<&str> = SETTINGS.iter().map(|(name, ..)| *name).collect();
    let unique: BTreeSet<&str> = known.iter().copied().collect();
    assert_eq!(unique.len(), known.len(), "a setting is there twice");
    assert_eq!(unique, functions::settings());
}

#[test]
fn sam_and_cfn_lint_find_no_fault() {
    let Some(tools) = tools("sam") else { return };
    let check = |folder: &Path| {
        let sam = Command::new(tools.join("sam"))
            .args(["validate", "--lint", "--template", "template.yaml"])
            .env("AWS_DEFAULT_REGION", "eu-central-1")
            .env("SAM_CLI_TELEMETRY", "0")
            .current_dir(folder)
            .output()
            .expect("it starts");
        let lint = Command::new(tools.join("cfn-lint"))
            .arg("template.yaml")
            .current_dir(folder)
            .output()
            .expect("it starts");
        let is_valid = sam.status.success() && lint.status.success();
        if is_valid { Ok(()) } else { Err(said(&sam) + &said(&lint)) }
    };
    assert_eq!(check(&root()), Ok(()));
    let broken = tempfile::TempDir::new().expect("a folder");
    let text = std::fs::read_to_string(root().join("template.yaml")).expect("it is there");
    let text = text.replacen("ComparisonOperator:", "ComparisonOperater:", 1);
    std::fs::write(broken.path().join("template.yaml"), text).expect("it is written");
    let found = check(broken.path()).expect_err("an unknown property is found");
    assert!(found.contains("ComparisonOperater"), "{found}");
}

#[test]
fn the_costs_in_docs_are_those_that_are_computed() {
    let computed = Command::new("python3").arg(root().join("docs/costs.py")).output();
    // Without Python nothing is computed, here as in the other tests.
    let Ok(computed) = computed else { return };
    assert!(computed.status.success(), "{}", said(&computed));
    let shown = std::fs::read_to_string(root().join("docs/capacity.md")).expect("docs/capacity.md");
    let table = String::from_utf8(computed.stdout).expect("UTF-8");
    assert!(table.lines().count() > 10 && shown.contains(&table), "put in again:\n{table}");
    let read = |name: &str| std::fs::read_to_string(root().join(name)).expect("it is there");
    let mappings = read("template.yaml").matches("Type: MSK\n").count();
    assert!(read("docs/costs.py").contains(&format!("MAPPINGS = {mappings}\n")), "{mappings}");
}

/// What `infra/Dockerfile` ends with has the C library and the compiler's own, and nothing else; so has Lambda's.
#[test]
fn programs_need_no_library_that_an_image_lacks() {
    let program = std::env::current_exe().expect("this program");
    let read = Command::new("readelf").arg("--dynamic").arg(program).output().expect("readelf");
    let text = said(&read);
    let names = text.lines().filter(|line| line.contains("(NEEDED)"));
    let needed: Vec<&str> =
        names.filter_map(|line| line.split_once('[')?.1.strip_suffix(']')).collect();
    assert!(needed.contains(&"libc.so.6"), "{text}");
    let is_there = |name: &&str| {
        ["libc.", "libm.", "libgcc_s.", "ld-linux-"].iter().any(|known| name.starts_with(known))
    };
    let missing: Vec<&&str> = needed.iter().filter(|name| !is_there(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
