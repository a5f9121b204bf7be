//! `learnflow demo`: a class of simulated students lives through a fortnight in about a minute.
//!
//! Belongs here: who they are, what they do, and how it is shown. They use the public API only, so all that is there
//! afterwards was made by the product. Never here: SQL, events, or anything that a front end could not do; except that
//! the clock, which begins a fortnight ago, is moved up to now.

mod api;
mod people;
mod play;
mod programs;
mod show;

use std::{
    fs,
    io::{self, IsTerminal as _},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, bail};
use api_gateway::responses::{ClassAlertPage, HeatMap, NotificationPage};
use clap::{Args, value_parser};
use runtime::{Clock, fault::Faults};
use serde_json::Value;

pub use self::play::{Doors, Login, PASSWORD, Plan, Played, Standing, play};
use self::{
    api::{Account, Api},
    show::{Row, Style},
};
use crate::{
    Stack, StackOptions,
    backends::Backends,
    dev, functions,
    terminal::{progress, say},
};

/// A file that marks a folder as one that the demonstration has made, and may replace.
const MARK: &str = "made-by-learnflow-demo";
/// Settings that are passed on. The others would make it depend on something outside: a model, a mail server.
const PASSED_ON: [&str; 4] =
    ["PYTHON_IMAGE", "SANDBOX_WORKERS", "SANDBOX_WORKER", "SANDBOX_WORKER_MEMORY_MB"];

/// What is played, and where its data is kept.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// The folder for its data, which is made anew each time; yours, `.learnflow`, is left alone.
    #[arg(long, default_value = ".learnflow-demo")]
    data: PathBuf,
    /// How many students.
    #[arg(long, default_value_t = 30, value_parser = value_parser!(u64).range(1..=100))]
    students: u64,
    /// How many days; the last one is yesterday.
    #[arg(long, default_value_t = 14, value_parser = value_parser!(u64).range(1..=28))]
    days: u64,
    /// Decides what the students do.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) async fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    let (students, days) = (arguments.students.try_into()?, arguments.days.try_into()?);
    let plan = Plan { students, days, seed: arguments.seed };
    check_ports()?;
    clear(&arguments.data)?;
    progress("starting PostgreSQL, the broker and the functions");
    let backends = Backends::start(&arguments.data, None, None).await?;
    let clock = plan.clock();
    let stack = start(&arguments.data, &backends, clock.clone()).await;
    let result = match &stack {
        Ok(stack) => perform(stack, &clock, plan, &arguments.data).await,
        Err(_) => Ok(()),
    };
    progress("");
    match stack {
        Ok(stack) => {
            say("stopping after the work in progress is finished");
            stack.stop().await;
            backends.stop().await;
            result
        }
        Err(error) => {
            backends.stop().await;
            Err(error)
        }
    }
}

/// Plays until the end or Ctrl-C, and stays until Ctrl-C.
async fn perform(stack: &Stack, clock: &Clock, plan: Plan, data: &Path) -> anyhow::Result<()> {
    let url = |function| stack.url(function).context("a function is missing");
    let doors = Doors { gateway: url("api-gateway")?, websocket: url("websocket")? };
    let (started, stopping) = (Instant::now(), runtime::shutdown_signal());
    tokio::pin!(stopping);
    let is_terminal = io::stderr().is_terminal();
    let days = plan.days;
    let shown = std::sync::atomic::AtomicUsize::new(0);
    let show = |standing: Standing| {
        if is_terminal {
            progress(&show::bar(standing, days));
        } else if shown.swap(standing.day, std::sync::atomic::Ordering::Relaxed) != standing.day {
            say(show::line(standing, days));
        }
    };
    let played = tokio::select! {
        played = play(&doors, clock, plan, &show) => played?,
        stopped = &mut stopping => return Ok(stopped?),
    };
    progress("");
    let took = started.elapsed().as_secs_f64();
    summary(&doors, &played, plan, took).await?;
    say(show::next_steps(&doors, &played, data));
    Ok(stopping.await?)
}

/// Starts everything as `learnflow dev` does, by this clock, and with nothing outside this machine.
async fn start(data: &Path, backends: &Backends, clock: Clock) -> anyhow::Result<Stack> {
    let own = runtime::config::Settings::from_process();
    let passed_on = PASSED_ON.iter();
    let extra = passed_on.filter_map(|name| Some(((*name).to_owned(), own.optional(name)?)));
    Stack::start(StackOptions {
        database_url: backends.database_url.clone(),
        kafka: backends.kafka.clone(),
        jwt_secret: dev::jwt_secret(data)?,
        extra: extra.collect(),
        fixed_ports: true,
        clock,
        faults: Faults::default(),
    })
    .await
}

/// A running installation is told from a free machine before anything is deleted.
fn check_ports() -> anyhow::Result<()> {
    for spec in functions::specs() {
        TcpListener::bind((Ipv4Addr::LOCALHOST, spec.port)).with_context(|| {
            format!("port {} is in use; stop what runs there, such as `cargo run`", spec.port)
        })?;
    }
    Ok(())
}

/// Makes the folder, or an empty one instead of that of the last demonstration.
fn clear(data: &Path) -> anyhow::Result<()> {
    let mark = data.join(MARK);
    if mark.exists() {
        fs::remove_dir_all(data).with_context(|| format!("cannot empty {}", data.display()))?;
    } else if data.exists() {
        bail!("{} is not a demonstration's folder; choose another with --data", data.display());
    }
    fs::create_dir_all(data).with_context(|| format!("cannot make {}", data.display()))?;
    fs::write(&mark, "").with_context(|| format!("cannot write {}", mark.display()))
}

/// Shows what the teacher finds.
async fn summary(doors: &Doors, played: &Played, plan: Plan, took: f64) -> anyhow::Result<()> {
    let api = Api::new(&doors.gateway)?;
    let teacher = (played.teacher.email.clone(), played.teacher.password);
    let teacher = Account::log_in(&api, &Clock::System, teacher).await?;
    let token = teacher.token();
    let map: HeatMap = api.get(&format!("/classes/{}/heatmap", played.class_id), token).await?;
    let mut rows = Vec::new();
    for student in &map.students {
        let report: Value = api.get(&format!("/progress/{}", student.id), token).await?;
        let days = |name: &str| report["streak"][name].as_u64().unwrap_or_default();
        rows.push(Row { student, streak: days("current"), longest: days("longest") });
    }
    let alerts: ClassAlertPage = api.get("/alerts?status=open", token).await?;
    let news: NotificationPage = api.get("/notifications", token).await?;
    let style = Style { has_colours: io::stdout().is_terminal() };
    say(format!(
        "{} students have learned for {} days, with {} activities, in {took:.0} s.\n",
        plan.students, plan.days, played.acts
    ));
    say(show::heat_map(&map, &rows, style));
    say(show::alerts(&alerts.items, style));
    let digest = news.items.iter().find(|item| item.notification.title.starts_with("Your day"));
    if let Some(digest) = digest {
        say(show::digest(&digest.notification, style));
    }
    Ok(())
}
