//! Whether a client can open a socket.

use chrono::TimeDelta;
use domain::user::Role;
use ids::UserId;
use runtime::{
    Clock,
    auth::{AuthConfig, Signer},
    config::Settings,
};

use super::finding::{Finding, REQUEST_LIMIT};

/// Life of the token: one request.
const LIFE: TimeDelta = TimeDelta::seconds(60);
/// The key of the handshake's example (RFC 6455, 1.3). It guards against caches, and there is none here.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Opens a socket as a person who does not exist, for whom there are no messages.
pub(super) async fn check(address: Option<&str>, settings: &mut Settings) -> Finding {
    let Some(address) = address else {
        return Finding::Fine(
            "sockets: not looked at; name their address with --sockets".to_owned(),
        );
    };
    let Some(rest) = address.strip_prefix("ws") else {
        return Finding::Fault(format!("sockets: {address} does not begin with ws:// or wss://"));
    };
    let signer = Signer::new(&AuthConfig::read(settings));
    let clock = Clock::System;
    let id = UserId::from_uuid(clock.new_id());
    let token = signer
        .and_then(|signer| signer.sign(id, Role::Student, clock.new_id(), clock.now(), LIFE).ok());
    let opened = async {
        let url = format!("http{}/ws/chat/{id}", rest.trim_end_matches('/'));
        let mut request = runtime::http_client()?.get(url).timeout(REQUEST_LIMIT);
        for (name, value) in [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", KEY),
            ("sec-websocket-protocol", "learnflow.v1"),
        ] {
            request = request.header(name, value);
        }
        if let Some(token) = &token {
            request = request.bearer_auth(token);
        }
        request.send().await
    };
    match (opened.await.map(|response| response.status().as_u16()), token.is_some()) {
        (Ok(101), _) => Finding::Fine(format!("sockets: {address} opens one")),
        (Ok(401), false) => Finding::Fine(format!(
            "sockets: {address} asks for a token of the external identity provider, which we have none of"
        )),
        (Ok(401), true) => Finding::Fault(format!(
            "sockets: {address} does not accept our token; give it the same JWT_SECRET, JWT_ISSUER and JWT_AUDIENCE"
        )),
        (Ok(426 | 400), _) => Finding::Fault(format!(
            "sockets: {address} got no request for a socket; have the proxy before it pass on `Upgrade`"
        )),
        (Ok(status), _) => Finding::Fault(format!(
            "sockets: {address} answers with {status}; check that it is the function `websocket`, and its log"
        )),
        (Err(_), _) => Finding::Fault(format!(
            "sockets: nothing answers at {address}; check the address, and that the function `websocket` runs"
        )),
    }
}
