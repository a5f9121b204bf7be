//! The catalogue of modules and topics, for references.

use sqlx::PgConnection;

/// A topic's place in the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct CatalogueEntry<'a> {
    /// The module's slug.
    pub module_slug: &'a str,
    /// The module's place, from 1.
    pub module_position: i16,
    /// The module's title.
    pub module_title: &'a str,
    /// The topic's slug.
    pub topic_slug: &'a str,
    /// The topic's place in its module, from 1.
    pub topic_position: i16,
    /// The topic's title.
    pub topic_title: &'a str,
}

/// Brings the catalogue up to date with the curriculum; running it again changes nothing.
///
/// # Errors
/// The database's own.
pub async fn upsert(
    conn: &mut PgConnection,
    entries: impl IntoIterator<Item = CatalogueEntry<'_>>,
) -> sqlx::Result<()> {
    for entry in entries {
        sqlx::query!(
            "INSERT INTO modules (slug, position, title) VALUES ($1, $2, $3)
             ON CONFLICT (slug) DO UPDATE SET position = $2, title = $3
             WHERE (modules.position, modules.title) IS DISTINCT FROM ($2, $3)",
            entry.module_slug,
            entry.module_position,
            entry.module_title,
        )
        .execute(&mut *conn)
        .await?;
        sqlx::query!(
            "INSERT INTO topics (slug, module_slug, position, title) VALUES ($1, $2, $3, $4)
             ON CONFLICT (slug) DO UPDATE SET module_slug = $2, position = $3, title = $4
             WHERE (topics.module_slug, topics.position, topics.title)
                   IS DISTINCT FROM ($2, $3, $4)",
            entry.topic_slug,
            entry.module_slug,
            entry.topic_position,
            entry.topic_title,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
