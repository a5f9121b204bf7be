//! The data of stored events, opened.

use events::Json;
use ids::EventId;
use runtime::Store;
use serde_json::Value;
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

/// The data of events in these rows: the id, the type, and the data as text.
///
/// # Panics
/// They cannot be opened.
pub async fn opened(database_url: &str, rows: Vec<PgRow>) -> Vec<Value> {
    let store = Store::open(database_url).expect("an address");
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
