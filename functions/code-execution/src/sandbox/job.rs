//! A job for the sandbox, and its result.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use domain::execution::{FileContent, Verdict, Written};
use serde::{Deserialize, Serialize};

/// The program's file name.
pub const PROGRAM: &str = "main.py";

/// What is to be run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// The program, `main.py`.
    pub source: String,
    /// An expression that is evaluated after the program was loaded as by `import`.
    pub call: Option<String>,
    /// Standard input.
    pub stdin: String,
    /// Files next to the program.
    pub files: BTreeMap<String, String>,
    /// Makes `random`, `secrets`, `uuid` and the like reproducible.
    pub seed: Option<u64>,
    /// Steps to record; 0 for none.
    pub trace_steps: u32,
    /// The program's own time: on the processor, and in waits that it asked for.
    pub limit: Duration,
    /// Most time beyond `limit` in which the program could run but others had the processor.
    pub max_delay: Duration,
    /// When the files were made.
    pub now: DateTime<Utc>,
}

/// An uncaught exception, or why a program could not start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Raised {
    /// The exception's class.
    pub kind: String,
    /// Its message.
    pub message: String,
    /// The program's line, from 1.
    pub line: Option<u32>,
    /// In characters, from 1.
    pub column: Option<u32>,
    /// After the last character.
    pub end_column: Option<u32>,
    /// The function that raised it.
    pub function: Option<String>,
    /// Its base classes, nearest first.
    pub bases: Vec<String>,
    /// As Python prints it.
    pub traceback: String,
    /// The variables that the line mentions.
    pub variables: Vec<error_advice::Variable>,
}

/// How far a program got that is tested by a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Stage {
    /// Its own lines were running.
    #[default]
    Program,
    /// The call was being evaluated.
    Call {
        /// Whether the program had ended itself before its last line.
        left: bool,
    },
}

/// How a run went.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// How it ended.
    pub verdict: Verdict,
    /// As a shell would see it.
    pub exit_code: u8,
    /// What was written, in order.
    pub parts: Vec<Written>,
    /// Whether some output or some files were left out.
    pub truncated: bool,
    /// What ended it.
    pub raised: Option<Raised>,
    /// How far it got.
    pub stage: Stage,
    /// The value of `call`.
    pub value: Option<Evaluated>,
    /// The recording of the steps, in the notation of the guest's `steps.py`.
    pub steps: Option<String>,
    /// Files that are new or changed.
    pub files: BTreeMap<String, FileContent>,
    /// The program's own time, as in [`Job::limit`]; the scheduler measures this and the next two.
    pub duration: Duration,
    /// Processor time.
    pub cpu: Duration,
    /// Time in which it could run but others had the processor.
    pub delayed: Duration,
    /// The most memory that the program had, beyond the interpreter's own.
    pub memory_bytes: u64,
}

impl Run {
    /// The result of a program that could not be run; the cause is logged where it is known.
    pub(crate) fn not_run() -> Self {
        Self {
            verdict: Verdict::Internal,
            exit_code: 1,
            parts: Vec::new(),
            truncated: false,
            raised: None,
            stage: Stage::default(),
            value: None,
            steps: None,
            files: BTreeMap::new(),
            duration: Duration::ZERO,
            cpu: Duration::ZERO,
            delayed: Duration::ZERO,
            memory_bytes: 0,
        }
    }
}

/// The value of an expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// With Python's types. Between processes it is sent as a string, so that its nesting does not add to that of the
    /// message.
    #[serde(with = "crate::values::as_text")]
    pub value: crate::values::Value,
    /// As Python writes it.
    pub text: String,
}
