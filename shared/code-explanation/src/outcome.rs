//! How the run of a program ended, in words.

use domain::execution::{ExecutionResult, Verdict};

use crate::{
    plan::{ANSWERS, Plan},
    value::{code, cut},
};

/// Most lines of output that are shown.
const LINES: usize = 8;
/// Most characters of a line.
const WIDTH: usize = 100;

/// How a run began of which there is nothing to say.
const PLAIN: &str = "I ran it.";

/// What a run was like.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What was run, and with which input.
    began: String,
    /// What it printed.
    printed: String,
    /// How it ended, if not at the program's end.
    ended: String,
}

impl Outcome {
    /// All of it.
    pub(crate) fn whole(&self) -> String {
        joined(&[&self.began, &self.printed, &self.ended])
    }

    /// Without what it printed; `None` if there is nothing else to say.
    pub(crate) fn short(&self) -> Option<String> {
        let text = joined(&[&self.began, &self.ended]);
        (text != PLAIN).then_some(text)
    }
}

fn joined(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    parts.join(" ").trim_end().to_owned()
}

/// What the run was like; `None` if it says nothing about the program: the sandbox failed, or our own call was at fault.
pub(crate) fn outcome(source: &str, plan: &Plan, run: &ExecutionResult) -> Option<Outcome> {
    let lines = u32::try_from(source.trim_end().lines().count()).unwrap_or(u32::MAX);
    let error = run.error.as_ref();
    let is_own = error.is_some_and(|error| {
        error.function.is_none() && error.line.is_some_and(|line| line <= lines)
    });
    if plan.example.is_some() && run.verdict != Verdict::Ok && !is_own {
        return None;
    }
    let mut began = began(plan, run);
    if source.contains("random") {
        began.push_str(" It uses chance, so another run can be different.");
    }
    let line = error.and_then(|error| error.line).filter(|line| *line <= lines);
    let place = line.map_or_else(String::new, |line| format!(" on line {line}"));
    let ended = match run.verdict {
        Verdict::Ok => String::new(),
        Verdict::Error => {
            let error = error?;
            match error.kind.as_str() {
                "EOFError" if !plan.stdin.is_empty() => format!(
                    "Then it asked for more input{place}; I had no more answers, so the run ended there."
                ),
                "FileNotFoundError" => format!(
                    "The run ended{place}: I do not have the files that it reads, so what comes after is known from its \
                     text only."
                ),
                kind => {
                    let message = cut(error.message.lines().next().unwrap_or_default(), WIDTH);
                    let message =
                        if message.is_empty() { String::new() } else { format!(": {message}") };
                    format!(
                        "The run ended{place} with an error: {}.",
                        code(&format!("{kind}{message}"))
                    )
                }
            }
        }
        Verdict::Exit => "It ended itself with an error status.".to_owned(),
        Verdict::Timeout | Verdict::Busy | Verdict::OutputLimit => {
            "It did not come to an end within the limits of a run here, so I stopped it.".to_owned()
        }
        Verdict::MemoryLimit => {
            "It needed more memory than a run may have here, so I stopped it.".to_owned()
        }
        Verdict::Recursion => format!("The run ended{place}: its calls were nested too deep."),
        Verdict::Deadlock => {
            "It waited for something that never comes, so I stopped it.".to_owned()
        }
        Verdict::SyntaxError
        | Verdict::Aborted
        | Verdict::SourceTooLarge
        | Verdict::Internal
        | Verdict::Unknown => {
            return None;
        }
    };
    Some(Outcome { began, printed: printed(&run.stdout), ended })
}

fn began(plan: &Plan, run: &ExecutionResult) -> String {
    let mut text = match &plan.example {
        Some(example) if example.is_described => {
            format!("I ran it with the example from its description, {}.", code(&example.call))
        }
        Some(example) => format!(
            "The program itself calls none of its functions, so I ran it with a call of my own, {}.",
            code(&example.call)
        ),
        None => PLAIN.to_owned(),
    };
    if !plan.stdin.is_empty() {
        let answers: Vec<&str> = ANSWERS.lines().collect();
        text.push_str(&format!(
            " I answered its questions with {}, in this order, as far as it asked.",
            answers.join(", ")
        ));
    }
    if run.stdout.is_empty() && run.verdict == Verdict::Ok && plan.example.is_none() {
        text.push_str(" It prints nothing.");
    }
    text
}

fn printed(stdout: &str) -> String {
    if stdout.trim().is_empty() {
        return String::new();
    }
    let mut lines: Vec<String> = stdout
        .trim_end()
        .lines()
        .take(LINES)
        .map(|line| cut(line, WIDTH).replace("```", "'''"))
        .collect();
    if stdout.trim_end().lines().count() > LINES {
        lines.push("…".to_owned());
    }
    format!("It printed:\n\n```text\n{}\n```\n\n", lines.join("\n"))
}
