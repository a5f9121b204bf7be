//! The pages that may call from a browser.

use axum::http::{HeaderMap, HeaderValue, header};
use environment::config::Settings;

/// `CORS_ORIGINS`: where front ends are served from, comma-separated.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<HeaderValue>);

impl Origins {
    /// Reads the variable above; by default, a front end under development on this machine.
    pub fn read(settings: &mut Settings) -> Self {
        let mut origins = settings.list("CORS_ORIGINS");
        if origins.is_empty() {
            origins.push("http://localhost:3000".to_owned());
        }
        let mut allowed = Vec::new();
        for origin in origins {
            match HeaderValue::from_str(&origin) {
                Ok(origin) => allowed.push(origin),
                Err(error) => settings.fault(format!("CORS_ORIGINS is not usable: {error}")),
            }
        }
        Self(allowed)
    }

    /// The origins as headers.
    #[must_use]
    pub fn into_headers(self) -> Vec<HeaderValue> {
        self.0
    }

    /// Whether a request may come from where it comes from: an allowed page, or no page at all. Browsers send the
    /// origin with every WebSocket and let any page open one, so the server must look.
    #[must_use]
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        headers.get(header::ORIGIN).is_none_or(|origin| self.0.contains(origin))
    }
}
