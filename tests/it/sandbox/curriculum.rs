//! The course's programs: the same in the sandbox and in the machine's own Python.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use domain::execution::Verdict;
use serde_json::json;

use super::{run, workers};

fn native(code: &str, stdin: &str) -> Option<String> {
    let mut python = Command::new("python3")
        .args(["-I", "-c", code])
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
async fn every_program_of_the_course_prints_what_it_says_here_and_natively() {
    let workers = workers();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (topic, example) in curriculum::embedded().examples() {
        let request = json!({ "code": example.code, "stdin": example.stdin });
        let result = run(&workers, &request).await;
        if result.verdict != Verdict::Ok || result.stdout != example.output {
            wrong.push(format!("{topic}, «{}»: {result:?}", example.title));
        }
        // An older Python may not run what the course teaches; where it does, it prints the same.
        if let Some(output) = native(&example.code, &example.stdin) {
            compared += 1;
            if output != result.stdout {
                wrong.push(format!("{topic}, «{}»: natively {output}", example.title));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 60, "only {compared} programs could be compared");
}
