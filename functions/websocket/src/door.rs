//! What all sockets share.

use std::sync::Arc;

use requests::Counters;
use runtime::{Services, web::sockets::Sockets};
use tokio::sync::Semaphore;

use crate::{config::SocketConfig, hub::Hub};

/// Sockets that look for messages at the same time: so many connections of the pool at most, and so many pages of
/// large messages in memory.
const LOOKS_AT_ONCE: usize = 4;

/// The services, and what this instance knows of its sockets.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) services: Arc<Services>,
    pub(crate) config: SocketConfig,
    pub(crate) counters: Counters,
    pub(crate) hub: Hub,
    pub(crate) sockets: Sockets,
    pub(crate) looks: Semaphore,
}

impl Door {
    pub(crate) fn new(services: Arc<Services>, config: SocketConfig) -> Self {
        Self {
            hub: Hub::new(config.per_person),
            sockets: Sockets::new(config.sockets),
            counters: Counters::default(),
            looks: Semaphore::new(LOOKS_AT_ONCE),
            services,
            config,
        }
    }
}
