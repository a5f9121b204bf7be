//! `learnflow run`, as a person uses it at a terminal.

use std::{
    fs,
    io::Write as _,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

/// Runs a program with arguments and input.
fn learnflow_run(code: &str, arguments: &[&str], stdin: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("hello.py");
    fs::write(&program, code).expect("it can be written");
    fs::write(folder.path().join("data.txt"), "from a file").expect("it can be written");
    let mut child = Command::new(env!("CARGO_BIN_EXE_learnflow"))
        .current_dir(folder.path())
        .args(["run", "hello.py"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(stdin.as_bytes()).expect("it reads");
    drop(pipe);
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn a_program_prints_and_ends_as_under_python_itself() {
    let code =
        "import sys\nprint('Hello,', input())\nprint('careful', file=sys.stderr)\nsys.exit(7)";
    let output = learnflow_run(code, &[], "Ada\n");
    assert_eq!(text(&output.stdout), "Hello, Ada\n");
    assert_eq!(text(&output.stderr), "careful\n");
    assert_eq!(output.status.code(), Some(7));
    let file = learnflow_run("print(open('data.txt').read())", &["data.txt"], "");
    assert_eq!(text(&file.stdout), "from a file\n");
}

#[test]
fn an_error_is_shown_as_python_shows_it_and_explained() {
    let output = learnflow_run("total = 1\nprint(totl)", &[], "");
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("Traceback (most recent call last):\n"), "{stderr}");
    assert!(stderr.contains("NameError: name 'totl' is not defined"), "{stderr}");
    assert!(stderr.contains("There is a `total`."), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
    let looper = learnflow_run("while True: pass", &["--timeout", "300"], "");
    // On a busy machine it takes longer than its limit, and says so.
    let stopped = text(&looper.stderr);
    assert!(stopped.starts_with("Timeout: stopped after 0."), "{stopped}");
    assert!(stopped.contains(" s, while it was on line 1"), "{stopped}");
    assert_eq!(looper.status.code(), Some(124));
}

#[test]
fn steps_and_json_are_printed_on_request() {
    let steps = learnflow_run("a = [1]\nb = a", &["--trace"], "");
    assert!(text(&steps.stdout).contains("a=list[1] b=list[1]"), "{}", text(&steps.stdout));
    let output =
        learnflow_run("import random\nprint(random.random())", &["--json", "--seed", "3"], "");
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&result["verdict"], &result["exit_code"]), (&json!("ok"), &json!(0)));
    let again = learnflow_run("import random\nprint(random.random())", &["--seed", "3"], "");
    assert_eq!(result["stdout"], text(&again.stdout));
}
