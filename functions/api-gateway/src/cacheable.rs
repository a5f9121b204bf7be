//! Responses that clients may keep, and ask whether they have changed (RFC 9110, sections 8.8.3 and 13.1.2).

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use runtime::web::Problem;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Who may keep a response, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Anyone, for five minutes: the course changes with a new version only.
    Public,
    /// Anyone, who asks each time whether it has changed.
    Checked,
    /// The caller, who asks each time whether it has changed.
    Private,
}

/// A JSON response with a strong entity tag; `304` if the client has it already.
///
/// # Errors
/// 500 if the body has no JSON form.
pub(crate) fn cacheable(
    headers: &HeaderMap,
    body: &impl Serialize,
    keep: Keep,
) -> Result<Response, Problem> {
    let body = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
    tagged(headers, "application/json", body, keep)
}

/// A response of any type, as [`cacheable`] makes it.
///
/// # Errors
/// 500 if the tag is no header value.
pub(crate) fn tagged(
    headers: &HeaderMap,
    media_type: &'static str,
    body: Vec<u8>,
    keep: Keep,
) -> Result<Response, Problem> {
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&body)));
    respond(headers, media_type, body, &tag, keep)
}

/// A JSON response whose entity tag is known, quotes included; `304` if the client has it already.
///
/// # Errors
/// 500 if the body has no JSON form, or the tag is no header value.
pub(crate) fn versioned(
    headers: &HeaderMap,
    body: &impl Serialize,
    tag: &str,
    keep: Keep,
) -> Result<Response, Problem> {
    let body = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
    respond(headers, "application/json", body, tag, keep)
}

fn respond(
    headers: &HeaderMap,
    media_type: &'static str,
    body: Vec<u8>,
    tag: &str,
    keep: Keep,
) -> Result<Response, Problem> {
    let mut response = if has(headers, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, media_type)], body).into_response()
    };
    let kept = match keep {
        Keep::Public => "public, max-age=300",
        Keep::Checked => "no-cache",
        Keep::Private => "private, no-cache",
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    let tag = HeaderValue::from_str(tag).map_err(|error| Problem::internal(&error))?;
    headers.insert(header::ETAG, tag);
    Ok(response)
}

/// Whether the client has the version with this tag. Compared weakly, as `If-None-Match` asks.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tags.map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

    use super::{Keep, cacheable};

    #[test]
    fn a_client_that_has_it_gets_no_body() {
        let ask = |known: Option<&str>, body: &str| {
            let mut headers = HeaderMap::new();
            if let Some(known) = known {
                headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(known).unwrap());
            }
            let response = cacheable(&headers, &body, Keep::Public).unwrap();
            let tag = response.headers()[header::ETAG].to_str().unwrap().to_owned();
            (response.status(), tag)
        };
        let (status, tag) = ask(None, "one");
        assert_eq!(status, StatusCode::OK);
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            assert_eq!(
                ask(Some(&known), "one"),
                (StatusCode::NOT_MODIFIED, tag.clone()),
                "{known}"
            );
            let is_any = known == "*";
            assert_eq!(ask(Some(&known), "two").0 == StatusCode::OK, !is_any, "{known}");
        }
        assert_eq!(ask(Some("\"x\""), "one").0, StatusCode::OK);
    }
}
