//! `docs/add-a-function.md`, followed literally in a copy of the repository.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use testing::outside_tools::forget_the_tests_package;

const RECIPE: &str = include_str!("../../docs/add-a-function.md");
/// Folders with build output or downloads, or that belong to one machine.
const LEFT_OUT: [&str; 3] = [".git", ".learnflow", "target"];
/// The longest for building and running the example. It takes seconds on top of what is already built; a machine that
/// builds something else at the same time takes minutes.
const LIMIT: Duration = Duration::from_secs(900);

/// A step of the recipe.
struct Step<'a> {
    path: &'a str,
    /// The line below which the text goes; `None` for a new file.
    after: Option<&'a str>,
    text: &'a str,
}

/// The fenced blocks that name a file, such as "toml Cargo.toml after "# ours"".
fn steps(recipe: &str) -> Vec<Step<'_>> {
    let blocks = recipe.split("```").skip(1).step_by(2);
    blocks
        .filter_map(|block| {
            let (info, text) = block.split_once('\n')?;
            let (_language, place) = info.split_once(' ')?;
            let (path, after) = match place.split_once(" after ") {
                Some((path, line)) => (path, Some(line.trim_matches('"'))),
                None => (place, None),
            };
            Some(Step { path, after, text })
        })
        .collect()
}

/// Copies a folder with the modification times of its files, so that cargo knows what it has built already.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("an entry");
        if LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a file can be copied");
            keep_time(&entry.path(), &File::options().write(true).open(&target).expect("the copy"));
        }
    }
    // A build script may watch a folder.
    keep_time(from, &File::open(to).expect("the copy"));
}

fn keep_time(of: &Path, copy: &File) {
    let modified = fs::metadata(of).and_then(|metadata| metadata.modified());
    copy.set_modified(modified.expect("a time")).expect("its time can be set");
}

fn follow(step: &Step<'_>, root: &Path) {
    let path = root.join(step.path);
    let text = match step.after {
        None => {
            fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
            step.text.to_owned()
        }
        Some(line) => {
            let text = fs::read_to_string(&path).expect("the file is there");
            let marked = format!("\n{line}\n");
            assert_eq!(text.matches(&marked).count(), 1, "{} has the line {line}", step.path);
            text.replacen(&marked, &format!("{marked}{}", step.text), 1)
        }
    };
    fs::write(path, text).expect("it can be written");
}

/// Runs cargo in the copy, with the dependencies that this test was built from.
async fn cargo(root: &Path, target: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root).args(arguments).arg("--offline").env("CARGO_TARGET_DIR", target);
    forget_the_tests_package(&mut command);
    let mut command = tokio::process::Command::from(command);
    let ended =
        tokio::time::timeout(LIMIT, command.stdin(Stdio::null()).kill_on_drop(true).output());
    let output = ended.await.expect("cargo ends in time").expect("cargo starts");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "cargo {arguments:?} in {}:\n{said}", root.display());
    // Other tests use it at this moment.
    assert!(!said.contains("Compiling code-execution"), "Python's image is made again:\n{said}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_is_added_as_the_recipe_says_handles_events() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let test = std::env::current_exe().expect("a path");
    let target: PathBuf = test.ancestors().nth(3).expect("target/debug/deps/it").to_path_buf();
    let folder = TempDir::new().expect("a temporary folder");
    let copied = folder.path().join("learnflow");
    copy(&root, &copied);
    for step in steps(RECIPE) {
        follow(&step, &copied);
    }
    let said = cargo(&copied, &target, &["test", "--workspace", "--test", "wordcount"]).await;
    assert!(said.contains("test a_question_is_measured ... ok"), "{said}");
    let listed = cargo(
        &copied,
        &target,
        &["check", "--workspace", "--bin", "learnflow", "--test", "wordcount"],
    )
    .await;
    assert!(listed.contains("Checking wordcount"), "{listed}");
}
