//! What the README says is there.

use std::{fs, path::Path, process::Command};

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(path).expect("it can be read")
}

/// The lines of a section.
fn section(title: &str) -> Vec<String> {
    let readme = read("README.md");
    let section = readme.split("\n## ").find(|section| section.starts_with(title));
    section.expect("the section is there").lines().map(str::to_owned).collect()
}

/// All text of a folder's Rust files.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else {
            text.push_str(&fs::read_to_string(&path).expect("a text"));
        }
    }
    text
}

#[test]
fn each_row_about_aws_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = sources(&root.join("src")) + &sources(&root.join("tests"));
    let rows: Vec<String> = section("Compared with AWS")
        .into_iter()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .collect();
    assert!(rows.len() > 30, "{} rows", rows.len());
    let mut faults = Vec::new();
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default().to_owned();
        let names: Vec<&str> =
            tests.split_whitespace().map(|name| name.trim_matches('`')).collect();
        if names.is_empty() || names.iter().any(|name| !is_test(&sources, name)) {
            faults.push(row);
        }
    }
    assert!(faults.is_empty(), "without a test:\n{}", faults.join("\n"));
}

/// Whether there is a test of this name: an attribute, then the function.
fn is_test(sources: &str, name: &str) -> bool {
    let Some(place) = sources.find(&format!("fn {name}(")) else { return false };
    let before = &sources[..place];
    before
        .rfind("test]")
        .or_else(|| before.rfind("::test("))
        .is_some_and(|at| !before[at..].contains("\n}"))
        || before.rfind("#[tokio::test").is_some_and(|at| !before[at..].contains("\n}"))
}

#[test]
fn all_flags_of_run_are_listed_and_no_others() {
    let program = env!("CARGO_BIN_EXE_lambda-poller");
    let output = Command::new(program).args(["run", "--help"]).output().expect("it runs");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let flags = |text: &str| {
        let words = text.split(|letter: char| !(letter.is_ascii_lowercase() || letter == '-'));
        let mut flags: Vec<String> = words
            .filter(|word| word.len() > 3 && word.starts_with("--") && !word.ends_with('-'))
            .map(str::to_owned)
            .collect();
        flags.sort();
        flags.dedup();
        flags
    };
    let defined: String = help
        .lines()
        .filter(|line| line.trim_start().starts_with('-'))
        .map(|line| format!("{line}\n"))
        .collect();
    let known: Vec<String> = flags(&defined)
        .into_iter()
        .filter(|flag| flag != "--help" && flag != "--verbose")
        .collect();
    let table: Vec<String> =
        section("All flags of `run`").into_iter().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(flags(&table.join("\n")), known);
}
