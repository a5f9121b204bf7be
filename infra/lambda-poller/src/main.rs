//! The `lambda-poller` command.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::Parser;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

#[derive(Debug, Parser)]
#[command(name = "lambda-poller", version, about)]
struct Cli {
    /// Log more.
    #[arg(long, global = true)]
    verbose: bool,
    #[command(flatten)]
    arguments: lambda_poller::Arguments,
}

fn main() -> ExitCode {
    let Cli { verbose, arguments } = Cli::parse();
    log(if verbose { LevelFilter::DEBUG } else { LevelFilter::INFO });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(lambda_poller::run(arguments)),
        Err(error) => Err(error.into()),
    };
    done.unwrap_or_else(|error| {
        // If nobody reads it, there is nothing left to do.
        drop(writeln!(io::stderr(), "lambda-poller: {error:#}"));
        ExitCode::FAILURE
    })
}

/// To standard error: lines for people on a terminal, else JSON.
fn log(level: LevelFilter) {
    let is_terminal = io::stderr().is_terminal();
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let lines = if is_terminal {
        lines.compact().boxed()
    } else {
        lines.json().flatten_event(true).with_span_list(false).boxed()
    };
    let levels = Targets::new().with_default(LevelFilter::WARN).with_target("lambda_poller", level);
    tracing_subscriber::registry().with(lines.with_filter(levels)).init();
}
