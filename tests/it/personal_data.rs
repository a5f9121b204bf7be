//! The list of what is stored about people is the schema's.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, Row};
use storage::personal_data::{OnErasure, TABLES, erase_some, export};
use testing::TestDatabase;
use uuid::Uuid;

/// Columns that refer to a person or may hold text: those of such a type, and ids of people.
const COLUMNS: &str = "SELECT table_name::text, column_name::text FROM information_schema.columns
    WHERE table_schema = 'public'
      AND (data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY', 'xml', 'inet')
           OR column_name ~ '(user|student|teacher|person|owner|subject)' AND data_type = 'uuid')";
const NAMES: &str = "SELECT table_name::text FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'";

#[tokio::test]
async fn every_table_and_column_that_may_hold_personal_data_is_listed() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;
    let names = sqlx::query(NAMES).fetch_all(&mut conn).await.expect("it is valid");
    let mut found: BTreeMap<String, BTreeSet<String>> =
        names.iter().map(|row| (row.get(0), BTreeSet::new())).collect();
    for row in sqlx::query(COLUMNS).fetch_all(&mut conn).await.expect("it is valid") {
        if let Some(columns) = found.get_mut(row.get::<&str, _>(0)) {
            columns.insert(row.get(1));
        }
    }
    let listed: BTreeMap<String, BTreeSet<String>> = TABLES
        .iter()
        .map(|table| {
            let columns = table.columns.iter().map(|column| (*column).to_owned());
            (table.name.to_owned(), columns.collect())
        })
        .collect();
    let differences: Vec<String> = found
        .keys()
        .chain(listed.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|name| found.get(*name) != listed.get(*name))
        .map(|name| format!("{name}: {:?}, but listed: {:?}", found.get(name), listed.get(name)))
        .collect();
    assert!(
        differences.is_empty(),
        "say in personal_data.rs what becomes of them:\n{}",
        differences.join("\n")
    );
    for table in TABLES {
        if let OnErasure::With(other) = table.on_erasure {
            assert!(listed.contains_key(other), "{} goes with {other}", table.name);
        }
    }
    database.remove().await;
}

/// All statements of the list are valid, and find their rows by an index.
#[tokio::test]
async fn statements_of_the_list_find_their_rows_by_an_index() {
    let database = TestDatabase::create().await;
    let mut conn = PgConnection::connect(database.url()).await.expect("a connection");
    storage::plan_once(&mut conn).await.expect("the settings exist");
    let nobody = ids::UserId::from_uuid(Uuid::nil());
    let is_gone = erase_some(&mut conn, nobody, 10, DateTime::<Utc>::UNIX_EPOCH).await;
    assert!(is_gone.expect("all of them are valid"));
    for table in TABLES {
        if let Some(sql) = table.exported {
            let exported = export(&mut conn, sql, nobody, 1_000).await;
            assert_eq!(exported.expect(table.name).as_deref(), Some("[\n]\n"), "{}", table.name);
        }
        let (OnErasure::Gone(sql) | OnErasure::Requests(sql)) = table.on_erasure else { continue };
        for sql in [Some(sql), table.exported].into_iter().flatten() {
            let prepare = format!("PREPARE checked (uuid, bigint) AS {sql}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut conn).await.expect(sql);
            let explain = "EXPLAIN (COSTS OFF) EXECUTE checked (NULL, NULL)";
            let rows = sqlx::raw_sql(explain).fetch_all(&mut conn).await.expect(sql);
            sqlx::raw_sql("DEALLOCATE checked").execute(&mut conn).await.expect("it is there");
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{sql}\n{plan:#?}");
        }
    }
    database.remove().await;
}
