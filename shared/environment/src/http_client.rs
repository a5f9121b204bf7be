//! HTTP calls to other systems.

/// An HTTP client with the limits of all outgoing calls.
///
/// # Errors
/// The machine's TLS set-up cannot be used.
#[expect(clippy::disallowed_methods, reason = "the one place that may build a client")]
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    /// The longest for a whole call: a slower server counts as down.
    const CALL_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);
    reqwest::Client::builder().timeout(CALL_LIMIT).build()
}
