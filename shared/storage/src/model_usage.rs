//! The ledger of the models' costs.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::agent::Author;
use ids::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

/// One call of a model, before it is made or after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage<'a> {
    /// The call; an entry with the same id replaces it.
    pub id: Uuid,
    /// The student; one without an account is not recorded.
    pub student: UserId,
    /// Which agent has asked.
    pub agent: Author,
    /// The model's name.
    pub model: &'a str,
    /// Tokens that were sent.
    pub tokens_in: u32,
    /// Tokens that came back.
    pub tokens_out: u32,
    /// Millionths of a US dollar.
    pub cost_micro_usd: i64,
    /// How long it took.
    pub latency_ms: u32,
    /// Whether no call was made, since the answer was stored or already requested.
    pub cached: bool,
}

/// A student before a call: their name, which the model must not learn, and what was spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The student's name, if they have an account.
    pub display_name: Option<String>,
    /// Calls for the student, without those saved by the cache.
    pub student_calls: i64,
    /// Millionths of a US dollar for the student.
    pub student_micro_usd: i64,
    /// Millionths of a US dollar for all.
    pub all_micro_usd: i64,
}

/// Enters a call: first its maximum cost, then its real cost.
///
/// The total of an hour is counted in one row for each connection, so that transactions which enter several calls never
/// wait for each other.
///
/// # Errors
/// The database's own.
pub async fn enter(
    conn: &mut PgConnection,
    usage: &Usage<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    sqlx::query!(
        "WITH before AS (
             SELECT cost_micro_usd FROM model_usage WHERE id = $1
         ), entered AS (
             INSERT INTO model_usage (id, student_id, agent, model, tokens_in, tokens_out, cost_micro_usd,
                                      latency_ms, cached, created_at)
             VALUES ($1, (SELECT id FROM users WHERE id = $2), $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (id) DO UPDATE
             SET model = excluded.model, tokens_in = excluded.tokens_in, tokens_out = excluded.tokens_out,
                 cost_micro_usd = excluded.cost_micro_usd, latency_ms = excluded.latency_ms
         )
         INSERT INTO model_spend AS spend (hour, shard, cost_micro_usd)
         VALUES (date_trunc('hour', $10::timestamptz), pg_backend_pid() % 32768,
                 $7 - coalesce((SELECT cost_micro_usd FROM before), 0))
         ON CONFLICT (hour, shard) DO UPDATE SET cost_micro_usd = spend.cost_micro_usd + excluded.cost_micro_usd",
        usage.id,
        usage.student.as_uuid(),
        usage.agent.as_str(),
        usage.model,
        number(usage.tokens_in),
        number(usage.tokens_out),
        usage.cost_micro_usd,
        number(usage.latency_ms),
        usage.cached,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A student's name, and what was spent since `since`, calls in progress included; the total of all students counts from
/// the beginning of that hour.
///
/// # Errors
/// The database's own.
pub async fn standing(
    conn: &mut PgConnection,
    student: UserId,
    since: DateTime<Utc>,
) -> sqlx::Result<Standing> {
    sqlx::query_as!(
        Standing,
        r#"SELECT (SELECT display_name FROM users WHERE id = $1) AS display_name,
                  (count(*) FILTER (WHERE NOT cached))::bigint AS "student_calls!",
                  coalesce(sum(cost_micro_usd), 0)::bigint AS "student_micro_usd!",
                  (SELECT coalesce(sum(cost_micro_usd), 0)::bigint FROM model_spend
                   WHERE hour >= date_trunc('hour', $2::timestamptz)) AS "all_micro_usd!"
           FROM model_usage WHERE student_id = $1 AND created_at > $2"#,
        student.as_uuid(),
        since,
    )
    .fetch_one(conn)
    .await
}

/// What one agent has used of one model on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// The day, in UTC.
    pub day: NaiveDate,
    /// Which agent asked.
    pub agent: String,
    /// The model's name; empty if none was asked.
    pub model: String,
    /// Calls that were made.
    pub calls: i64,
    /// Questions for which no call was needed.
    pub saved: i64,
    /// Calls without an answer.
    pub failed: i64,
    /// Tokens that were sent.
    pub tokens_in: i64,
    /// Tokens that came back.
    pub tokens_out: i64,
    /// Millionths of a US dollar.
    pub cost_micro_usd: i64,
}

/// How old calls are when they are summed up: a call's last entry comes within a minute or two after its first. One that
/// comes later, after a crash, changes no sum: the first has the most that the call can cost.
const SETTLED: TimeDelta = TimeDelta::minutes(10);

/// Sums up the next ten minutes that are over; `false` if there are none.
///
/// # Errors
/// The database's own.
pub async fn sum_up_next(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let summed = sqlx::query!(
        "WITH next AS (
             SELECT date_bin('10 minutes', min(created_at), 'epoch') AS start FROM model_usage
             WHERE created_at >= coalesce((SELECT max(summed_until) FROM model_days), '-infinity')
         )
         INSERT INTO model_days AS days (day, agent, model, calls, saved, failed, tokens_in, tokens_out,
                                         cost_micro_usd, summed_until)
         SELECT date_trunc('day', next.start, 'UTC'), agent, model, count(*) FILTER (WHERE NOT cached),
                count(*) FILTER (WHERE cached), count(*) FILTER (WHERE NOT cached AND tokens_out = 0),
                sum(tokens_in), sum(tokens_out), sum(cost_micro_usd), next.start + interval '10 minutes'
         FROM next
         JOIN model_usage ON created_at >= next.start AND created_at < next.start + interval '10 minutes'
         WHERE next.start + interval '10 minutes' <= $1
         GROUP BY next.start, agent, model
         ON CONFLICT (day, agent, model) DO UPDATE
         SET calls = days.calls + excluded.calls, saved = days.saved + excluded.saved,
             failed = days.failed + excluded.failed, tokens_in = days.tokens_in + excluded.tokens_in,
             tokens_out = days.tokens_out + excluded.tokens_out,
             cost_micro_usd = days.cost_micro_usd + excluded.cost_micro_usd, summed_until = excluded.summed_until
         WHERE days.summed_until < excluded.summed_until",
        now - SETTLED,
    )
    .execute(conn)
    .await?;
    Ok(summed.rows_affected() > 0)
}

/// What was used from one day to another, that one excluded, newest first: by day, agent and model.
///
/// # Errors
/// The database's own.
pub async fn by_day(
    conn: &mut PgConnection,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<DayRow>> {
    sqlx::query_as!(
        DayRow,
        r#"SELECT (day AT TIME ZONE 'UTC')::date AS "day!", agent AS "agent!", model AS "model!",
                  sum(calls)::bigint AS "calls!", sum(saved)::bigint AS "saved!", sum(failed)::bigint AS "failed!",
                  sum(tokens_in)::bigint AS "tokens_in!", sum(tokens_out)::bigint AS "tokens_out!",
                  sum(cost_micro_usd)::bigint AS "cost_micro_usd!"
           FROM (
               SELECT day, agent, model, calls, saved, failed, tokens_in, tokens_out, cost_micro_usd
               FROM model_days WHERE day >= $1 AND day < $2
               UNION ALL
               SELECT date_trunc('day', created_at, 'UTC'), agent, model, count(*) FILTER (WHERE NOT cached),
                      count(*) FILTER (WHERE cached), count(*) FILTER (WHERE NOT cached AND tokens_out = 0),
                      sum(tokens_in), sum(tokens_out), sum(cost_micro_usd)
               FROM model_usage
               WHERE created_at >= greatest($1, (SELECT max(summed_until) FROM model_days)) AND created_at < $2
               GROUP BY 1, 2, 3
           ) AS used
           GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3 LIMIT $3"#,
        from,
        to,
        limit,
    )
    .fetch_all(conn)
    .await
}
