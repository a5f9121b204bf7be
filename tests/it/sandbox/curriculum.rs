//! The course's programs, run in the sandbox: examples print what they say and the same as in the
//! machine's own Python, quiz keys are true, exercises can be solved and their tests notice mistakes.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use super::workers;

fn native(code: &str, stdin: &str) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder for the program's files");
    let mut python = Command::new("python3")
        .args(["-I", "-X", "utf8", "-c", code])
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python3 is there");
    python.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("it reads");
    let output = python.wait_with_output().expect("it ends");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_the_course_claims_is_true() {
    let found = runner::course::check(curriculum::embedded(), &workers()).await;
    assert!(found.faults.is_empty(), "{}", found.faults.join("\n"));
    assert!(found.examples >= 140, "{found:?}");
    assert!(found.questions >= 100, "{found:?}");
    assert!(found.exercises >= 170, "{found:?}");
    assert!(found.mutants >= 800 && found.killed * 100 >= found.mutants * 95, "{found:?}");
}

#[test]
fn every_example_prints_the_same_natively() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for (topic, example) in curriculum::embedded().examples() {
        // An older Python may not run what the course teaches; where it does, it prints the same.
        if let Some(output) = native(&example.code, &example.stdin) {
            compared += 1;
            if output != example.output {
                wrong.push(format!("{topic}, «{}»: natively {output}", example.title));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 130, "only {compared} programs could be compared");
}
