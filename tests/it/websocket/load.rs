//! Many sockets at once.

use futures::future::join_all;
use tests::socket::{Socket, emit, enrol, nudge};
use uuid::Uuid;

use super::{text_of, world_with};

/// Students, each with two open pages.
const STUDENTS: usize = 500;
/// Messages to each of them.
const MESSAGES: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_what_is_for_somebody_else() {
    let world = world_with([("RATE_LIMIT_ADDRESS", "1000000")]).await;
    let url = world.stack().url("websocket").expect("it runs");
    let students = enrol(&world, STUDENTS).await;
    let pages: Vec<(Uuid, String)> = [students.clone(), students.clone()].concat();
    let mut sockets = Vec::new();
    for some in pages.chunks(50) {
        let opened = some.iter().map(|(id, token)| Socket::chat_at(&url, *id, token, None));
        sockets.extend(some.iter().map(|(id, _)| *id).zip(join_all(opened).await));
    }
    let readers: Vec<_> = sockets
        .into_iter()
        .map(|(id, mut socket)| {
            tokio::spawn(async move {
                for number in 0..MESSAGES {
                    let frame = socket.next().await.frame();
                    assert_eq!(frame["student_id"], id.to_string());
                    assert_eq!(text_of(&frame), format!("{number} for {id}"));
                }
                socket
            })
        })
        .collect();
    for number in 0..MESSAGES {
        for some in students.chunks(20) {
            let words = some.iter().map(|(id, _)| nudge(*id, format!("{number} for {id}")));
            emit(&world, &words.collect::<Vec<_>>()).await;
        }
    }
    for reader in join_all(readers).await {
        reader.expect("everybody gets their own").close().await;
    }
    world.finish().await;
}
