//! HTTP: what all endpoints of all functions have in common.

mod address;
mod caller;
pub(crate) mod connections;
pub mod deadline;
pub(crate) mod json;
mod path;
mod problem;
pub(crate) mod server;

pub use address::{ClientAddress, TrustedProxies, network};
pub use caller::{Admin, Caller, Person, RequiredRole, Service, Student, Teacher};
pub use json::{BODY_LIMIT, Json, read_json};
pub use path::Path;
pub use problem::{FieldError, Problem};
