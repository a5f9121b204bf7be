//! Checks a token as MSK does: an address that is signed for its region, for a while (Signature Version 4).

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{NaiveDateTime, TimeDelta};
use hmac::{Hmac, KeyInit, Mac};
use runtime::Clock;
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded::byte_serialize};

/// What is not signed, since it is added afterwards.
const UNSIGNED: [&str; 2] = ["X-Amz-Signature", "User-Agent"];

/// An error says what is wrong.
pub(crate) fn check(token: &str, id: &str, secret: &str) -> anyhow::Result<()> {
    let url = Url::parse(std::str::from_utf8(&BASE64_URL_SAFE_NO_PAD.decode(token)?)?)?;
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let value = |name: &str| query.get(name).with_context(|| format!("no {name}"));
    ensure!(value("Action")? == "kafka-cluster:Connect", "another action");
    ensure!(value("X-Amz-Algorithm")? == "AWS4-HMAC-SHA256", "another algorithm");
    ensure!(value("X-Amz-Expires")? == "900", "another lifetime");
    ensure!(value("X-Amz-SignedHeaders")? == "host", "other headers");
    ensure!(value("X-Amz-Security-Token")? == "a/session+token==", "another session");
    let (date, host) = (value("X-Amz-Date")?, url.host_str().context("no host")?);
    let signed_at = NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ")?.and_utc();
    let age = Clock::System.now() - signed_at;
    ensure!((TimeDelta::seconds(-5)..TimeDelta::minutes(15)).contains(&age), "it has expired");
    let region = host.split('.').nth(1).unwrap_or_default();
    ensure!(host == format!("kafka.{region}.amazonaws.com"), "another host");
    let scope = format!("{}/{region}/kafka-cluster/aws4_request", &date[..8]);
    ensure!(value("X-Amz-Credential")? == &format!("{id}/{scope}"), "other credentials");
    let parameters: Vec<String> = query
        .iter()
        .filter(|(name, _)| !UNSIGNED.contains(&name.as_str()))
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    let request = format!(
        "GET\n/\n{}\nhost:{host}\n\nhost\n{}",
        parameters.join("&"),
        hex(&Sha256::digest(b""))
    );
    let request = hex(&Sha256::digest(request));
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{request}");
    let start = format!("AWS4{secret}").into_bytes();
    let key = scope.split('/').fold(start, |key, part| sign(&key, part));
    ensure!(value("X-Amz-Signature")? == &hex(&sign(&key, &text)), "another signature");
    Ok(())
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As in an address, not as in a form.
fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
