//! The statements that were checked when the product was compiled, and what the server's plans for them read.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

/// Tables of which a plan may read all rows.
const SMALL: [&str; 5] = [
    // One row for each process.
    "writers",
    // One row for each partition that an operator has paused for a function: none, nearly always.
    "paused_lanes",
    // Events that are left to a relay: none, as long as the broker accepts everything.
    "delayed_events",
    // The outline of the course: 31 rows.
    "topics",
    // The list is read in order, up to a page.
    "exercises",
];
/// Indexes that are read in order from one end.
const READ_IN_ORDER: [&str; 4] = [
    // The latest, up to a page.
    "dead_letters",
    // Events that an earlier version left behind, up to a limit.
    "events_unpublished",
    // Exports that are not made yet: the first of nearly none.
    "exports_waiting",
    "exports_one_unfinished",
];

/// A statement that was checked when the product was compiled.
#[derive(Debug)]
pub struct Statement {
    /// Its SQL.
    pub query: String,
    /// The types of its parameters; `Other` are those of extensions.
    pub parameters: Vec<String>,
}

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

/// All statements.
///
/// # Panics
/// The folder cannot be read.
#[must_use]
pub fn statements() -> Vec<Statement> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.sqlx");
    let files = fs::read_dir(folder).expect("the checked statements are there");
    let read = |file: std::io::Result<fs::DirEntry>| {
        let text = fs::read(file.expect("a file").path()).expect("it can be read");
        let Checked { query, describe } = serde_json::from_slice(&text).expect("a statement");
        let name = |kind: &Value| kind.as_str().unwrap_or("Other").to_owned();
        Statement { query, parameters: describe.parameters.types.iter().map(name).collect() }
    };
    files.map(read).collect()
}

/// The tables that a plan reads or joins by a full scan, and how.
#[must_use]
pub fn whole_reads(plan: &Value) -> Vec<String> {
    let mut found = Vec::new();
    find_whole_reads(plan, false, &mut found);
    found
}

/// `is_limited`: what is above takes the first rows and no more.
fn find_whole_reads(plan: &Value, is_limited: bool, found: &mut Vec<String>) {
    match plan {
        Value::Object(node) => {
            let kind = node.get("Node Type").and_then(Value::as_str).unwrap_or_default();
            let table = node.get("Relation Name").and_then(Value::as_str).unwrap_or_default();
            let is_index = kind.starts_with("Index") || kind.starts_with("Bitmap Index");
            let index = node.get("Index Name").and_then(Value::as_str).unwrap_or_default();
            let is_unbounded = is_index
                && !node.contains_key("Index Cond")
                && (!is_limited || node.contains_key("Filter"))
                && !READ_IN_ORDER.contains(&index)
                && !SMALL.iter().any(|table| index.starts_with(table));
            if (kind == "Seq Scan" || is_unbounded) && !SMALL.contains(&table) {
                let by = if index.is_empty() { String::new() } else { format!(" by {index}") };
                found.push(format!("{kind} of {table}{by}"));
            }
            if node.contains_key("Join Filter") {
                let mut tables = Vec::new();
                tables_of(plan, &mut tables);
                tables.retain(|table| !SMALL.contains(table));
                found.extend(
                    tables.iter().map(|table| format!("each row of {table} by each other")),
                );
            }
            let is_limited = kind == "Limit";
            node.values().for_each(|value| find_whole_reads(value, is_limited, found));
        }
        Value::Array(values) => {
            values.iter().for_each(|value| find_whole_reads(value, is_limited, found));
        }
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
