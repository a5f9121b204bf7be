//! Prints conversations with the offline tutor as Markdown.

use tests::{World, transcripts};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a command's answer to a person")]
async fn main() {
    let world = World::new().await;
    print!("{}", transcripts::render(&world).await);
    world.finish().await;
}
