//! The commands besides `run`.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use rdkafka::{
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use serde_json::Value;

use crate::{
    answer::{Answer, Batch, Verdict},
    arguments::{GenerateArguments, LaneArguments, LanesArguments, ReplayArguments, SendArguments},
    cluster::{ClientError, Cluster, Properties},
    control::Order,
    engine::{LaneView, Stage},
    event::Source,
    fixtures::Invented,
    invoke::{Endpoint, http_client},
    mapping::{Destination, Mapping, StartingPosition},
    poller::MappingView,
};

/// How long the control endpoint may take.
const CONTROL_LIMIT: Duration = Duration::from_secs(15);
/// How long a topic may take.
const SEND_LIMIT: Duration = Duration::from_secs(10);

/// Prints for whoever called the command.
pub(crate) fn say(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("the output is closed")
}

/// The mappings in words.
pub(crate) fn describe(mappings: &[Mapping]) -> anyhow::Result<()> {
    for mapping in mappings {
        say(format_args!("{}: {} -> {}", mapping.name, mapping.source.topic, mapping.function))?;
        let start = match mapping.start {
            StartingPosition::TrimHorizon => "the oldest record".to_owned(),
            StartingPosition::Latest => "the next record".to_owned(),
            StartingPosition::AtTimestamp(ms) => format!("{ms} ms since 1970"),
        };
        say(format_args!("  group {}, begins at {start}", mapping.group))?;
        say(format_args!(
            "  batches of {}, window {} ms, time limit {} s",
            mapping.batch_size, mapping.window_ms, mapping.timeout_seconds
        ))?;
        let retries = mapping
            .retry_limit
            .map_or_else(|| "for ever".to_owned(), |limit| format!("{limit} times"));
        let mut ways = vec![format!("tried again {retries}")];
        ways.extend(mapping.bisects.then(|| "in halves".to_owned()));
        ways.extend(mapping.reports_failures.then(|| "by reported records".to_owned()));
        ways.extend(
            mapping.record_age_limit_ms.map(|ms| format!("up to an age of {} s", ms / 1_000)),
        );
        ways.extend(mapping.destination.as_ref().map(|destination| match destination {
            Destination::Kafka(topic) => format!("then to the topic {topic}"),
            Destination::Sqs(arn) | Destination::Sns(arn) | Destination::S3(arn) => {
                format!("then to {arn}")
            }
        }));
        say(format_args!("  {}", ways.join(", ")))?;
        for note in &mapping.notes {
            say(format_args!("  note: {note}"))?;
        }
    }
    Ok(())
}

pub(crate) async fn lanes(arguments: &LanesArguments) -> anyhow::Result<ExitCode> {
    let url = format!("http://{}/lanes", arguments.control.control);
    let response = http_client()?.get(url).timeout(CONTROL_LIMIT).send().await;
    let response = response.with_context(|| no_poller(arguments.control.control))?;
    let text = response.error_for_status()?.text().await?;
    if arguments.json {
        say(text)?;
        return Ok(ExitCode::SUCCESS);
    }
    let views: Vec<MappingView> = serde_json::from_str(&text).context("the answer is strange")?;
    for line in table(&views) {
        say(line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn no_poller(control: SocketAddr) -> String {
    format!("no poller answers at {control}; `run` says where its control endpoint is")
}

/// Lines with aligned columns.
fn table(views: &[MappingView]) -> Vec<String> {
    let mut rows = vec![
        ["MAPPING", "LANE", "NEXT", "END", "LAG", "WAITING", "STATE"].map(str::to_owned).to_vec(),
    ];
    let mut remarks = Vec::new();
    for view in views {
        for lane in &view.lanes {
            let number =
                |number: Option<i64>| number.map_or_else(|| "?".to_owned(), |n| n.to_string());
            rows.push(vec![
                view.name.clone(),
                format!("{}-{}", view.topic, lane.partition),
                number(lane.position),
                number(lane.end),
                number(lane.lag()),
                lane.waiting.to_string(),
                state(lane),
            ]);
        }
        if view.lanes.is_empty() {
            remarks.push(format!("{}: no lane of {} is assigned here", view.name, view.topic));
        }
        remarks.extend(
            view.trouble.as_ref().map(|trouble| format!("{}: Kafka: {trouble}", view.name)),
        );
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..rows[0].len()).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).chain(remarks).collect()
}

fn state(lane: &LaneView) -> String {
    let stage = match lane.stage {
        Stage::Idle => "idle".to_owned(),
        Stage::Waiting => format!("{} wait", lane.in_progress),
        Stage::Invoking => format!("invoking with {}", lane.in_progress),
        Stage::Retrying => {
            format!("retrying {} after {} attempts", lane.in_progress, lane.invocations)
        }
        Stage::Failing => format!("giving up {}", lane.in_progress),
        Stage::Held => format!("held with {}: `resume` tries again", lane.in_progress),
    };
    let paused = if lane.is_paused { "paused, " } else { "" };
    let error = lane.error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
    format!("{paused}{stage}{error}")
}

/// Gives a command to a running poller.
pub(crate) async fn order(
    command: &str,
    lane: &LaneArguments,
    order: &Order,
) -> anyhow::Result<ExitCode> {
    let control = lane.control.control;
    let mut url = reqwest::Url::parse(&format!("http://{control}"))?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(["mappings", lane.mapping.as_str(), command]);
    }
    let request = http_client()?.post(url).timeout(CONTROL_LIMIT).json(order);
    let response = request.send().await.with_context(|| no_poller(control))?;
    let status = response.status();
    let text = response.text().await?;
    if !status.is_success() {
        bail!("{text}");
    }
    say(text)?;
    Ok(ExitCode::SUCCESS)
}

/// Invokes a function with an event from a file.
pub(crate) async fn replay(arguments: &ReplayArguments) -> anyhow::Result<ExitCode> {
    let file = arguments.file.display();
    let event = fs::read(&arguments.file).with_context(|| format!("{file} cannot be read"))?;
    let (topic, items) = records(&event).with_context(|| format!("{file} is no Kafka event"))?;
    let endpoint = Endpoint::new(arguments.endpoint.clone())?;
    let limit = Duration::from_secs(arguments.timeout);
    let answer = endpoint.invoke(&arguments.function, event, limit).await;
    if let Answer::Response { status, body, .. } = &answer {
        say(format_args!("{status}: {}", String::from_utf8_lossy(body)))?;
    }
    let batch = Batch { topic: &topic, items: &items, reports_failures: true };
    let meaning = match batch.verdict(answer) {
        Verdict::Done => {
            say("success")?;
            return Ok(ExitCode::SUCCESS);
        }
        Verdict::Items(items) => {
            let names: Vec<String> =
                items.iter().map(|(lane, offset)| format!("{topic}-{lane}@{offset}")).collect();
            format!("failed: {}", names.join(" "))
        }
        Verdict::Error(error) => format!("the function failed: {error}"),
        Verdict::Invalid(reason) => {
            format!("with ReportBatchItemFailures the whole batch would be tried again: {reason}")
        }
        Verdict::TooLarge => "the endpoint refuses the size".to_owned(),
        Verdict::NotInvoked(reason) => format!("not invoked: {reason}"),
    };
    say(meaning)?;
    Ok(ExitCode::FAILURE)
}

/// The topic and the records of an event.
fn records(event: &[u8]) -> anyhow::Result<(String, BTreeSet<(i32, i64)>)> {
    let event: Value = serde_json::from_slice(event).context("it is not JSON")?;
    let lanes = event.get("records").and_then(Value::as_object).context("it has no `records`")?;
    let mut topic = String::new();
    let mut items = BTreeSet::new();
    for record in lanes.values().filter_map(Value::as_array).flatten() {
        let number = |name: &str| record.get(name).and_then(Value::as_i64);
        let (Some(partition), Some(offset)) = (number("partition"), number("offset")) else {
            bail!("a record has no partition or no offset");
        };
        items.insert((i32::try_from(partition)?, offset));
        record.get("topic").and_then(Value::as_str).unwrap_or_default().clone_into(&mut topic);
    }
    Ok((topic, items))
}

/// Prints an invented event.
pub(crate) fn generate(arguments: GenerateArguments) -> anyhow::Result<ExitCode> {
    let mut values: Vec<Option<String>> = arguments.values.into_iter().map(Some).collect();
    if arguments.tombstone {
        values.push(None);
    } else if values.is_empty() {
        values.push(Some("Hello, this is a test.".to_owned()));
    }
    let event = Invented {
        source: Source {
            arn: (!arguments.self_managed).then_some(arguments.event_source_arn),
            bootstrap_servers: arguments.bootstrap_servers,
            topic: arguments.topic,
        },
        partition: arguments.partition,
        offset: arguments.offset,
        timestamp_ms: arguments.timestamp,
        key: arguments.key,
        values,
        headers: arguments.headers,
    };
    let event = event.event()?;
    if io::stdout().is_terminal() {
        let event: Value = serde_json::from_slice(&event)?;
        say(format_args!("{event:#}"))?;
    } else {
        say(String::from_utf8_lossy(&event))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Sends a record.
pub(crate) async fn send(arguments: SendArguments) -> anyhow::Result<ExitCode> {
    let cluster = Cluster {
        bootstrap_servers: arguments.bootstrap_servers,
        properties: Properties(arguments.properties),
    };
    let producer: FutureProducer =
        cluster.client().set("message.timeout.ms", "10000").create().map_err(ClientError::from)?;
    let mut record: FutureRecord<'_, str, str> = FutureRecord::to(&arguments.topic);
    record.key = arguments.key.as_deref();
    record.payload = arguments.value.as_deref();
    record.partition = arguments.partition;
    if !arguments.headers.is_empty() {
        let headers =
            arguments.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header { key, value: Some(value) })
            });
        record.headers = Some(headers);
    }
    let sent = producer.send(record, Timeout::After(SEND_LIMIT)).await;
    let delivery = sent.map_err(|(error, _)| error);
    let delivery = delivery.with_context(|| format!("{} does not take it", arguments.topic))?;
    say(format_args!("{}-{}@{}", arguments.topic, delivery.partition, delivery.offset))?;
    Ok(ExitCode::SUCCESS)
}
