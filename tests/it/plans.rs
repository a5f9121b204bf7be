//! The server's plans: every statement finds its rows by an index, however large the tables are.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use testing::TestDatabase;
use tests::plans::{Statement, statements, whole_reads};

#[tokio::test]
async fn every_statement_finds_its_rows_by_an_index() {
    let database = TestDatabase::create().await;
    let mut conn = PgConnection::connect(database.url()).await.unwrap();
    storage::plan_once(&mut conn).await.unwrap();
    let mut faults = Vec::new();
    let statements = statements();
    assert!(statements.len() > 50, "the checked statements are there");
    for Statement { query, parameters } in statements {
        let prepare = format!("PREPARE checked AS {query}");
        sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut conn).await.expect(&query);
        let nulls = vec!["NULL"; parameters.len()].join(", ");
        let arguments = if nulls.is_empty() { String::new() } else { format!("({nulls})") };
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE checked{arguments}");
        let row: Result<Value, _> =
            sqlx::query_scalar(AssertSqlSafe(explain)).fetch_one(&mut conn).await;
        sqlx::raw_sql("DEALLOCATE checked").execute(&mut conn).await.unwrap();
        let found = whole_reads(&row.expect(&query));
        if !found.is_empty() {
            faults.push(format!("{}\n{query}", found.join(", ")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    conn.close().await.unwrap();
    database.remove().await;
}
