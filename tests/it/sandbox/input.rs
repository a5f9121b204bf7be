//! Programs that read input.

use domain::execution::Program;
use domain::execution::Verdict::{Error, Ok};
use serde_json::json;

use super::{check, prints, row};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standard_input_is_what_was_sent() {
    check(vec![
        row("83", "name = input()", Error)
            .says("EOFError")
            .says("no input was given")
            .says("line 1"),
        row("84a", "int(input())", Error)
            .with("stdin", "12a\n")
            .says("tries to turn '12a' into a number"),
        row("84b", "int(input())", Error).with("stdin", "\n").says("The text is empty"),
        row("85a", "input()\ninput()", Error).with("stdin", "one\n").says("one line was given"),
        prints("85b", "print([input(), input()])", "['a ', 'b']\n").with("stdin", "a \r\nb"),
        prints("86a", "import sys\nfor line in sys.stdin: print(line.strip())", "a\nb\n")
            .with("stdin", "a\nb\n"),
        prints("86b", "import sys\nprint(sys.stdin.read())", "a\nb\n\n").with("stdin", "a\nb\n"),
        prints("86c", "print(open(0).read())", "a\n\n").with("stdin", "a\n"),
        row("87", "open('/dev/stdin').read()", Error)
            .with("stdin", "a\n")
            .says("only your own files"),
        row("88", "import sys\nsys.stdin.close()\ninput()", Error).says("ValueError"),
        prints("89", "print(len(input()))", "3\n").with("stdin", "a\0b\n"),
        row("90", "import getpass\nprint(getpass.getpass())", Ok)
            .with("stdin", "secret\n")
            .says("secret"),
        row("91a", "breakpoint()", Error).says("debugger is not available here"),
        row("91b", "import pdb\npdb.set_trace()", Error).says("debugger is not available here"),
        row("91c", "import code\ncode.interact()", Ok).or(domain::execution::Verdict::Exit),
        row("92", "input = 5\ninput()", Error).says("`input`").says("is called like a function"),
    ])
    .await;
}

#[test]
fn too_much_input_is_refused_with_the_field() {
    let request = json!({ "code": "", "stdin": "x".repeat(300_000) });
    let refused = serde_json::from_value::<Program>(request).expect_err("too long");
    assert!(refused.to_string().contains("at most 262144 characters"), "{refused}");
}
