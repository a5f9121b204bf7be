//! A function has given up on a message.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The CloudEvents type of a [`DeadLetter`].
pub const TYPE: &str = "message.dead_lettered.v1";

/// A message that can never be handled, kept with everything needed to look into it and to send it
/// again. Emitted by the runtime on behalf of any function. Since 0.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadLetter {
    /// The function that gave up.
    pub function: String,
    /// Where the message came from, for instance `learning.requests-3@15` or `http`.
    pub origin: String,
    /// What went wrong, outermost cause first.
    pub reasons: Vec<String>,
    /// How often handling was tried.
    pub attempts: u32,
    /// The message's key, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_base64: Option<String>,
    /// The message's headers in their order, values base64.
    pub headers: Vec<(String, String)>,
    /// The message's body, byte for byte, base64; only its beginning if `truncated`.
    pub value_base64: String,
    /// Whether parts are left out, since the message is too large to travel in another: `origin` tells where all of it
    /// is. Since 0.2.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}
