//! The published conversations match those of the product.

use tests::{World, transcripts};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_transcripts_in_docs_are_what_the_tutor_says() {
    let world = World::new().await;
    let shown = include_str!("../../docs/transcripts.md");
    let said = transcripts::render(&world).await;
    let differing = shown.lines().zip(said.lines()).enumerate().find(|(_, (a, b))| a != b);
    assert!(
        differing.is_none() && shown.lines().count() == said.lines().count(),
        "make them again with `cargo build -p tests --bins && target/debug/transcripts > docs/transcripts.md`: {differing:?}"
    );
    world.finish().await;
}
