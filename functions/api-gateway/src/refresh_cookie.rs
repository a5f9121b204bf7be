//! The refresh token in a cookie: for pages, whose scripts then never see it.
//!
//! A page of another site cannot use the cookie: it is `SameSite=Strict`, and its endpoints take JSON only, for which a
//! browser asks first and is told that no credentials are allowed.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use runtime::web::{Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::{REFRESH_LIFE, Session};

/// The cookie's name.
const NAME: &str = "learnflow_refresh";
/// The endpoints that get it.
const PATH: &str = "/api/v1/auth";

/// Where a refresh token is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenPlace {
    /// In the response, for programs.
    #[default]
    Body,
    /// In an `HttpOnly` cookie, for pages of the same site.
    Cookie,
}

/// The token of a request.
///
/// # Errors
/// 401 if a page of another site sent the request; 422 if there is no token at all.
pub(crate) fn read(headers: &HeaderMap) -> Result<String, Problem> {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin") {
        return Err(Problem::unauthorized("the cookie is for pages of this origin only"));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
    let token =
        pairs.find(|(name, _)| name.trim() == NAME).map(|(_, token)| token.trim().to_owned());
    token.ok_or_else(|| Problem::field("refresh_token", "the token, or the cookie, of a login"))
}

/// A session as a response, its refresh token where it was asked for.
pub(crate) fn answer(
    status: StatusCode,
    mut session: Session,
    place: TokenPlace,
    request: &HeaderMap,
) -> Response {
    if place == TokenPlace::Body {
        return (status, Json(session)).into_response();
    }
    let token = session.refresh_token.take().unwrap_or_default();
    // A browser drops a secure cookie of a page that came unencrypted, as a local one does.
    let origin = request.get(header::ORIGIN).map(HeaderValue::as_bytes).unwrap_or_default();
    let secure = if origin.starts_with(b"http://") { "" } else { "; Secure" };
    let cookie = format!(
        "{NAME}={token}; Path={PATH}; HttpOnly; SameSite=Strict; Max-Age={}{secure}",
        REFRESH_LIFE.num_seconds()
    );
    (status, [(header::SET_COOKIE, cookie)], Json(session)).into_response()
}

/// The response to a logout: without the cookie, if it was used.
pub(crate) fn removed(place: TokenPlace) -> Response {
    let cookie = format!("{NAME}=; Path={PATH}; HttpOnly; SameSite=Strict; Max-Age=0");
    match place {
        TokenPlace::Body => StatusCode::NO_CONTENT.into_response(),
        TokenPlace::Cookie => {
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
        }
    }
}
