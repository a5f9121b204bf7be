//! The product's benches, in one binary, since everything that links the product takes long to build.

mod agents;
mod alerts;
mod load;
mod sandbox;
mod sockets;
mod tables;

use std::process::ExitCode;

/// The benches.
const USAGE: &str = "\
bench load                     questions alone and all at once, then answered by a slow model
bench model                    the second half of that
bench history COUNT            what questions cost with so many of others, and of the same student, before them
bench registrations COUNT      what registrations leave in memory
bench questions COUNT          what questions leave in memory
bench sockets COUNT            what so many open sockets cost, and how long messages take to them
bench agents                   how long each agent takes, alone, asked about the whole course
bench alerts COUNT             how long it takes from the fifth failed run of so many students to the teacher's socket
bench tables PROGRESS EVENTS   how long every statement takes with so many rows of both, and what hangs on them
bench sandbox                  runs beside starts of python3, and what a traced step costs
bench sandbox fuzz [SECONDS]   whether random programs can make the sandbox fail
bench sandbox soak [COUNT] [SEED]   whether hostile ones can, and what memory they leave taken";

fn main() -> anyhow::Result<ExitCode> {
    // Some benches run programs in processes of this executable.
    if let Some(ended) = code_execution::work_if_asked() {
        return Ok(ended);
    }
    tokio::runtime::Runtime::new()?.block_on(measure())?;
    Ok(ExitCode::SUCCESS)
}

async fn measure() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["load"] => load::all().await,
        ["model"] => load::with_model().await,
        ["history", count] => load::history(count.parse()?).await,
        ["registrations", count] => load::registrations(count.parse()?).await,
        ["questions", count] => load::questions(count.parse()?).await,
        ["agents"] => agents::run().await,
        ["alerts", count] => alerts::run(count.parse()?).await,
        ["sockets", count] => sockets::run(count.parse()?).await,
        ["tables", progress, events] => tables::run(progress.parse()?, events.parse()?).await,
        ["sandbox", ref more @ ..] => sandbox::main(more).await,
        _ => anyhow::bail!("{USAGE}"),
    }
}
