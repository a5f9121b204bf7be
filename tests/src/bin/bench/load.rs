//! The load bench: latency and throughput of whole questions, next to the required floor and the aim; then of questions
//! that a slow model answers, next to the model's own latency. [`registrations`] and [`questions`] instead measure how
//! much memory their work leaves in use, and fail if it exceeds the limit.
//!
//! Everything runs in this one process, including the clients, on a private PostgreSQL that flushes every commit to
//! disk. The baseline is `GET /api/v1/me` in the same run: the same HTTP, token check and rate limit with one indexed
//! read, and no event.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use futures::StreamExt;
use local_postgres::{Durability, LocalPostgres};
use reqwest::StatusCode;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use testing::{ModelServer, Scripted};
use tests::{Setup, Student, World};

/// Students, and so the maximum of concurrent questions.
const STUDENTS: usize = 100;
/// Questions asked one after the other.
const ALONE: usize = 300;
/// Questions asked by all students concurrently.
const TOGETHER: usize = 4_000;
const QUESTIONS: [&str; 4] =
    ["What is a list?", "How do for loops work?", "What is a tuple?", "Explain sets please"];

/// The slow model's latency.
const MODEL_TAKES: Duration = Duration::from_secs(2);
/// Questions of each student to the slow model.
const ROUNDS: usize = 3;

/// Registrations after which everything that is kept for later ones has been allocated.
const WARM: usize = 100;
/// Questions after which everything that is kept for later ones has been allocated, and between two measurements of
/// memory.
const WARM_QUESTIONS: usize = 2_500;
/// How much memory registrations or questions may leave in use: less than two blocks of the 19 MiB that hashing takes,
/// far less than one for each thread that ever hashed.
const GROWTH_LIMIT_MIB: u64 = 32;

/// Runs questions, then questions to a slow model.
pub(crate) async fn all() -> anyhow::Result<()> {
    without_model().await?;
    with_model().await
}

/// Resident memory during the work, which must stay constant once everything that is kept has been allocated.
struct Memory {
    warm: Option<u64>,
}

impl Memory {
    fn watch(what: &str) -> Self {
        print(&format!("{what:>13}   memory in MiB"));
        Self { warm: None }
    }

    /// Measures after `done` units of work; the first measurement is the baseline.
    fn look(&mut self, done: usize) -> anyhow::Result<()> {
        let resident = resident_mib()?;
        print(&format!("{done:13}   {resident:13}"));
        let warm = *self.warm.get_or_insert(resident);
        let growth = resident.saturating_sub(warm);
        ensure!(growth <= GROWTH_LIMIT_MIB, "{growth} MiB more than at the first look");
        Ok(())
    }
}

/// Creates accounts, with one client more than passwords are hashed at once.
pub(crate) async fn registrations(count: usize) -> anyhow::Result<()> {
    let dir = TempDir::new()?;
    let (_postgres, world, _, _) = start(&dir, &[], 0).await?;
    let mut memory = Memory::watch("registrations");
    let mut made = 0;
    while made < count {
        let step = if made < WARM { WARM } else { 1_000 - made % 1_000 };
        let next = (made + step).min(count);
        futures::stream::iter(made..next)
            .for_each_concurrent(runtime::compute::AT_ONCE + 1, async |number| {
                drop(world.student(&format!("student{number}")).await);
            })
            .await;
        made = next;
        memory.look(made)?;
    }
    stop(world).await;
    Ok(())
}

/// Asks questions, by all students concurrently; prints the number of events at the end.
pub(crate) async fn questions(count: usize) -> anyhow::Result<()> {
    let dir = TempDir::new()?;
    let (postgres, world, students, _) = start(&dir, &[], STUDENTS).await?;
    let mut memory = Memory::watch("questions");
    let mut asked = 0;
    while asked < count {
        run(&world, &students, WARM_QUESTIONS, ask).await?;
        asked += WARM_QUESTIONS;
        memory.look(asked)?;
    }
    let mut conn = PgConnection::connect(&postgres.url("postgres")).await?;
    let events: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&mut conn).await?;
    print(&format!("{events} events"));
    stop(world).await;
    Ok(())
}

/// Starts the product on a private PostgreSQL, with all students of the bench.
pub(crate) async fn start(
    dir: &TempDir,
    more: &[(&'static str, String)],
    count: usize,
) -> anyhow::Result<(LocalPostgres, Arc<World>, Vec<Student>, u64)> {
    let postgres = LocalPostgres::start(dir.path(), Durability::Durable)?;
    let high = || "1000000000".to_owned();
    let mut settings = vec![
        ("DATABASE_URL", postgres.url("postgres")),
        ("RATE_LIMIT_USER", high()),
        ("RATE_LIMIT_ADDRESS", high()),
        ("RATE_LIMIT_LOGIN", high()),
        ("RATE_LIMIT_PASSWORD", high()),
    ];
    settings.extend_from_slice(more);
    let setup = Setup { settings, system_clock: true, is_bench: true, ..Setup::default() };
    let world = Arc::new(World::with(setup).await);
    let idle = resident_mib()?;
    let mut students = Vec::new();
    for number in 0..count {
        students.push(world.student(&format!("student{number}")).await);
    }
    Ok((postgres, world, students, idle))
}

pub(crate) async fn stop(world: Arc<World>) {
    if let Some(mut world) = Arc::into_inner(world) {
        world.finish_unchecked().await;
    }
}

/// Questions to a slow model.
pub(crate) async fn with_model() -> anyhow::Result<()> {
    let answer = serde_json::json!({
        "explanation": "A list keeps values in order.",
        "examples": [{ "title": "Adding a value", "code": "x = [1]\nx.append(2)\nprint(x)" }],
        "common_mistakes": ["Counting from one."],
        "diagram": ""
    });
    let slow = move |_: &_| Scripted::After(MODEL_TAKES, answer.to_string());
    let server = ModelServer::answering(slow).await;
    let dir = TempDir::new()?;
    let model = [("OPENAI_BASE_URL", server.base_url())];
    let (_postgres, world, students, _) = start(&dir, &model, STUDENTS).await?;
    run(&world, &students[..1], 1, ask_model).await?;
    let first = run(&world, &students, STUDENTS, ask_model).await?;
    let measured = run(&world, &students, STUDENTS * ROUNDS, ask_model).await?;
    let takes = MODEL_TAKES.as_millis();
    print(&format!(
        "\n{STUDENTS} at once, a model that takes {takes} ms, {ROUNDS} questions each, each a call of its own"
    ));
    print("                              p50 ms   p95 ms   p99 ms   per second");
    print(&format!("  each student's first      {}", row(&first)));
    print(&format!("  question to answer        {}", row(&measured)));
    let over = measured.percentile(95).saturating_sub(MODEL_TAKES).as_millis();
    print(&format!("  p95 over the model alone  {over:8} ms; aim: 300 ms\n"));
    stop(world).await;
    Ok(())
}

/// Asks a question in words that are in no cache.
async fn ask_model(world: Arc<World>, student: Student, number: usize) -> StatusCode {
    let question = format!("What is a list good for, in a shop of mine with {number} boxes?");
    let reply = world.ask(&student, &question, 20).await;
    if reply.body["answered_by"] == "model" { reply.status } else { StatusCode::NOT_FOUND }
}

async fn without_model() -> anyhow::Result<()> {
    let dir = TempDir::new()?;
    let (postgres, world, students, idle) = start(&dir, &[], STUDENTS).await?;
    let url = postgres.url("postgres");
    run(&world, &students[..1], 50, ask).await?;
    print("memory of the idle process (all ten functions, broker, clients), without PostgreSQL");
    print(&format!("  {idle} MiB                      aim: 150 MiB\n"));
    for (count, total) in [(1, ALONE), (STUDENTS, TOGETHER)] {
        let baseline = run(&world, &students[..count], total, look).await?;
        let measured = run(&world, &students[..count], total, ask).await?;
        print(&format!(
            "{count} at once, {total} requests     p50 ms   p95 ms   p99 ms   per second"
        ));
        print(&format!("  baseline GET /me          {}", row(&baseline)));
        print(&format!("  question to answer        {}", row(&measured)));
        let ratio = measured.percentile(50).as_secs_f64() / baseline.percentile(50).as_secs_f64();
        print(&format!("  ratio of medians          {ratio:8.1}"));
        let aim = if count == 1 { "p50 15 ms" } else { "p95 150 ms" };
        print(&format!("  floor: 5 s; aim: {aim}\n"));
    }
    hops(&url).await?;
    stop(world).await;
    Ok(())
}

/// A part of other students' past questions: ten thousand in a hundred conversations, with the events that they caused
/// and their inbox rows.
const PAST: &str = r#"
    WITH student AS (
        SELECT id, row_number() OVER (ORDER BY id) AS number FROM users WHERE email LIKE 'past%'
    ), conversation AS (
        INSERT INTO conversations (id, student_id, created_at)
        SELECT gen_random_uuid(), id, now() - interval '90 days' FROM student WHERE (number + $1) % 10 = 0
        RETURNING id, student_id
    ), query AS (
        INSERT INTO queries (id, student_id, conversation_id, question, asked_at, agent, answered_by, answer, answered_at)
        SELECT gen_random_uuid(), student_id, id, '{"question": "What is a list?"}', at, 'concepts', 'offline',
               $2::text::json, at
        FROM conversation CROSS JOIN generate_series(1, 100) AS question
        CROSS JOIN LATERAL (SELECT now() - interval '90 days' + question * interval '1 minute') AS time (at)
        RETURNING id, student_id, asked_at
    ), event AS (
        INSERT INTO events (id, topic, partition_key, type, source, subject, correlation_id, data, occurred_at,
                            lease_until, published_at)
        SELECT gen_random_uuid(), topic, student_id, type, 'learnflow/bench', student_id, query.id,
               $2::text::json, asked_at, asked_at, asked_at
        FROM query CROSS JOIN (VALUES ('learning.requests', 'question.asked.v1'),
                                      ('concepts.requests', 'question.routed.v1'),
                                      ('learning.responses', 'question.answered.v1')) AS kind (topic, type)
        RETURNING id, occurred_at
    )
    INSERT INTO inbox (function, event_id, received_at) SELECT 'triage', id, occurred_at FROM event"#;
/// Questions in one [`PAST`].
const PAST_AT_ONCE: usize = 10_000;
/// Ten thousand questions of a student within the last twenty minutes, in their last conversation.
const LONG_CONVERSATION: &str = r#"
    INSERT INTO queries (id, student_id, conversation_id, question, asked_at, agent, answered_by, answer, answered_at)
    SELECT gen_random_uuid(), $1, conversation_id, '{"question": "What is a list?"}', at, 'concepts', 'offline',
           $2::text::json, at
    FROM (SELECT conversation_id FROM queries WHERE student_id = $1 ORDER BY asked_at DESC LIMIT 1) AS last
    CROSS JOIN generate_series(1, 10000) AS question
    CROSS JOIN LATERAL (SELECT now() - question * interval '0.12 seconds') AS time (at)"#;

/// The cost of questions with none, a tenth and all of `count` earlier questions of other students, and the cost for a
/// student who has asked ten thousand in a row.
pub(crate) async fn history(count: usize) -> anyhow::Result<()> {
    let dir = TempDir::new()?;
    let (postgres, world, students, _) = start(&dir, &[], STUDENTS).await?;
    let mut conn = PgConnection::connect(&postgres.url("postgres")).await?;
    let stored = answer_of(&world, &students[0], &mut conn).await?;
    let past = "INSERT INTO users (id, email, display_name, password_hash, role, created_at)
                SELECT gen_random_uuid(), 'past' || number || '@example.org', 'Past', '', 'student', now()
                FROM generate_series(1, 1000) AS number";
    sqlx::raw_sql(past).execute(&mut conn).await?;
    run(&world, &students, TOGETHER, ask).await?;
    print("questions before   alone: p50 ms   100 at once: p50 ms   p95 ms   p99 ms   per second");
    let mut there = 0;
    for stage in [0, count / 10, count] {
        while there < stage {
            let part = i64::try_from(there / PAST_AT_ONCE)?;
            sqlx::query(PAST).bind(part).bind(&stored).execute(&mut conn).await?;
            there += PAST_AT_ONCE;
        }
        settle(&mut conn).await?;
        let alone = run(&world, &students[..1], ALONE, ask).await?;
        let together = run(&world, &students, TOGETHER, ask).await?;
        let p50 = alone.percentile(50).as_secs_f64() * 1e3;
        print(&format!("{there:16}   {p50:13.1}            {}", row(&together)));
    }
    sqlx::query(LONG_CONVERSATION).bind(students[0].id).bind(&stored).execute(&mut conn).await?;
    settle(&mut conn).await?;
    let (long, short) = (&students[..1], &students[1..2]);
    run(&world, long, 50, follow_up).await?;
    let with = run(&world, long, ALONE, follow_up).await?;
    let without = run(&world, short, ALONE, follow_up).await?;
    let ms = |measured: &Measured| measured.percentile(50).as_secs_f64() * 1e3;
    print(&format!(
        "\nfollow-ups, alone, p50 ms: {:.1} after 10,000 questions in a row, {:.1} else",
        ms(&with),
        ms(&without)
    ));
    stop(world).await;
    Ok(())
}

/// A stored answer.
async fn answer_of(
    world: &World,
    student: &Student,
    conn: &mut PgConnection,
) -> anyhow::Result<String> {
    let status = world.ask(student, QUESTIONS[0], 20).await.status;
    ensure!(status == StatusCode::OK, "the first question was answered with {status}");
    let sql = "SELECT answer::text FROM queries WHERE answer IS NOT NULL LIMIT 1";
    Ok(sqlx::query_scalar(sql).fetch_one(conn).await?)
}

/// Does the housekeeping now that a server would do after a while.
async fn settle(conn: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut *conn).await?;
    sqlx::raw_sql("CHECKPOINT").execute(conn).await?;
    Ok(())
}

/// Asks a question that follows up on the previous answer.
async fn follow_up(world: Arc<World>, student: Student, _: usize) -> StatusCode {
    world.ask(&student, "show me another example", 20).await.status
}

/// Sends one question of a student.
async fn ask(world: Arc<World>, student: Student, number: usize) -> StatusCode {
    world.ask(&student, QUESTIONS[number % QUESTIONS.len()], 20).await.status
}

async fn look(world: Arc<World>, student: Student, _: usize) -> StatusCode {
    world.get("/me", Some(&student.token)).await.status
}

pub(crate) struct Measured {
    pub(crate) sorted: Vec<Duration>,
    pub(crate) took: Duration,
}

impl Measured {
    fn percentile(&self, percent: usize) -> Duration {
        let at = (self.sorted.len() * percent / 100).min(self.sorted.len().saturating_sub(1));
        self.sorted.get(at).copied().unwrap_or_default()
    }
}

/// Shares `total` requests among the students, each of whom sends the next when the last is answered.
async fn run<F: Future<Output = StatusCode> + Send + 'static>(
    world: &Arc<World>,
    students: &[Student],
    total: usize,
    request: fn(Arc<World>, Student, usize) -> F,
) -> anyhow::Result<Measured> {
    let started = Instant::now();
    let each = total / students.len();
    let clients = students.iter().cloned().map(|student| {
        let world = Arc::clone(world);
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(each);
            for number in 0..each {
                let sent = Instant::now();
                let status = request(Arc::clone(&world), student.clone(), number).await;
                ensure!(status == StatusCode::OK, "a request was answered with {status}");
                times.push(sent.elapsed());
            }
            Ok(times)
        })
    });
    let mut sorted = Vec::with_capacity(total);
    for client in clients.collect::<Vec<_>>() {
        sorted.extend(client.await??);
    }
    sorted.sort_unstable();
    Ok(Measured { sorted, took: started.elapsed() })
}

pub(crate) fn row(measured: &Measured) -> String {
    let ms = |percent| measured.percentile(percent).as_secs_f64() * 1e3;
    let rate = measured.sorted.len() as f64 / measured.took.as_secs_f64();
    format!("{:8.1} {:8.1} {:8.1} {rate:12.0}", ms(50), ms(95), ms(99))
}

/// The time from when an event is created until its handler begins: commit, publish, fetch.
async fn hops(url: &str) -> anyhow::Result<()> {
    let sql = "SELECT percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP
                   (ORDER BY extract(epoch FROM received_at - occurred_at)::float8 * 1000)
               FROM (SELECT received_at, occurred_at FROM inbox JOIN events ON id = event_id
                     ORDER BY occurred_at LIMIT $1) AS alone";
    let mut conn = PgConnection::connect(url).await?;
    let alone = i64::try_from(ALONE)? * 2;
    let hops: Vec<f64> = sqlx::query_scalar(sql).bind(alone).fetch_one(&mut conn).await?;
    let [p50, p95, p99] = hops[..] else { anyhow::bail!("three percentiles were asked for") };
    print("one event hop, one question at a time     p50 ms   p95 ms   p99 ms");
    print(&format!("                            {p50:8.1} {p95:8.1} {p99:8.1}"));
    print("  floor: 100 ms; aim: p50 3 ms");
    Ok(())
}

/// The resident memory of this process.
pub(crate) fn resident_mib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS")).context("no VmRSS")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib / 1024)
}

#[expect(clippy::print_stdout, reason = "a bench's result")]
pub(crate) fn print(line: &str) {
    println!("{line}");
}
