//! A function and its process: its definition, the services that functions share, and how it starts, is monitored and
//! stops, as a server or under AWS Lambda.
//!
//! Belongs here: what connects the environment, the web and the delivery of events; what a function's crate needs of
//! these is re-exported. Never here: how events are delivered or requests served, a product noun or a function's name.

mod connections;
mod function;
mod host;
mod http_response;
mod ingress;
pub mod lambda;
mod probes;
mod services;
mod spec;

pub use connections::{ConnectionId, Connections};
pub use delivery::{
    Act, Decide, HandlerError, Heard, Keys, Listener, Live, OpenError, Outgoing, Periodic,
    Received, Round, Schedule, Store, Sweep, Transaction, UnitOfWork, WorkOrigin, changed_data,
    cluster, fault, follower, handler, kafka, lanes, message, replay, replies,
};
pub use environment::{
    Clock, access_key, clock, compute, config, deadline, http_client, kafka_config, outbound,
    telemetry,
};
pub use function::Function;
pub use host::{Host, HostError, main, shutdown_signal};
pub use services::{Services, StartError};
pub use spec::{Http, Spec};
pub use web::{self, auth, server::Endpoint};

/// The allocator of every process: many small values go from one thread to another, and the threads of the C library's
/// allocator wait for each other then. A question costs an eighth less processor time with this one
/// (`docs/benchmarks.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
