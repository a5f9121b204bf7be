//! Delivers answers, results and alerts to open sockets, and accepts questions there.
//!
//! In: frames of clients, and events of `learning.responses`, `code.results` and `notifications.made`, which say that
//! there is something new for a person. Out: `question.asked.v1`, and frames. What a person gets, and in which order, is
//! in the database, so every instance sends the same, and a client that comes back gets what it has missed.

mod config;
mod connect;
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
use self::{config::SocketConfig, door::Door, spec::DELIVERED};

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let config = SocketConfig::read(settings);
    let proxies = config.proxies.clone();
    let door = Arc::new(Door::new(Arc::clone(services), config));
    let hub = door.hub.clone();
    Function::new(&SPEC)
        .follows(DELIVERED, Arc::new(move |event| hub.hear(event)))
        .serves_sockets(door.sockets.clone())
        .serves_public(connect::routes(door))
        .trusts_proxies(proxies)
}
