//! A database for each test, copied from a migrated template; each test process has one server.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use local_postgres::{Durability, LocalPostgres};
use rustix::fs::StatVfsMountFlags;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

use crate::outside_tools::{run, skip};

static SERVER: LazyLock<LocalPostgres> = LazyLock::new(|| {
    let dirs = temporary_files().join("learnflow-tests");
    remove_left_behind(&dirs);
    let dir = dirs.join(std::process::id().to_string());
    LocalPostgres::start(&dir, Durability::Disposable).expect("PostgreSQL starts")
});
/// Where Linux has files in memory.
const IN_MEMORY: &str = "/dev/shm";
/// Space for the databases of tests that run at the same time, some 20 MB each, and of those that failed.
const MEMORY_BYTES: u64 = 2 << 30;

static TEMPLATE: OnceCell<()> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// An empty, migrated database for one test. It is removed when the process ends, together with its server, if not
/// before.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
}

impl TestDatabase {
    /// Creates a database.
    ///
    /// # Panics
    /// PostgreSQL is not available.
    pub async fn create() -> Self {
        TEMPLATE.get_or_init(make_template).await;
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        execute(&format!("CREATE DATABASE {name} TEMPLATE template_learnflow")).await;
        Self { url: server().await.url(&name) }
    }

    /// Creates a database without tables.
    ///
    /// # Panics
    /// PostgreSQL is not available.
    pub async fn empty() -> Self {
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        execute(&format!("CREATE DATABASE {name}")).await;
        Self { url: server().await.url(&name) }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Removes it: the databases of hundreds of tests would take a gigabyte.
    ///
    /// # Panics
    /// The server cannot be reached.
    pub async fn remove(&self) {
        let name = self.url.rsplit('/').next().unwrap_or_default();
        execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    }

    /// Writes a backup with `pg_dump`. `false`, with a clear message, if PostgreSQL came without it.
    ///
    /// # Panics
    /// The backup fails.
    pub async fn back_up(&self, file: &Path) -> bool {
        let server = server().await;
        let (Some(program), true) =
            (server.program("pg_dump"), server.program("pg_restore").is_some())
        else {
            skip("pg_dump or pg_restore");
            return false;
        };
        let mut command = Command::new(program);
        command.arg("--format=custom").arg("--file").arg(file).arg(&self.url);
        run(&mut command).expect("the backup is written");
        true
    }

    /// A database as it was when a backup was written.
    ///
    /// # Panics
    /// The backup cannot be restored.
    pub async fn restore(file: &Path) -> Self {
        let database = Self::empty().await;
        let program = server().await.program("pg_restore").expect("it came with pg_dump");
        let mut command = Command::new(program);
        command.args(["--exit-on-error", "--no-owner", "--dbname", &database.url]).arg(file);
        run(&mut command).expect("the backup is restored");
        database
    }

    /// A connection to inspect it.
    ///
    /// # Panics
    /// The database cannot be reached.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.expect("the test database can be reached")
    }
}

/// In memory if there is enough of it. A database is hundreds of files; to create and remove them for each test took ext4 a
/// fifth of all processor time (`perf`, 37 tests of accounts, quizzes, progress and classes). The last server's files stay
/// until the next test process begins.
fn temporary_files() -> PathBuf {
    let has_enough = rustix::fs::statvfs(IN_MEMORY).is_ok_and(|memory| {
        memory.f_bavail.saturating_mul(memory.f_frsize) >= MEMORY_BYTES
            && !memory.f_flag.contains(StatVfsMountFlags::NOEXEC)
    });
    if has_enough { IN_MEMORY.into() } else { std::env::temp_dir() }
}

/// Starting blocks, so it is done on a separate thread.
async fn server() -> &'static LocalPostgres {
    tokio::task::spawn_blocking(|| LazyLock::force(&SERVER)).await.expect("PostgreSQL starts")
}

async fn make_template() {
    execute("CREATE DATABASE template_learnflow").await;
    let url = server().await.url("template_learnflow");
    let store = runtime::Store::open(&url).expect("the address is well-formed");
    store.migrate().await.expect("the migrations apply");
    store.close().await;
}

async fn execute(statement: &str) {
    let url = server().await.url("postgres");
    let mut conn = PgConnection::connect(&url).await.expect("the test server can be reached");
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    statement.execute(&mut conn).await.expect("the statement is valid");
}

/// A static is never dropped, so each test process leaves its folder behind, and the next one removes it.
fn remove_left_behind(dirs: &Path) {
    let entries = std::fs::read_dir(dirs).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let owner_lives = PathBuf::from("/proc").join(&name).exists();
        if !owner_lives && std::fs::remove_dir_all(entry.path()).is_err() {
            // Another test process was faster, or the folder is not ours; both are fine.
            continue;
        }
    }
}
