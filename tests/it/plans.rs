//! The server's plans: every statement finds its rows by an index, however large the tables are.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use testing::TestDatabase;

/// Tables of which a plan may read all rows.
const SMALL: [&str; 4] = [
    // One row for each process.
    "writers",
    // Events that are left to a relay: none, as long as the broker accepts everything.
    "delayed_events",
    // The outline of the course: 31 rows.
    "topics",
    // The list is read in order, up to a page.
    "exercises",
];
/// Indexes that are read in order from one end.
const READ_IN_ORDER: [&str; 3] = [
    // The latest, up to a page.
    "dead_letters",
    // Events that an earlier version left behind, up to a limit.
    "events_unpublished",
    // Exports that are not made yet: the first of nearly none.
    "exports_waiting",
];

/// A statement that was checked when the product was compiled.
#[derive(Deserialize)]
struct Checked {
    query: String,
    describe: Describe,
}

#[derive(Deserialize)]
struct Describe {
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "Left")]
    types: Vec<Value>,
}

fn statements() -> Vec<Checked> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.sqlx");
    let files = fs::read_dir(folder).expect("the checked statements are there");
    let texts = files.map(|file| fs::read(file.expect("a file").path()).expect("it can be read"));
    texts.map(|text| serde_json::from_slice(&text).expect("a checked statement")).collect()
}

/// Finds the tables that a plan reads or joins by a full scan.
fn whole_reads(plan: &Value, found: &mut Vec<String>) {
    match plan {
        Value::Object(node) => {
            let kind = node.get("Node Type").and_then(Value::as_str).unwrap_or_default();
            let table = node.get("Relation Name").and_then(Value::as_str).unwrap_or_default();
            let is_index = kind.starts_with("Index") || kind.starts_with("Bitmap Index");
            let index = node.get("Index Name").and_then(Value::as_str).unwrap_or_default();
            let is_unbounded = is_index
                && !node.contains_key("Index Cond")
                && !READ_IN_ORDER.contains(&index)
                && !SMALL.iter().any(|table| index.starts_with(table));
            if (kind == "Seq Scan" || is_unbounded) && !SMALL.contains(&table) {
                found.push(format!("{kind} of {table}"));
            }
            if node.contains_key("Join Filter") {
                let mut tables = Vec::new();
                tables_of(plan, &mut tables);
                tables.retain(|table| !SMALL.contains(table));
                found.extend(
                    tables.iter().map(|table| format!("each row of {table} by each other")),
                );
            }
            node.values().for_each(|value| whole_reads(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| whole_reads(value, found)),
        _ => {}
    }
}

/// The tables that a plan reads.
fn tables_of<'a>(plan: &'a Value, found: &mut Vec<&'a str>) {
    match plan {
        Value::Object(node) => {
            let is_scan = node
                .get("Node Type")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind.ends_with("Scan"));
            let table = node.get("Relation Name").and_then(Value::as_str).filter(|_| is_scan);
            found.extend(table);
            node.values().for_each(|value| tables_of(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| tables_of(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let database = TestDatabase::create().await;
    let mut conn = PgConnection::connect_with(&storage::planned(database.url().parse().unwrap()))
        .await
        .unwrap();
    let mut faults = Vec::new();
    let statements = statements();
    assert!(statements.len() > 50, "the checked statements are there");
    for Checked { query, describe } in statements {
        let prepare = format!("PREPARE checked AS {query}");
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut conn).await.expect(&query);
        let nulls = vec!["NULL"; describe.parameters.types.len()].join(", ");
        let arguments = if nulls.is_empty() { String::new() } else { format!("({nulls})") };
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE checked{arguments}");
        let row: Result<Value, _> =
            sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&mut conn).await;
        sqlx::raw_sql("DEALLOCATE checked").execute(&mut conn).await.unwrap();
        let mut found = Vec::new();
        whole_reads(&row.expect(&query), &mut found);
        if !found.is_empty() {
            faults.push(format!("{}\n{query}", found.join(", ")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    conn.close().await.unwrap();
    database.remove().await;
}
