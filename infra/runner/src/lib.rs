//! The `learnflow` command: everything in one process for local use, and the operator's tools.
//!
//! Belongs here: starting the parts together, and talking to a person at a terminal. Never here: what
//! a function does, or what the runtime does for all of them.

mod ask;
pub mod asyncapi;
mod backends;
mod check;
mod course_rows;
mod dead_letters;
pub mod demo;
pub mod deployment;
mod dev;
pub mod doctor;
pub mod functions;
pub mod lanes;
mod msk;
mod operate;
mod recompute;
mod run;
mod terminal;
mod token;
pub mod traces;
pub mod users;

pub use dev::{Stack, StackOptions};

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use runtime::{
    config::{ConfigError, Settings},
    telemetry::{self, LogFormat, TelemetryConfig},
};
use tracing::level_filters::LevelFilter;

use self::terminal::{fail, say};

/// AI-tutored Python courses: the whole back end on this machine.
#[derive(Debug, Parser)]
#[command(name = "learnflow", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything: PostgreSQL, a Kafka broker and all functions. The default.
    Dev(dev::DevArguments),
    /// Play a class of students through a fortnight in a minute, and show what the teacher sees.
    Demo(demo::DemoArguments),
    /// Ask the tutor a question.
    Ask(ask::AskArguments),
    /// Run a Python program in the sandbox, like a student's.
    Run(run::RunArguments),
    /// Check everything in a course: examples, quizzes, exercises and their tests.
    CheckCourse(check::CourseArguments),
    /// Write the JSON Schemas of the course's files.
    CourseSchema(check::SchemaArguments),
    /// Measure the tutor on labelled cases.
    Quality(check::QualityArguments),
    /// Invoke Lambda functions on this machine with records from Kafka, as AWS does.
    Poll(Box<lambda_poller::Arguments>),
    /// Check an installation, and say what to do.
    Doctor(doctor::DoctorArguments),
    /// Work out students' progress again from the log of events; fails if any of it was different.
    Recompute(recompute::RecomputeArguments),
    /// List all functions, topics and settings, as Markdown.
    Functions,
    /// Print the contract of the events: an AsyncAPI document.
    Asyncapi,
    /// Write the files of all ways of deployment, from the catalogue of functions.
    DeployFiles {
        /// The folder of the repository.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Write nothing, and fail if a file is not as it would be written.
        #[arg(long)]
        check: bool,
    },
    /// Apply all migrations to a database.
    Migrate {
        /// The database.
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database_url: String,
    },
    /// Delete expired data. Long-running functions do so by themselves.
    Sweep {
        /// The database.
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database_url: String,
    },
    /// Create the topics on a Kafka cluster.
    Topics(operate::TopicArguments),
    /// Print a token for the functions' internal endpoints.
    Token(token::TokenArguments),
    /// Make the first administrator.
    Users(users::UserArguments),
    /// Show what happened to a question, a run or a solution, hop by hop.
    Trace(traces::TraceArguments),
    /// Show what each function has to do of each partition; pause, step and resume it.
    Lanes(lanes::LaneArguments),
    /// List, show and replay events that could not be handled or published.
    DeadLetters(dead_letters::DeadLetterArguments),
}

/// Runs the command line.
#[must_use]
pub fn main() -> ExitCode {
    // The functions of this process run programs in processes like this one.
    if let Some(ended) = code_execution::work_if_asked() {
        return ended;
    }
    let command = Cli::parse().command.unwrap_or_else(|| {
        // The default command takes its options from the environment alone.
        match Cli::parse_from(["learnflow", "dev"]).command {
            Some(command) => command,
            None => Command::Dev(dev::DevArguments::default()),
        }
    });
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let result = runtime.block_on(async {
        let _guard = telemetry::install(&telemetry_config(&command)?, "learnflow");
        match command {
            Command::Dev(arguments) => dev::run(arguments).await?,
            Command::Demo(arguments) => demo::run(arguments).await?,
            Command::Ask(arguments) => ask::run(arguments).await?,
            Command::Run(arguments) => return run::run(arguments).await,
            Command::CheckCourse(arguments) => return check::check_course(arguments).await,
            Command::CourseSchema(arguments) => return check::write_schemas(&arguments),
            Command::Quality(arguments) => return check::measure_quality(arguments).await,
            Command::Poll(arguments) => return lambda_poller::run(*arguments).await,
            Command::Doctor(arguments) => {
                let is_healthy = doctor::run(arguments).await?;
                return Ok(if is_healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            Command::Recompute(arguments) => {
                let is_equal = recompute::recompute(arguments).await?;
                return Ok(if is_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            Command::Functions => say(functions::markdown().trim_end()),
            Command::Asyncapi => say(asyncapi::json()?.trim_end()),
            Command::DeployFiles { folder, check } => deployment::write(&folder, check)?,
            Command::Migrate { database_url } => operate::migrate(&database_url).await?,
            Command::Sweep { database_url } => operate::sweep(&database_url).await?,
            Command::Token(arguments) => token::run(&arguments)?,
            Command::Topics(arguments) => operate::topics(arguments).await?,
            Command::Users(arguments) => users::run(arguments).await?,
            Command::Trace(arguments) => traces::run(arguments).await?,
            Command::Lanes(arguments) => lanes::run(arguments).await?,
            Command::DeadLetters(arguments) => dead_letters::run(arguments).await?,
        }
        Ok(ExitCode::SUCCESS)
    });
    result.unwrap_or_else(|error: anyhow::Error| fail(&error))
}

/// At a terminal: warnings in plain lines, unless `LOG_LEVEL` and `LOG_FORMAT` say otherwise. What the poller says are
/// its log lines.
fn telemetry_config(command: &Command) -> Result<TelemetryConfig, ConfigError> {
    let mut settings = Settings::from_process();
    let (format, level) = match command {
        Command::Poll(_) if io::stderr().is_terminal() => (LogFormat::Text, LevelFilter::INFO),
        Command::Poll(_) => (LogFormat::Json, LevelFilter::INFO),
        _ => (LogFormat::Text, LevelFilter::WARN),
    };
    let config = TelemetryConfig::read_or(&mut settings, format, level);
    settings.check().map(|()| config)
}
