//! Delivers answers, results and alerts to open sockets, and accepts questions there.
//!
//! In: frames of clients, and events of `learning.responses`, `code.results` and `notifications.made`, which say that
//! there is something new for a person. Out: `question.asked.v1`, and frames. What a person gets, and in which order, is
//! in the database, so every instance sends the same, and a client that comes back gets what it has missed. Sockets are
//! held by the instance, or under AWS Lambda by API Gateway; then its own `connection.due.v1` says what is to be done.

mod config;
mod connect;
mod connections;
mod door;
mod frames;
mod hub;
mod incoming;
mod messages;
mod questions;
mod session;
mod spec;

use std::sync::Arc;

use runtime::{Function, Services, config::Settings};

pub use self::spec::SPEC;
use self::{
    config::SocketConfig,
    connections::{Held, due::WakeDue, post::ApiGateway},
    door::Door,
    spec::FOLLOWED,
};

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let config = SocketConfig::read(settings);
    let gateway = ApiGateway::read(settings);
    let proxies = config.proxies.clone();
    let door = Arc::new(Door::new(Arc::clone(services), config));
    let hub = door.hub.clone();
    let function = Function::new(&SPEC)
        .follows(FOLLOWED, Arc::new(move |event| hub.hear(event)))
        .repeats(WakeDue)
        .serves_sockets(door.sockets.clone())
        .serves_public(connect::routes(Arc::clone(&door)))
        .trusts_proxies(proxies);
    match gateway {
        Some(gateway) => function.has_connections(Arc::new(Held { door, gateway })),
        None => function,
    }
}
