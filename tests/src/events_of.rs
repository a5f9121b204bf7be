//! The data of stored events, opened.

use serde_json::Value;
use sqlx::{Postgres, postgres::PgArguments, query::Query};
use testing::opened;
use uuid::Uuid;

use crate::World;

impl World {
    /// The data of all events of a type that a request caused, oldest first.
    ///
    /// # Panics
    /// `request` is not a UUID.
    pub async fn events_of_request(&self, request: &str, event_type: &str) -> Vec<Value> {
        let sql = "SELECT id, type, data::text FROM events WHERE correlation_id = $1 AND type = $2
                   ORDER BY occurred_at";
        let id: Uuid = request.parse().expect("a UUID");
        self.opened(sqlx::query(sql).bind(id).bind(event_type)).await
    }

    /// The data of the events that a query finds with their ids and types.
    ///
    /// # Panics
    /// The query is not valid, or they cannot be opened.
    pub async fn opened(&self, query: Query<'_, Postgres, PgArguments>) -> Vec<Value> {
        let rows = query.fetch_all(&mut self.database().await).await.expect("the query is valid");
        opened(self.database_url(), rows).await
    }
}
