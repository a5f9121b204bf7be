//! HTTP: what all endpoints of all functions have in common.

mod caller;
pub(crate) mod json;
mod problem;
pub(crate) mod server;

pub use caller::{Caller, ClientAddress};
pub use json::{BODY_LIMIT, Json, read_json};
pub use problem::{FieldError, Problem};
