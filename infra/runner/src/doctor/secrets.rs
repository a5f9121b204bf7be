//! Secrets: long enough, hard to guess, each for one purpose.

use std::collections::BTreeSet;

use runtime::{auth::AuthConfig, config::Settings};
use serde_json::Value;

use super::finding::{Finding, REQUEST_LIMIT};

/// Secrets that others present to us, or that sign.
const NAMES: [&str; 3] = ["JWT_SECRET", "INGRESS_TOKEN", "METRICS_TOKEN"];
/// The shortest secret.
const SHORTEST: usize = 32;
/// Different characters that a random secret of that length has at least, with all but certainty.
const DIFFERENT: usize = 10;
/// Words that stand in examples, and in no random secret.
const EXAMPLES: [&str; 5] = ["secret", "change", "example", "password", "learnflow"];

/// Looks at the secrets, and at the keys of an external identity provider.
pub(super) async fn check(settings: &mut Settings) -> Vec<Finding> {
    let secrets: Vec<(&str, String)> =
        NAMES.iter().filter_map(|name| Some((*name, settings.optional(name)?))).collect();
    let mut findings = assess(&secrets);
    let _ = AuthConfig::read(settings);
    match settings.check() {
        Ok(()) if findings.is_empty() => {
            findings.push(Finding::Fine("settings: the secrets are strong enough".to_owned()));
        }
        Ok(()) => {}
        Err(error) => findings.push(Finding::Fault(format!("settings: {error}"))),
    }
    if let Some(url) = settings.optional("JWT_JWKS_URL") {
        findings.push(keys(&url).await);
    }
    findings
}

fn assess(secrets: &[(&str, String)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, (name, secret)) in secrets.iter().enumerate() {
        let lower = secret.to_lowercase();
        let different: BTreeSet<char> = secret.chars().collect();
        let how = "make one with `openssl rand -hex 32`";
        if secret.len() < SHORTEST {
            let text = format!("secrets: {name} has fewer than {SHORTEST} bytes; {how}");
            findings.push(Finding::Fault(text));
        } else if different.len() < DIFFERENT || EXAMPLES.iter().any(|word| lower.contains(word)) {
            findings.push(Finding::Fault(format!("secrets: {name} can be guessed; {how}")));
        }
        let same = secrets[..number].iter().find(|(_, other)| other == secret);
        if let Some((other, _)) = same {
            findings.push(Finding::Warning(format!(
                "secrets: {name} is the same as {other}, so who has one has both; {how}"
            )));
        }
    }
    findings
}

/// The keys of an external identity provider.
async fn keys(url: &str) -> Finding {
    let fetched = async {
        let response = runtime::http_client()?.get(url).timeout(REQUEST_LIMIT).send().await?;
        response.error_for_status()?.text().await
    };
    let count = fetched.await.ok().and_then(|text| {
        let document: Value = serde_json::from_str(&text).ok()?;
        document["keys"].as_array().map(Vec::len)
    });
    match count {
        Some(0) | None => Finding::Fault(format!(
            "secrets: there are no keys at {url}, so nobody can log in; check JWT_JWKS_URL"
        )),
        Some(count) => Finding::Fine(format!("secrets: the identity provider has {count} keys")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, assess};

    #[test]
    fn a_weak_or_shared_secret_is_named() {
        let strong = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned();
        assert_eq!(assess(&[("JWT_SECRET", strong.clone())]), []);
        for (weak, words) in [
            ("short", "fewer than 32"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "can be guessed"),
            ("please-Change-me-0123456789-abcdefghijk", "can be guessed"),
        ] {
            let found = assess(&[("JWT_SECRET", weak.to_owned())]);
            let [Finding::Fault(text)] = &found[..] else { panic!("{weak}: {found:?}") };
            assert!(text.contains(words), "{text}");
        }
        let found = assess(&[("JWT_SECRET", strong.clone()), ("INGRESS_TOKEN", strong)]);
        let [Finding::Warning(text)] = &found[..] else { panic!("{found:?}") };
        assert!(text.contains("INGRESS_TOKEN is the same as JWT_SECRET"), "{text}");
    }
}
