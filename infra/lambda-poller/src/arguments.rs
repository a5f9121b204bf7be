//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};
use reqwest::Url;

use crate::template::FunctionNames;

/// Where `cargo lambda watch` listens.
const CARGO_LAMBDA: &str = "http://127.0.0.1:9000";
/// Where the control endpoint listens.
const CONTROL: &str = "127.0.0.1:9010";

/// Invoke AWS Lambda functions on this machine with records from Kafka.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Consume topics and invoke functions, until interrupted.
    Run(Box<RunArguments>),
    /// Read the mappings, and say what they are or what is wrong.
    Check(Box<MappingArguments>),
    /// Show the lanes of a running poller.
    Lanes(LanesArguments),
    /// Stop invoking; what is running goes on.
    Pause(LaneArguments),
    /// Go on.
    Resume(LaneArguments),
    /// Permit one invocation although paused.
    Step(LaneArguments),
    /// Go on at another record, earlier or later.
    Rewind(RewindArguments),
    /// Invoke a function with an event from a file, and say what its answer means.
    Replay(ReplayArguments),
    /// Print an invented event.
    #[command(subcommand)]
    GenerateEvent(Generated),
    /// Send a record to a topic.
    Send(SendArguments),
}

/// Name and value with `=` between.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Which mappings there are.
#[derive(Debug, Clone, Args)]
pub(crate) struct MappingArguments {
    /// A SAM or `CloudFormation` template with mappings.
    #[arg(long, value_name = "FILE", conflicts_with = "topic")]
    pub(crate) template: Option<PathBuf>,
    /// The value of a parameter of the template.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = pair, requires = "template")]
    pub(crate) parameters: Vec<(String, String)>,
    /// How the template's functions are called at the endpoint.
    #[arg(long, value_enum, default_value_t, requires = "template")]
    pub(crate) function_names: FunctionNames,
    /// How one of the template's functions is called at the endpoint.
    #[arg(long, value_name = "LOGICAL_ID=NAME", value_parser = pair, requires = "template")]
    pub(crate) invoke_as: Vec<(String, String)>,
    /// Only this mapping of the template; can be repeated.
    #[arg(long, value_name = "MAPPING", requires = "template")]
    pub(crate) only: Vec<String>,
    /// Without a template: the topic.
    #[arg(long, requires = "function", required_unless_present = "template")]
    pub(crate) topic: Option<String>,
    /// Without a template: the function.
    #[arg(long, requires = "topic")]
    pub(crate) function: Option<String>,
    #[command(flatten)]
    pub(crate) flags: MappingFlags,
}

/// What AWS CLI's `create-event-source-mapping` takes, by the same names.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "One mapping, without a template")]
pub(crate) struct MappingFlags {
    /// Most records in a batch: 1 to 10000; 100 if absent.
    #[arg(long, requires = "topic")]
    pub(crate) batch_size: Option<i64>,
    /// How long a batch waits for more records: 0 to 300 s; 0.5 s if absent.
    #[arg(long, value_name = "SECONDS", requires = "topic")]
    pub(crate) maximum_batching_window_in_seconds: Option<i64>,
    /// The consumer group; `lambda-poller.FUNCTION` if absent.
    #[arg(long, value_name = "GROUP", requires = "topic")]
    pub(crate) consumer_group_id: Option<String>,
    /// Where a new group begins: `TRIM_HORIZON`, `LATEST` or `AT_TIMESTAMP`.
    #[arg(long, value_name = "POSITION", requires = "topic")]
    pub(crate) starting_position: Option<String>,
    /// For `AT_TIMESTAMP`: seconds since 1970.
    #[arg(long, value_name = "SECONDS", requires = "topic")]
    pub(crate) starting_position_timestamp: Option<String>,
    /// `ReportBatchItemFailures`: the function answers which records have failed.
    #[arg(long, value_name = "TYPE", requires = "topic")]
    pub(crate) function_response_types: Vec<String>,
    /// Split a batch after an error.
    #[arg(long, requires = "topic")]
    pub(crate) bisect_batch_on_function_error: bool,
    /// How often a batch is tried again: 0 to 10000, or -1 for ever.
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true, requires = "topic")]
    pub(crate) maximum_retry_attempts: Option<i64>,
    /// The oldest record: 60 to 604800, or -1 for any.
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true, requires = "topic")]
    pub(crate) maximum_record_age_in_seconds: Option<i64>,
    /// Where records go that are given up: `kafka://TOPIC`, or an ARN of SQS, SNS or S3.
    #[arg(long, value_name = "DESTINATION", requires = "topic")]
    pub(crate) on_failure: Option<String>,
    /// A filter pattern, such as `{"value": {"device": [{"prefix": "AB"}]}}`; can be repeated.
    #[arg(long, value_name = "PATTERN", requires = "topic")]
    pub(crate) filter: Vec<String>,
    /// The ARN of an MSK cluster, for the event; without it the event is of a self-managed cluster.
    #[arg(long, value_name = "ARN", requires = "topic")]
    pub(crate) event_source_arn: Option<String>,
    /// The function's time limit; AWS's 3 s if absent.
    #[arg(long, value_name = "SECONDS", requires = "topic")]
    pub(crate) timeout: Option<i64>,
}

/// Which cluster.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Kafka")]
pub(crate) struct ClusterArguments {
    /// The brokers, such as `localhost:9092`.
    #[arg(long, value_name = "HOST:PORT,...", conflicts_with = "broker")]
    pub(crate) bootstrap_servers: Option<String>,
    /// A setting of librdkafka, such as `security.protocol=SASL_SSL`; can be repeated.
    #[arg(long = "kafka-property", value_name = "NAME=VALUE", value_parser = pair, hide_possible_values = true)]
    pub(crate) properties: Vec<(String, String)>,
    /// A file with such settings, one on each line: for secrets, which others can see on a command line.
    #[arg(long = "kafka-properties", value_name = "FILE")]
    pub(crate) properties_file: Option<PathBuf>,
    /// Start the small broker of this program, with its data in a folder, or without a folder for as long as it runs.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = "")]
    pub(crate) broker: Option<String>,
    /// Where that broker listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9092")]
    pub(crate) broker_address: SocketAddr,
    /// The partitions of topics that are made on that broker.
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=1_000))]
    pub(crate) partitions: i32,
}

/// A poller.
#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    #[command(flatten)]
    pub(crate) mappings: MappingArguments,
    #[command(flatten)]
    pub(crate) cluster: ClusterArguments,
    #[command(flatten)]
    pub(crate) working: WorkingArguments,
}

/// How a poller works.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Invocations")]
pub(crate) struct WorkingArguments {
    /// An endpoint that speaks Lambda's Invoke: cargo lambda watch, SAM at `http://127.0.0.1:3001`, or a container.
    #[arg(long, value_name = "URL", default_value = CARGO_LAMBDA)]
    pub(crate) endpoint: Url,
    /// How long the first answer of a function may take, which may have to be compiled for it.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(..=3_600))]
    pub(crate) first_answer_seconds: u64,
    /// Most invocations of a mapping at once; there never are more than partitions.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) concurrency: u32,
    /// The pause after a first failure; each further one doubles it, up to 30 s.
    #[arg(long, value_name = "MS", default_value_t = crate::mapping::RETRY_WAIT_MS, value_parser = clap::value_parser!(i64).range(1..=30_000))]
    pub(crate) retry_wait_ms: i64,
    /// Where the messages for SQS, SNS and S3 go.
    #[arg(long, value_name = "FOLDER", default_value = "lambda-failures")]
    pub(crate) failures: PathBuf,
    /// POST the messages for SQS, SNS and S3 there instead.
    #[arg(long, value_name = "URL")]
    pub(crate) failures_endpoint: Option<Url>,
    /// Write each event into a file in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) record: Option<PathBuf>,
    /// Most events that are written.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    pub(crate) record_limit: usize,
    /// Begin paused.
    #[arg(long)]
    pub(crate) paused: bool,
    /// Where the control endpoint listens; `off` for none.
    #[arg(long, value_name = "ADDRESS", default_value = CONTROL)]
    pub(crate) control: Control,
}

/// Where the control endpoint listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Control(pub(crate) Option<SocketAddr>);

impl std::str::FromStr for Control {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" { Ok(Self(None)) } else { text.parse().map(|address| Self(Some(address))) }
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ControlArguments {
    /// Where the control endpoint of the running poller listens.
    #[arg(long, value_name = "ADDRESS", default_value = CONTROL)]
    pub(crate) control: SocketAddr,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct LanesArguments {
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) control: ControlArguments,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct LaneArguments {
    /// The mapping, as `lanes` shows it.
    pub(crate) mapping: String,
    /// One partition instead of all.
    #[arg(long)]
    pub(crate) partition: Option<i32>,
    #[command(flatten)]
    pub(crate) control: ControlArguments,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RewindArguments {
    #[command(flatten)]
    pub(crate) lane: LaneArguments,
    /// The next record.
    #[arg(long, conflicts_with = "time", required_unless_present = "time")]
    pub(crate) offset: Option<i64>,
    /// The first record that is not older, such as `2026-01-31T12:00:00Z`.
    #[arg(long)]
    pub(crate) time: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ReplayArguments {
    /// A recorded or generated event.
    pub(crate) file: PathBuf,
    /// The function.
    #[arg(long)]
    pub(crate) function: String,
    /// An endpoint that speaks Lambda's Invoke.
    #[arg(long, value_name = "URL", default_value = CARGO_LAMBDA)]
    pub(crate) endpoint: Url,
    /// How long it may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) timeout: u64,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Generated {
    /// An event of a Kafka mapping.
    Kafka(GenerateArguments),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct GenerateArguments {
    /// The topic.
    #[arg(long, default_value = "mytopic")]
    pub(crate) topic: String,
    /// The partition.
    #[arg(long, default_value_t = 0)]
    pub(crate) partition: i32,
    /// The offset of the first record.
    #[arg(long, default_value_t = 15)]
    pub(crate) offset: i64,
    /// The timestamp, in milliseconds since 1970.
    #[arg(long, default_value_t = 1_545_084_650_987)]
    pub(crate) timestamp: i64,
    /// The records' key.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// A record's value; repeated, there are several records.
    #[arg(long = "value")]
    pub(crate) values: Vec<String>,
    /// A record without a value at the end.
    #[arg(long)]
    pub(crate) tombstone: bool,
    /// A header of each record; can be repeated.
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) headers: Vec<(String, String)>,
    /// The brokers.
    #[arg(long, default_value = "localhost:9092")]
    pub(crate) bootstrap_servers: String,
    /// The ARN of an MSK cluster.
    #[arg(
        long,
        default_value = "arn:aws:kafka:us-east-1:123456789012:cluster/mycluster/751d2973-a626-431c-9d4e-d7975eb44dd7-2"
    )]
    pub(crate) event_source_arn: String,
    /// As of a self-managed cluster.
    #[arg(long, conflicts_with = "event_source_arn")]
    pub(crate) self_managed: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct SendArguments {
    /// The topic.
    pub(crate) topic: String,
    /// The value; a tombstone if absent.
    pub(crate) value: Option<String>,
    /// The key.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// A header; can be repeated.
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) headers: Vec<(String, String)>,
    /// The partition; by the key, if absent.
    #[arg(long)]
    pub(crate) partition: Option<i32>,
    /// The brokers.
    #[arg(long, value_name = "HOST:PORT,...", default_value = "127.0.0.1:9092")]
    pub(crate) bootstrap_servers: String,
    /// A setting of librdkafka; can be repeated.
    #[arg(long = "kafka-property", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) properties: Vec<(String, String)>,
}
