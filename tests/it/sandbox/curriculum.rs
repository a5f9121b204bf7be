//! The course's programs in the sandbox: examples print the output that the course shows, and the same as in the
//! machine's own Python; quiz keys are right; exercises can be solved, and their tests find mistakes.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use exercises::Exercise;
use serde_json::{Value, json};

use super::workers;

/// What programs print in the machine's own Python; `None` for those that end with an error.
fn native(programs: &Value) -> Vec<Option<String>> {
    let folder = tempfile::tempdir().expect("a folder for the programs' files");
    let mut python = Command::new("python3")
        .args(["-I", "-X", "utf8", "-c", include_str!("native.py")])
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there");
    let mut stdin = python.stdin.take().expect("a pipe");
    stdin.write_all(programs.to_string().as_bytes()).expect("it reads");
    drop(stdin);
    let output = python.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).expect("a list of outputs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_the_course_claims_is_true() {
    let found = checks::course::check(curriculum::embedded(), &workers()).await;
    assert!(found.faults.is_empty(), "{}", found.faults.join("\n"));
    assert!(found.examples >= 140, "{found:?}");
    assert!(found.questions >= 100, "{found:?}");
    assert!(found.exercises >= 170, "{found:?}");
    assert!(found.mutants >= 800 && found.killed * 100 >= found.mutants * 95, "{found:?}");
}

type Damage = fn(&mut Exercise);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exercise_with_a_fault_passes_no_gate() {
    let damages: [(&str, Damage); 11] = [
        ("the solution fails second_largest([4, 9, 7])", |e| {
            e.reference = e.reference.replace("[-2]", "[-1]");
        }),
        ("the starter code passes all tests", |e| e.starter = e.reference.clone()),
        ("functions that always return `None` pass", |e| {
            e.reference = "def second_largest(numbers):\n    return None\n".to_owned();
            e.tests.retain(|check| check.expected.as_deref() == Some("None"));
            for number in 0..4 {
                let mut check = e.tests[1].clone();
                check.call = Some(format!("second_largest([{number}])"));
                e.tests.push(check);
            }
        }),
        ("the tests notice", |e| {
            e.reference =
                e.reference.replace("different[-2]", "different[-2] + 0 * (1 + 2 * (3 - 4))");
        }),
        ("no test reaches line 3 of the solution", |e| {
            let rare = ":\n    if numbers == [8, 9]:\n        return 8\n";
            e.reference = e.reference.replacen(":\n", rare, 1);
        }),
        ("the solution has 72 statements", |e| {
            e.reference =
                e.reference.replacen(":\n", &format!(":\n{}", "    x = 1\n".repeat(68)), 1);
        }),
        ("it has 4 tests", |e| e.tests.truncate(4)),
        ("is also a visible one", |e| {
            let shown = e.tests[0].call.clone();
            e.tests[3].call = shown;
        }),
        ("needs either `expected` or `raises`", |e| {
            e.tests[0].raises = Some("ValueError".to_owned());
        }),
        ("the solution is not Python", |e| e.reference.push_str("def\n")),
        ("the solution must use `while`", |e| e.uses.push("while".to_owned())),
    ];
    let workers = workers();
    let mut all = curriculum::bank(curriculum::embedded());
    let good =
        all.find(|entry| entry.exercise.slug == "second-largest").expect("it is there").exercise;
    assert_eq!(checks::course::verify(good.clone(), &workers).await.faults, []);
    for (fault, damage) in damages {
        let mut exercise = good.clone();
        damage(&mut exercise);
        let faults = checks::course::verify(exercise, &workers).await.faults;
        assert!(
            faults.iter().any(|found| found.to_string().contains(fault)),
            "{fault}: {faults:?}"
        );
    }
}

#[test]
fn every_example_prints_the_same_natively() {
    let examples = curriculum::embedded().examples();
    let programs = examples.iter().map(|(_, it)| json!({ "code": it.code, "stdin": it.stdin }));
    let outputs = native(&programs.collect());
    assert_eq!(outputs.len(), examples.len());
    let mut compared = 0;
    let mut wrong = Vec::new();
    for ((topic, example), output) in examples.into_iter().zip(outputs) {
        // An older Python may not run what the course teaches; where it does, the output is the same.
        if let Some(output) = output {
            compared += 1;
            if output != example.output {
                wrong.push(format!("{topic}, \"{}\": natively {output}", example.title));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 130, "only {compared} programs could be compared");
}
