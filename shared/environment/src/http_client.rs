//! Calls to other systems by HTTP.

/// An HTTP client with the limits that every call out has.
///
/// # Errors
/// The machine's TLS set-up cannot be used.
#[expect(clippy::disallowed_methods, reason = "the one place that may build a client")]
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    /// The longest for a whole call: what is slower is treated as down.
    const CALL_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);
    reqwest::Client::builder().timeout(CALL_LIMIT).build()
}
