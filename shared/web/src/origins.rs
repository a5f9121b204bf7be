//! The pages that may call from a browser.

use axum::http::{HeaderMap, HeaderValue, Uri, header, uri::Authority};
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
            match as_browsers_send(&origin) {
                Some(origin) => allowed.push(origin),
                None => settings.fault(format!(
                    "CORS_ORIGINS is not usable: {origin} is no origin such as https://app.example.org; each is named"
                )),
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

/// An origin as browsers send it: a scheme and a host, perhaps a port that is not the scheme's own, and nothing behind.
fn as_browsers_send(text: &str) -> Option<HeaderValue> {
    let uri: Uri = text.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let is_bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    let is_exact = is_bare && !text.contains(['*', '@', '#']);
    let usual = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let authority = authority.as_str();
    let authority = authority.strip_suffix(usual).unwrap_or(authority);
    let origin = format!("{scheme}://{authority}").to_ascii_lowercase();
    HeaderValue::from_str(&origin).ok().filter(|_| is_exact)
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
    use environment::config::Settings;

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

    #[test]
    fn origins_are_taken_as_people_write_them_and_others_are_named_at_start() {
        for (written, origin) in [
            ("https://School.example/", Some("https://school.example")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("capacitor://localhost", Some("capacitor://localhost")),
            ("https://school.example:443", Some("https://school.example")),
            ("http://[::1]:80", Some("http://[::1]")),
            ("https://school.example:4430", Some("https://school.example:4430")),
            ("*", None),
            ("https://*.school.example", None),
            ("https://me@school.example", None),
            ("https://school.example/#app", None),
            ("school.example", None),
            ("https://school.example/app", None),
        ] {
            let mut settings = Settings::from_pairs([("CORS_ORIGINS", written)]);
            let read = Origins::read(&mut settings);
            assert_eq!(read.0.first().and_then(|origin| origin.to_str().ok()), origin);
            let checked = settings.check().map_err(|error| error.to_string());
            assert_eq!(checked.is_ok(), origin.is_some(), "{checked:?}");
        }
    }
}
