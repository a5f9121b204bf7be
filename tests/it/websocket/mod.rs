//! Sockets: who may open one, what comes on it, and that nothing is lost, repeated or somebody else's.

mod delivery;
mod ends;
mod held;
mod load;
mod opening;
mod replay;

use runtime::{Host, config::Settings};
use serde_json::Value;
use tests::{Setup, World};

/// Another instance of the function, on the same database and broker.
async fn another_instance(world: &World) -> (Host, String) {
    let mut settings = Settings::from_pairs([
        ("BIND_ADDRESS", "127.0.0.1"),
        ("PORT", "0"),
        ("RATE_LIMIT_ADDRESS", "1000000"),
    ]);
    let services = world.stack().services();
    let function = websocket::function(&mut settings, services);
    let host = Host::start(function, services, &mut settings).await.expect("it starts");
    let url = format!("http://{}", host.address());
    (host, url)
}

/// A world with these settings.
async fn world_with<const N: usize>(settings: [(&'static str, &str); N]) -> World {
    let settings = settings.map(|(name, value)| (name, value.to_owned())).into();
    World::with(Setup { settings, ..Setup::default() }).await
}

fn text_of(frame: &Value) -> &str {
    frame["content"].as_str().expect("a text")
}

fn id_of(frame: &Value) -> String {
    frame["message_id"].as_str().expect("an id").to_owned()
}
