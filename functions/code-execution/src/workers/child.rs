//! The worker process itself.

use std::{collections::HashMap, io, path::Path, process::ExitCode, sync::Arc, thread};

use parking_lot::Mutex;
use runtime::{
    config::Settings,
    telemetry::{self, TelemetryConfig},
};
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::{
    runtime::Builder,
    sync::{mpsc, oneshot},
};

use super::{
    protocol::{self, Answer, Order},
    scheduler::{self, Request},
};
use crate::sandbox::Sandbox;

/// Most descriptors of a worker: its pipes, and what its runtime needs.
const MAX_DESCRIPTORS: u64 = 64;

/// Serves the host at the other end of standard input and output, until it closes them.
///
/// # Errors
/// The image cannot be used, or a limit cannot be set. The exit status says so.
pub fn main(image: &Path) -> ExitCode {
    // Its environment is empty, so these are the defaults: JSON lines on the host's standard error.
    let telemetry = TelemetryConfig::read(&mut Settings::from_process());
    let _guard = telemetry::install(&telemetry, "code-execution");
    let Err(error) = give_up_rights().map_err(anyhow::Error::from).and_then(|()| serve(image))
    else {
        return ExitCode::SUCCESS;
    };
    tracing::error!(error = format!("{error:#}"), "the worker process cannot work");
    ExitCode::FAILURE
}

/// Limits what a program could do that breaks out of the sandbox.
fn give_up_rights() -> io::Result<()> {
    // If memory runs out all the same, the kernel kills a worker rather than its host.
    if let Err(error) = std::fs::write("/proc/self/oom_score_adj", "1000") {
        tracing::debug!(%error, "the worker's OOM score cannot be set");
    }
    rustix::thread::set_no_new_privs(true)?;
    let limit = |value| Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(Resource::Nofile, limit(MAX_DESCRIPTORS))?;
    setrlimit(Resource::Fsize, limit(0))?;
    setrlimit(Resource::Core, limit(0))?;
    Ok(())
}

fn serve(image: &Path) -> anyhow::Result<()> {
    let sandbox = Sandbox::open(image)?;
    let (requests, inbox) = mpsc::unbounded_channel();
    let (finished, answers) = mpsc::unbounded_channel();
    // Programs run on this thread and the pipes on another, so that no program delays an order.
    thread::Builder::new().name("pipes".to_owned()).spawn(move || {
        if let Err(error) = pipes(requests, finished, answers) {
            tracing::error!(%error, "a worker process has lost its host");
        }
    })?;
    scheduler::block_on(&sandbox, inbox);
    Ok(())
}

/// A finished task.
struct Done {
    task_id: u64,
    answer: Answer,
}

fn pipes(
    requests: mpsc::UnboundedSender<Request>,
    finished: mpsc::UnboundedSender<Done>,
    answers: mpsc::UnboundedReceiver<Done>,
) -> io::Result<()> {
    Builder::new_current_thread().enable_io().build()?.block_on(async {
        tokio::select! {
            ended = receive(requests, finished) => ended,
            ended = send(answers) => ended,
        }
    })
}

async fn receive(
    requests: mpsc::UnboundedSender<Request>,
    finished: mpsc::UnboundedSender<Done>,
) -> io::Result<()> {
    let mut stdin =
        tokio::net::unix::pipe::Receiver::from_owned_fd(rustix::io::dup(rustix::stdio::stdin())?)?;
    let cancels: Arc<Mutex<HashMap<u64, oneshot::Sender<()>>>> = Arc::default();
    while let Some((id, order)) = protocol::read(&mut stdin).await? {
        let task = match order {
            Ok(Order::Do(task)) => task,
            Ok(Order::Cancel) => {
                drop(cancels.lock().remove(&id));
                continue;
            }
            Err(error) => {
                tracing::error!(%error, "an order cannot be read");
                if finished.send(Done { task_id: id, answer: Answer::Unreadable }).is_err() {
                    break;
                }
                continue;
            }
        };
        let (reply, answer) = oneshot::channel();
        let (cancel, cancelled) = oneshot::channel::<()>();
        cancels.lock().insert(id, cancel);
        if requests.send(Request { task, reply }).is_err() {
            break;
        }
        let (finished, cancels) = (finished.clone(), Arc::clone(&cancels));
        tokio::spawn(async move {
            let answer = tokio::select! {
                answer = answer => answer.ok(),
                _ = cancelled => None,
            };
            cancels.lock().remove(&id);
            if let Some(answer) = answer
                && finished.send(Done { task_id: id, answer }).is_err()
            {
                tracing::debug!("the host has gone");
            }
        });
    }
    Ok(())
}

async fn send(mut answers: mpsc::UnboundedReceiver<Done>) -> io::Result<()> {
    let mut stdout =
        tokio::net::unix::pipe::Sender::from_owned_fd(rustix::io::dup(rustix::stdio::stdout())?)?;
    let ready = protocol::frame(protocol::READY, &()).map_err(io::Error::other)?;
    protocol::write(&mut stdout, &ready).await?;
    while let Some(Done { task_id, answer }) = answers.recv().await {
        let frame = match protocol::frame(task_id, &answer) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::error!(%error, "the result of a program cannot be sent");
                protocol::frame(task_id, &Answer::Unreadable).map_err(io::Error::other)?
            }
        };
        protocol::write(&mut stdout, &frame).await?;
    }
    Ok(())
}
