//! A local event source mapping: consumes Kafka and invokes AWS Lambda functions as AWS does, without AWS.
//!
//! Belongs here: what AWS does between a Kafka topic and a function, and tools to watch and steer it. Never here:
//! anything about a certain product.

mod answer;
mod arguments;
mod clock;
mod cluster;
mod commands;
mod control;
mod deliver;
mod destination;
mod embedded;
mod engine;
mod event;
mod faults;
mod filter;
mod fixtures;
mod invoke;
mod kafka;
mod mapping;
mod poller;
mod record;
mod start;
mod template;
mod tree;

use std::process::ExitCode;

use self::arguments::{Command, Generated};
pub use self::{
    arguments::{Arguments, RunArguments},
    start::Running,
};
use crate::control::Order;

/// Does what a command line says.
///
/// # Errors
/// It cannot be done.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let order = |partition| Order { partition, ..Order::default() };
    match arguments.command {
        Command::Run(arguments) => start::run(&arguments).await,
        Command::Check(arguments) => {
            commands::describe(&start::mappings(&arguments)?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Lanes(arguments) => commands::lanes(&arguments).await,
        Command::Pause(lane) => commands::order("pause", &lane, &order(lane.partition)).await,
        Command::Resume(lane) => commands::order("resume", &lane, &order(lane.partition)).await,
        Command::Step(lane) => commands::order("step", &lane, &order(lane.partition)).await,
        Command::Rewind(rewind) => {
            let order = Order {
                partition: rewind.lane.partition,
                offset: rewind.offset,
                time: rewind.time,
            };
            commands::order("rewind", &rewind.lane, &order).await
        }
        Command::Replay(arguments) => commands::replay(&arguments).await,
        Command::GenerateEvent(Generated::Kafka(arguments)) => commands::generate(arguments),
        Command::Send(arguments) => commands::send(arguments).await,
    }
}

impl Arguments {
    /// The arguments of `run`, if that is the command.
    #[must_use]
    pub fn as_run(&self) -> Option<&RunArguments> {
        match &self.command {
            Command::Run(arguments) => Some(arguments),
            _ => None,
        }
    }
}
