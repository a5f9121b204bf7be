//! The pages that may call from a browser.

use axum::http::{HeaderMap, HeaderValue, header, uri::Authority};
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

    /// Whether a request may come from where it comes from: an allowed page, a page of this host (such as the
    /// gateway's own, on another port), or no page at all. Browsers send the origin with every WebSocket and let any page
    /// open one, so the server must look. No cookie opens a socket, so another port gains nothing.
    #[must_use]
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        headers.get(header::ORIGIN).is_none_or(|origin| {
            self.0.contains(origin)
                || host_of(Some(origin)).is_some_and(|host| {
                    host_of(headers.get(header::HOST)).is_some_and(|asked| asked == host)
                })
        })
    }
}

/// The host in an origin or in a `Host` header.
fn host_of(value: Option<&HeaderValue>) -> Option<String> {
    let text = value?.to_str().ok()?;
    let authority = text.split_once("://").map_or(text, |(_, authority)| authority);
    let authority: Authority = authority.parse().ok()?;
    Some(authority.host().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::Origins;

    #[test]
    fn pages_of_this_host_and_allowed_ones_are_admitted() {
        let origins = Origins(vec![HeaderValue::from_static("https://school.example")]);
        for (origin, host, admitted) in [
            (None, "api.example", true),
            (Some("https://school.example"), "api.example", true),
            (Some("http://127.0.0.1:8180"), "127.0.0.1:8108", true),
            (Some("http://[::1]:8180"), "[::1]:8108", true),
            (Some("http://localhost:8180"), "127.0.0.1:8108", false),
            (Some("https://evil.example"), "api.example", false),
            (Some("https://api.example.evil.example"), "api.example", false),
            (Some("null"), "api.example", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(origins.admit(&headers), admitted, "{origin:?} at {host}");
        }
    }
}
