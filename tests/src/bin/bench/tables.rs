//! The bench of large tables: how long every statement of the product takes when a million scores and ten million events
//! are there, and whether any of them reads a whole table.
//!
//! It takes some 8 GB of disk, which it frees at the end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use local_postgres::{Durability, LocalPostgres};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tests::{
    Setup, World,
    plans::{Statement, statements, whole_reads},
};

use crate::load::{print, resident_mib};

/// What is put into the tables.
const FILL: &str = include_str!("tables/fill.sql");
/// Functions that it uses.
const HELPERS: &str = "
    CREATE FUNCTION id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(to_hex(n), 32, '0')::uuid $$;
    CREATE FUNCTION hash(n bigint) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$ SELECT decode(lpad(to_hex(n), 64, '0'), 'hex') $$;
    CREATE TABLE topic_slugs AS SELECT array_agg(slug ORDER BY position) AS all_of FROM topics;
    CREATE FUNCTION topic(n int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT all_of[n % 25 + 1] FROM topic_slugs $$;
    CREATE TABLE exercise_ids AS SELECT array_agg(id) AS all_of FROM exercises;
    CREATE FUNCTION exercise(n bigint) RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT all_of[n % 100 + 1] FROM exercise_ids $$;
    CREATE FUNCTION module() RETURNS text LANGUAGE sql STABLE AS $$ SELECT min(slug) FROM modules $$;
    CREATE FUNCTION new_ids(n int) RETURNS uuid[] LANGUAGE sql VOLATILE AS $$ SELECT array_agg(gen_random_uuid()) FROM generate_series(1, n) $$;
    CREATE FUNCTION all_of(x anyelement, n int) RETURNS anyarray LANGUAGE sql IMMUTABLE AS $$ SELECT array_fill(x, ARRAY[n]) $$;
    INSERT INTO writers (floor, seen_at) VALUES (0, now());
    CREATE FUNCTION writer() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT max(id) FROM writers $$;";
/// Values that neither a type nor a column tells: a part of the statement, the parameter, and the value.
const TOLD: [(&str, usize, &str); 38] = [
    // A group of 16 events, each of another event that was handled.
    ("-- Claims come first", 1, "new_ids(16)"),
    ("-- Claims come first", 2, "all_of('progress.events'::text, 16)"),
    ("-- Claims come first", 3, "all_of('key'::text, 16)"),
    ("-- Claims come first", 4, "all_of('activity.recorded.v1'::text, 16)"),
    ("-- Claims come first", 5, "all_of('learnflow/demo'::text, 16)"),
    ("-- Claims come first", 6, "all_of(id(1), 16)"),
    ("-- Claims come first", 7, "new_ids(16)"),
    ("-- Claims come first", 8, "new_ids(16)"),
    ("-- Claims come first", 9, "all_of(NULL::text, 16)"),
    ("-- Claims come first", 10, "all_of('{}'::text, 16)"),
    ("-- Claims come first", 11, "all_of(now(), 16)"),
    ("-- Claims come first", 12, "writer()"),
    ("-- Claims come first", 14, "'progress'"),
    ("-- Claims come first", 15, "new_ids(16)"),
    ("-- Claims come first", 16, "all_of(now(), 16)"),
    ("WITH found AS", 1, "gen_random_uuid()"),
    ("INSERT INTO account_changes", 4, "'teacher'"),
    // Either an exercise or a topic.
    ("INSERT INTO assignments", 3, "NULL"),
    ("INSERT INTO class_invitations", 2, "new_ids(30)"),
    ("INSERT INTO class_invitations", 3, "new_ids(30)::text[]"),
    ("INSERT INTO class_invitations", 4, "all_of('Ada'::text, 30)"),
    ("INSERT INTO classes", 3, "gen_random_uuid()::text"),
    ("INSERT INTO connections", 1, "gen_random_uuid()::text"),
    ("INSERT INTO connections", 5, "'chat'"),
    ("INSERT INTO exercise_sets", 2, "exercise(1)"),
    ("INSERT INTO exercises", 8, "NULL"),
    ("INSERT INTO notifications", 3, "NULL"),
    ("AS new (bucket, hits)", 1, "new_ids(16)::text[]"),
    ("AS new (bucket, hits)", 2, "all_of(1, 16)"),
    ("INSERT INTO topics", 2, "module()"),
    ("INSERT INTO topics", 3, "99"),
    ("SELECT pg_relation_size", 1, "'events'"),
    // What the last hour has left behind.
    ("FROM erased_requests WHERE erased_at >", 1, "now() - interval '1 hour'"),
    // Accounts by role, and by the beginning of their address or name.
    ("AS wanted (role)", 1, "ARRAY['student', 'teacher']"),
    ("email ~>=~ lower", 2, "'student1'"),
    ("(lower(display_name)", 2, "'student 1'"),
    ("~>=~ lower", 4, "''"),
    // Either a file or why there is none.
    ("UPDATE exports SET archive", 3, "NULL"),
];
/// Rows of one statement: some seconds of work.
const BATCH: i64 = 100_000;
/// Topics in which each student has a score.
const TOPICS: i64 = 25;
/// Students of a class.
const CLASS: i64 = 30;
/// Sets of parameters for each statement.
const SETS: usize = 200;
/// Executions with each of them, of which the fastest counts: how long the statement takes, and not how long something
/// else had the processor.
const TRIES: usize = 3;
/// The aim: 99 of 100 executions of a statement are done within this time.
const AIM: Duration = Duration::from_millis(5);
/// What is shown.
const SHOWN: usize = 30;

/// How many of each there are.
#[derive(Debug, Clone, Copy)]
struct Size {
    students: i64,
    classes: i64,
    events: i64,
}

/// What was measured.
#[derive(Debug)]
struct Measured {
    query: String,
    p50: Duration,
    p99: Duration,
    /// Rows of an execution, on average.
    rows: f64,
    whole: Vec<String>,
}

pub(crate) async fn run(progress: i64, events: i64) -> anyhow::Result<()> {
    let students = progress / TOPICS;
    let size = Size { students, classes: students / CLASS, events };
    ensure!(size.classes > 0, "at least {} scores", TOPICS * CLASS);
    let dir = TempDir::new()?;
    let postgres = LocalPostgres::start(dir.path(), Durability::Disposable)?;
    let url = postgres.url("postgres");
    // The product makes the tables and the course.
    let settings = vec![("DATABASE_URL", url.clone())];
    let setup = Setup { settings, system_clock: true, is_bench: true, ..Setup::default() };
    let mut world = World::with(setup).await;
    print(&format!("all ten functions, idle: {} MiB resident; aim: 150 MiB", resident_mib()?));
    world.finish_unchecked().await;
    let mut conn = PgConnection::connect(&url).await?;
    fill(&mut conn, size).await?;
    let bytes = "SELECT pg_size_pretty(pg_database_size(current_database()))";
    let bytes: String = sqlx::query_scalar(bytes).fetch_one(&mut conn).await?;
    print(&format!("{size:?}: {bytes}\n"));
    let mut conn = PgConnection::connect(&url).await?;
    storage::plan_once(&mut conn).await?;
    sqlx::raw_sql("SET statement_timeout = '10 s'").execute(&mut conn).await?;
    let (mut all, mut refused) = (Vec::new(), BTreeMap::new());
    for statement in statements() {
        match measure(&mut conn, &statement, size).await {
            Ok(measured) => all.push(measured),
            Err(error) => {
                refused.insert(short(&statement.query), format!("{error:#}"));
                // It may not even have been prepared.
                sqlx::raw_sql("ROLLBACK").execute(&mut conn).await?;
                drop(sqlx::raw_sql("DEALLOCATE checked").execute(&mut conn).await);
            }
        }
    }
    report(&mut all, &refused);
    Ok(())
}

/// Makes the rows, batch by batch.
async fn fill(conn: &mut PgConnection, size: Size) -> anyhow::Result<()> {
    sqlx::raw_sql(HELPERS).execute(&mut *conn).await?;
    for block in FILL.split("\n\n").filter(|block| block.contains(";")) {
        let Some((head, sql)) = block.split_once('\n').filter(|(_, sql)| sql.contains("INSERT"))
        else {
            continue;
        };
        // `-- users: 1 S`
        let (table, count) = head.trim_start_matches("-- ").split_once(": ").context("a count")?;
        let (factor, unit) = count.split_once(' ').context("a unit")?;
        let of = match unit {
            "S" => size.students,
            "C" => size.classes,
            _ => size.events,
        };
        let rows = factor.parse::<i64>()? * of;
        let started = Instant::now();
        for low in (1..=rows).step_by(usize::try_from(BATCH)?) {
            let high = (low + BATCH - 1).min(rows);
            let values = [
                (":lo", low),
                (":hi", high),
                (":S", size.students),
                (":C", size.classes),
                (":E", size.events),
            ];
            let sql = values
                .into_iter()
                .fold(sql.to_owned(), |sql, (name, value)| sql.replace(name, &value.to_string()));
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut *conn)
                .await
                .context(table.to_owned())?;
        }
        print(&format!("  {rows:>10} {table} in {:.0} s", started.elapsed().as_secs_f64()));
    }
    sqlx::raw_sql("VACUUM ANALYZE").execute(conn).await?;
    Ok(())
}

/// Executes a statement again and again. What it changes is rolled back.
async fn measure(
    conn: &mut PgConnection,
    statement: &Statement,
    size: Size,
) -> anyhow::Result<Measured> {
    let Statement { query, parameters } = statement;
    let mut random = StdRng::seed_from_u64(1);
    let mut execute = || {
        // Rows of classes have numbers of their own, fewer than those of students.
        let of_class = ["class", "enrollments", "assignments", "subscriptions", "notification"];
        let is_of_class = of_class.iter().any(|word| query.contains(word));
        let most = if is_of_class { size.classes } else { size.students };
        let number = random.random_range(1..=most);
        let value =
            |(place, kind): (usize, &String)| argument(query, place + 1, kind, number, size);
        let values: Vec<String> = parameters.iter().enumerate().map(value).collect();
        let values =
            if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
        format!("EXECUTE checked{values}")
    };
    let prepare = format!("PREPARE checked AS {query}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *conn).await?;
    let explain = format!("EXPLAIN (FORMAT JSON) {}", execute());
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&mut *conn).await?;
    let (mut times, mut rows) = (Vec::new(), 0);
    for _ in 0..SETS {
        let (sql, mut fastest, mut found) = (execute(), Duration::MAX, 0);
        for _ in 0..TRIES {
            sqlx::raw_sql("BEGIN").execute(&mut *conn).await?;
            let started = Instant::now();
            found = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut *conn).await?.len();
            fastest = fastest.min(started.elapsed());
            sqlx::raw_sql("ROLLBACK").execute(&mut *conn).await?;
        }
        times.push(fastest);
        rows += found;
    }
    sqlx::raw_sql("DEALLOCATE checked").execute(conn).await?;
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied().unwrap_or_default();
    Ok(Measured {
        query: query.clone(),
        p50: at(50),
        p99: at(99),
        rows: f64::from(u32::try_from(rows)?) / f64::from(u32::try_from(SETS)?),
        whole: whole_reads(&plan),
    })
}

/// A value for a parameter, guessed from its type and from the column that it is compared with or stored in.
fn argument(query: &str, place: usize, kind: &str, number: i64, size: Size) -> String {
    let told = TOLD.iter().find(|(part, at, _)| *at == place && query.contains(part));
    if let Some((_, _, value)) = told {
        return (*value).to_owned();
    }
    let name = format!("${place}");
    let is_whole = |at: usize| !query[at + name.len()..].starts_with(|c: char| c.is_ascii_digit());
    let at = query.match_indices(&name).map(|(at, _)| at).find(|at| is_whole(*at));
    let (before, after) = query.split_at(at.unwrap_or_default());
    let before = before.trim_end().trim_end_matches(['(', '=', ' ']);
    let column = stored_in(query, place).unwrap_or(before);
    let of = |column_name: &str| column.ends_with(column_name);
    let id = |number: i64| format!("'{number:032x}'::uuid");
    let is_new = query.starts_with("INSERT") && column == "id";
    let is_json = ["::text::json", "::json", "::text::jsonb", "::jsonb"]
        .iter()
        .any(|cast| after[name.len().min(after.len())..].starts_with(cast));
    match kind {
        _ if is_json => "'{}'".to_owned(),
        "Uuid" if is_new => "gen_random_uuid()".to_owned(),
        "Uuid" if of("exercise_id") => "exercise(1)".to_owned(),
        "Uuid" => id(number),
        "UuidArray" if of("class_id = ANY") || of("classes &&") || of("classes") => {
            format!("ARRAY[{}]", id(number))
        }
        "UuidArray" => {
            // The students of a class.
            let student = |n: i64| id((number - 1 + n * size.classes) % size.students + 1);
            format!("ARRAY[{}]", (0..CLASS).map(student).collect::<Vec<_>>().join(", "))
        }
        "Text" => format!("'{}'", word(column, number)),
        "Timestamptz" if of(">") => "now() - interval '30 days'".to_owned(),
        "Timestamptz" => "now()".to_owned(),
        "Int8" if of("LIMIT") => "50".to_owned(),
        "Int8" if before.contains("sequence") => (size.events - 100).to_string(),
        "Int8" | "Int4" | "Int2" => "1".to_owned(),
        "Bool" => "true".to_owned(),
        "Date" => "current_date".to_owned(),
        "Bytea" if query.starts_with("INSERT") => {
            "sha256(gen_random_uuid()::text::bytea)".to_owned()
        }
        "Bytea" => format!("hash({number})"),
        "TextArray" => "ARRAY['open', 'acknowledged']".to_owned(),
        "Json" | "Jsonb" => "'{}'".to_owned(),
        _ => "NULL".to_owned(),
    }
}

/// The column in which a parameter is stored, by the lists of an `INSERT`.
fn stored_in(query: &str, place: usize) -> Option<&str> {
    let (columns, rest) = query.strip_prefix("INSERT INTO ")?.split_once('(')?.1.split_once(')')?;
    let values = rest.trim_start().strip_prefix("VALUES")?.trim_start().strip_prefix('(')?;
    let mut pairs = columns.split(',').zip(values.split(','));
    let is_it = |value: &str| {
        let value = value.trim().trim_start_matches('$');
        let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
        value[..digits].parse() == Ok(place)
    };
    pairs.find(|(_, value)| is_it(value)).map(|(column, _)| column.trim())
}

/// A word that may stand in a column.
fn word(column: &str, number: i64) -> String {
    let words = [
        ("topic_slug", "lists"),
        ("topic", "lists"),
        ("operation", "query"),
        ("function", "progress"),
        ("severity", "low"),
        ("difficulty", "easy"),
        ("role", "student"),
        ("channel", "in_app"),
        ("trigger", "failed_runs"),
        ("source", "model"),
        ("time_zone", "UTC"),
    ];
    let known = words.iter().find(|(name, _)| column.ends_with(name));
    match column {
        _ if column.ends_with("email") => format!("student{number}@example.com"),
        _ if column.ends_with("invite_code") => format!("code-{number}"),
        _ if column.ends_with("owner") => {
            uuid::Uuid::from_u128(number.unsigned_abs().into()).to_string()
        }
        _ if column.ends_with("key") => format!("key-{number}"),
        _ => known.map_or_else(|| "open".to_owned(), |(_, word)| (*word).to_owned()),
    }
}

/// Prints what was measured, the slowest first.
fn report(all: &mut [Measured], refused: &BTreeMap<String, String>) {
    all.sort_by_key(|measured| std::cmp::Reverse(measured.p99));
    print("  p50 ms   p99 ms    rows  statement");
    for Measured { query, p50, p99, rows, .. } in all.iter().take(SHOWN) {
        let [p50, p99] = [p50, p99].map(|time| time.as_secs_f64() * 1e3);
        print(&format!("{p50:8.2} {p99:8.2} {rows:7.1}  {}", short(query)));
    }
    let whole = all.iter().filter(|measured| !measured.whole.is_empty()).count();
    let slow = all.iter().filter(|measured| measured.p99 > AIM).count();
    print(&format!(
        "\n{} statements, {SETS} sets of values each: {slow} with a p99 of more than {} ms, {whole} that read a whole table; aim: none",
        all.len(),
        AIM.as_millis()
    ));
    for Measured { query, whole, .. } in all.iter().filter(|measured| !measured.whole.is_empty()) {
        print(&format!("  {}: {}", whole.join(", "), short(query)));
    }
    // Constraints refuse values that were guessed.
    print(&format!("{} could not be executed with such values:", refused.len()));
    for (statement, error) in refused {
        print(&format!("  {statement}: {error}"));
    }
}

/// A statement in a line.
fn short(query: &str) -> String {
    let words: Vec<&str> = query.split_whitespace().collect();
    words.join(" ").chars().take(110).collect()
}
