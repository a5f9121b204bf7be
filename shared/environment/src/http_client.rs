//! HTTP calls to other systems.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use reqwest::{Client, ClientBuilder};
use rustls::{ClientConfig, crypto::aws_lc_rs};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// The longest for a whole call: a slower server counts as down.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// Who calls. Some receivers refuse a request without it.
const AGENT: &str = concat!("LearnFlow/", env!("CARGO_PKG_VERSION"));
/// The machine's trusted certificates, read once: reading them takes longer than anything else about a client. `None`:
/// they cannot be read, which each client then reports.
static TLS: LazyLock<Option<ClientConfig>> = LazyLock::new(|| tls().ok());

/// An HTTP client with the limits of all outgoing calls.
///
/// # Errors
/// The machine's TLS set-up cannot be used.
pub fn http_client() -> Result<Client, reqwest::Error> {
    builder().timeout(CALL_LIMIT).build()
}

fn tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions()?.with_platform_verifier()?;
    Ok(builder.with_no_client_auth())
}

/// A client without limits, which the caller sets.
#[expect(clippy::disallowed_methods, reason = "the one place that may build a client")]
pub(crate) fn builder() -> ClientBuilder {
    let builder = Client::builder().user_agent(AGENT);
    match &*TLS {
        Some(config) => builder.tls_backend_preconfigured(config.clone()),
        None => builder,
    }
}
