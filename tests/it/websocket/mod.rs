//! Sockets: who may open one, what comes on it, and that nothing is lost, repeated or somebody else's.

mod delivery;
mod ends;
mod load;
mod opening;
mod replay;

use chrono::TimeDelta;
use domain::user::Role;
use events::{Event, progress_updated::NudgeGiven};
use ids::{EventId, UserId};
use runtime::{
    Host, Outgoing,
    auth::{AuthConfig, Signer},
    config::Settings,
};
use serde_json::Value;
use tests::{JWT_SECRET, Setup, World};
use uuid::Uuid;

/// A token of ours that lives for this long.
pub(crate) fn token(world: &World, id: Uuid, role: Role, life: TimeDelta) -> String {
    let mut settings = Settings::from_pairs([("JWT_SECRET", JWT_SECRET)]);
    let signer = Signer::new(&AuthConfig::read(&mut settings)).expect("a secret");
    let (token_id, now) = (world.clock().new_id(), world.now());
    signer.sign(UserId::from_uuid(id), role, token_id, now, life).expect("it can be signed")
}

/// Has a function emit events, in one transaction.
async fn emit<E: Event>(world: &World, events: &[E]) {
    let services = world.stack().services();
    let mut outgoing = Outgoing::none();
    for event in events {
        outgoing = outgoing.with(event).expect("it fits");
    }
    let cause = EventId::from_uuid(services.clock.new_id());
    let tx = services.store.begin("a test").await.expect("a transaction");
    tx.commit(cause, outgoing, services.clock.now()).await.expect("it is committed");
}

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

/// A friendly word with a text that tells it from others.
fn nudge(student: Uuid, text: impl Into<String>) -> NudgeGiven {
    NudgeGiven {
        student_id: UserId::from_uuid(student),
        request_id: student,
        text: text.into(),
        topic: None,
        exercise_id: None,
    }
}

fn text_of(frame: &Value) -> &str {
    frame["content"].as_str().expect("a text")
}

fn id_of(frame: &Value) -> String {
    frame["message_id"].as_str().expect("an id").to_owned()
}

/// Makes accounts without passwords, which would take a core for each.
async fn enrol(world: &World, count: usize) -> Vec<(Uuid, String)> {
    let mut people = Vec::new();
    for _ in 0..count {
        let id = world.clock().new_id();
        people.push((id, token(world, id, Role::Student, TimeDelta::hours(1))));
    }
    let ids: Vec<Uuid> = people.iter().map(|(id, _)| *id).collect();
    let sql = "INSERT INTO users (id, email, display_name, role, created_at)
               SELECT id, id || '@example.org', 'A student', 'student', now() FROM UNNEST($1::uuid[]) AS id";
    let insert = sqlx::query(sql).bind(ids).execute(&mut world.database().await).await;
    insert.expect("the accounts are made");
    people
}
