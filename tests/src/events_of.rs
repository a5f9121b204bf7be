//! The data of stored events, opened.

use events::Json;
use ids::EventId;
use runtime::Store;
use serde_json::Value;
use sqlx::{Postgres, Row, postgres::PgArguments, query::Query};
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
        let store = Store::open(self.database_url()).expect("an address");
        let mut opened = Vec::new();
        for row in rows {
            let (id, event_type, text): (Uuid, &str, String) = (row.get(0), row.get(1), row.get(2));
            let data = Json::from_text(text).expect("JSON");
            let data = store.keys().open(EventId::from_uuid(id), event_type, data).await;
            let data = data.expect("it can be opened").expect("its account is there");
            opened.push(data.read().expect("JSON"));
        }
        store.close().await;
        opened
    }
}
