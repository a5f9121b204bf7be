//! The course as rows of a database: its outline and exercises, to which students' data refers.

use anyhow::Context;
use ids::EventId;
use runtime::{Clock, Outgoing, Store};
use storage::{
    curriculum::CatalogueEntry,
    exercises::{self as stored, NewExercise},
};

/// Writes the outline and the exercises, or brings them up to date; running it again changes nothing.
pub(crate) async fn write(store: &Store, clock: &Clock) -> anyhow::Result<()> {
    let now = clock.now();
    let course = curriculum::embedded();
    let mut tx = store.begin("course").await.context("the database is away")?;
    storage::curriculum::upsert(tx.conn(), entries())
        .await
        .context("the outline cannot be stored")?;
    for entry in curriculum::bank(course) {
        let exercise = NewExercise {
            id: entry.id,
            topic: &entry.topic.slug,
            difficulty: entry.exercise.difficulty,
            title: &entry.exercise.title,
            task: &entry.exercise.task,
            starter: &entry.exercise.starter,
            body: &entry.exercise,
            source: "course",
            position: i32::try_from(entry.position)?,
            variation_of: None,
            faults: None,
        };
        stored::upsert(tx.conn(), &exercise, now).await.context("an exercise cannot be stored")?;
    }
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), now).await?;
    Ok(())
}

fn entries() -> impl Iterator<Item = CatalogueEntry<'static>> {
    let place = |index: usize| i16::try_from(index + 1).unwrap_or(i16::MAX);
    curriculum::embedded().modules.iter().enumerate().flat_map(move |(index, module)| {
        module.topics.iter().enumerate().map(move |(position, topic)| CatalogueEntry {
            module_slug: &module.slug,
            module_position: place(index),
            module_title: &module.title,
            topic_slug: &topic.slug,
            topic_position: place(position),
            topic_title: &topic.title,
        })
    })
}
