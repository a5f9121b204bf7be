#![allow(clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "x")]
use std::io::{BufRead, Write};
use std::process::{Command, Stdio};
use code_explanation::{explain, plan, subject, Question, Subject};
use domain::{execution::ExecutionResult, level::Level};
fn main() {
    // lines of {"code","question","level"}
    for line in std::io::stdin().lock().lines() {
        let v: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let code = v["code"].as_str().unwrap_or("");
        let q = v["question"].as_str().unwrap();
        let level: Level = serde_json::from_value(v["level"].clone()).unwrap_or_default();
        let s = subject(q, Some(code).filter(|c| !c.is_empty()));
        if v["only"].as_bool() == Some(true) { println!("{}", serde_json::json!({"q": q, "subject": format!("{s:?}")})); continue; }
        let s = s.unwrap_or(Subject::Program);
        let p = plan(code, &s);
        let mut run: Option<ExecutionResult> = None;
        let mut raw = serde_json::Value::Null;
        if let Some(p) = &p {
            let mut c = Command::new("timeout").args(["20", "python3", "/tmp/data/explain/trace.py"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            c.stdin.take().unwrap().write_all(serde_json::json!({"program": p.program, "stdin": p.stdin}).to_string().as_bytes()).unwrap();
            let out = c.wait_with_output().unwrap();
            raw = serde_json::from_slice(&out.stdout).unwrap_or_default();
            run = serde_json::from_value(raw.clone()).ok();
        }
        let began = std::time::Instant::now();
        let e = explain(Question { code, subject: &s, level }, p.as_ref(), run.as_ref());
        let ms = began.elapsed().as_millis();
        println!("{}", serde_json::json!({"q": q, "code": code, "subject": format!("{s:?}"), "title": e.title, "text": e.text, "topics": e.topics, "ms": ms as u64, "ran": run.is_some(), "plan": p.map(|p| p.example.map(|e| e.call)), "verdict": raw["verdict"], "run": if v["full"].as_bool()==Some(true) {raw} else {serde_json::Value::Null}}));
    }
}
