//! HTTP: what the endpoints of all functions have in common.
//!
//! Belongs here: connections and their limits, the common form of requests and responses, callers, and tokens. Never
//! here: an endpoint of one function, and how events are handled.

mod address;
pub mod auth;
mod caller;
mod claims;
pub mod connections;
mod json;
mod jwks;
mod origins;
mod path;
mod problem;
pub mod server;
pub mod sockets;
mod unread;

pub use address::{ClientAddress, TrustedProxies, network};
pub use auth::{Person, Service};
pub use caller::{Admin, Caller, RequiredRole, Student, Teacher, bearer_token, refused};
pub use json::{BODY_LIMIT, Json, read_body, read_json, wrong_shape};
pub use origins::Origins;
pub use path::Path;
pub use problem::{FieldError, Problem};
