//! A database that speaks TLS only, as managed PostgreSQL is set up.

use local_postgres::{Durability, LocalPostgres};
use reqwest::StatusCode;
use runtime::Store;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use testing::{Certificates, eventually, outside_tools::skip};
use tests::{Setup, World};

/// Has a server speak TLS, and turn away whoever does not. `false` if it was built without TLS.
async fn want_tls(postgres: &LocalPostgres, certificates: &Certificates) -> bool {
    let url = postgres.url("postgres");
    let mut conn = PgConnection::connect(&url).await.expect("it is there");
    let library: String = sqlx::query_scalar("SHOW ssl_library")
        .fetch_one(&mut conn)
        .await
        .expect("every server has it");
    if library.is_empty() {
        return false;
    }
    // The server writes its files itself: it may run as another user, to whom they must belong.
    let write = |lines: &str, file: &str| {
        let lines = format!("SELECT string_to_table('{lines}', E'\\n')");
        format!("COPY ({lines}) TO PROGRAM 'umask 077; cat > {file}'")
    };
    for sql in [
        write(&certificates.key, "server.key"),
        write(&certificates.certificate, "server.crt"),
        write("hostssl all all 127.0.0.1/32 trust", "pg_hba.conf"),
        "ALTER SYSTEM SET ssl = on".to_owned(),
        "SELECT pg_reload_conf()".to_owned(),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.expect("it may");
    }
    eventually("it turns away who does not speak TLS", async || {
        PgConnection::connect(&format!("{url}?sslmode=disable")).await.err()
    })
    .await;
    true
}

/// Whether a connection speaks TLS, or why there is none.
async fn connect(url: &str) -> Result<bool, String> {
    let store = Store::open(url).map_err(|error| error.to_string())?;
    let mut conn = store.connection().await.map_err(|error| error.to_string())?;
    let is_tls = sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        .fetch_one(&mut *conn)
        .await
        .expect("every connection has a row");
    drop(conn);
    store.close().await;
    Ok(is_tls)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_answered_from_a_database_that_wants_tls() {
    let dir = TempDir::new().expect("a folder");
    let postgres =
        LocalPostgres::start(dir.path(), Durability::Disposable).expect("PostgreSQL starts");
    let certificates = Certificates::issue();
    if !want_tls(&postgres, &certificates).await {
        skip("PostgreSQL with TLS");
        return;
    }
    let url = postgres.url("postgres");
    let checked = |authority: &str| format!("{url}?sslmode=verify-full&sslrootcert={authority}");
    let authority = certificates.authority();
    let settings = vec![("DATABASE_URL", checked(&authority))];
    let mut world = World::with(Setup { settings, ..Setup::default() }).await;
    let student = world.student("ada").await;
    assert_eq!(world.ask(&student, "What is a list?", 20).await.status, StatusCode::OK);
    world.finish_unchecked().await;

    assert_eq!(connect(&checked(&authority)).await, Ok(true));
    // Encrypted, whoever answers.
    assert_eq!(connect(&format!("{url}?sslmode=require")).await, Ok(true));
    let other = Certificates::issue();
    let refused = connect(&checked(&other.authority())).await.expect_err("another authority");
    assert!(refused.contains("certificate"), "{refused}");
}
