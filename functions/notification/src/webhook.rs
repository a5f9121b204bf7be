//! Webhooks by the Standard Webhooks specification 1.0.0: what is sent, and how it is signed.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use domain::{notification::signing_key, struggle::Severity};
use events::struggle_detected::AlertChange;
use hmac::{Hmac, KeyInit, Mac};
use ids::{AlertId, NotificationId, UserId};
use reqwest::{
    StatusCode, Url,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use runtime::outbound::{self, Outbound};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use sha2::Sha256;
use storage::deliveries::{Job, Message};

use crate::{
    retry::{Failure, retry_after},
    words::shortened,
};

/// The longest for a target to answer; the specification recommends 15 to 30 s.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);

/// What a webhook and a topic get.
#[derive(Debug, Serialize)]
pub(crate) struct Payload<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    timestamp: DateTime<Utc>,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
struct Data<'a> {
    notification_id: NotificationId,
    title: &'a str,
    text: &'a str,
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert_id: Option<AlertId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    student: Option<Student<'a>>,
}

#[derive(Debug, Serialize)]
struct Student<'a> {
    id: UserId,
    name: &'a str,
}

impl<'a> From<&'a Message> for Payload<'a> {
    fn from(message: &'a Message) -> Self {
        let kind = match message.change {
            Some(AlertChange::Opened) => "alert.opened",
            Some(AlertChange::Updated) => "alert.updated",
            Some(AlertChange::Resolved) => "alert.resolved",
            Some(AlertChange::Unknown) | None => "notification.made",
        };
        let data = Data {
            notification_id: message.notification_id,
            title: &message.title,
            text: &message.text,
            severity: message.severity,
            alert_id: message.alert_id,
            student: message.student.as_ref().map(|(id, name)| Student { id: *id, name }),
        };
        Self { kind, timestamp: message.created_at, data }
    }
}

/// Most characters of a message to Discord (discord.com/developers/docs/resources/webhook).
const DISCORD_LIMIT: usize = 2_000;

/// Shows no previews of addresses in a message (discord.com/developers/docs/resources/message, `SUPPRESS_EMBEDS`).
const NO_PREVIEWS: u32 = 1 << 2;

/// Chats that read bodies of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chat {
    Slack,
    Discord,
}

impl Chat {
    /// The chat at an address, if there is one.
    fn at(url: &Url) -> Option<Self> {
        let is_discord = is_discord(url);
        // Discord reads Slack's bodies at such addresses.
        if url.host_str() == Some("hooks.slack.com") || is_discord && url.path().ends_with("/slack")
        {
            return Some(Self::Slack);
        }
        is_discord.then_some(Self::Discord)
    }
}

/// Whether an address is one of Discord, whose programs for testers copy addresses with hosts of their own.
fn is_discord(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let tested = ["canary.", "ptb."].iter().find_map(|name| host.strip_prefix(name));
    matches!(tested.unwrap_or(host), "discord.com" | "discordapp.com")
}

/// A text whose signs have no meaning in Markdown: a name must not become a link.
fn plain_in_markdown(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\*_~`|<>[]()#-".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// Whether a target is gone for good. The standard says so of 410; Discord has no address with 404 that comes back, and
/// shuts out who calls them on and on.
fn is_gone(url: &Url, status: StatusCode) -> bool {
    status == StatusCode::GONE || (status == StatusCode::NOT_FOUND && is_discord(url))
}

/// The body for a target: what a chat reads whose address it is, and what the standard says for all others.
fn body(url: &Url, message: &Message) -> serde_json::Result<String> {
    let said = || {
        let about = message.student.as_ref().map(|(_, name)| format!("About {name}. "));
        format!("{}: {}{}", message.title, about.unwrap_or_default(), message.text)
    };
    let in_chat = match Chat::at(url) {
        // With `<!channel>` in a name it would call everybody.
        Some(Chat::Slack) => {
            let said = said().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            Some(json!({ "text": said }))
        }
        Some(Chat::Discord) => {
            let content = shortened(&plain_in_markdown(&said()), DISCORD_LIMIT);
            let nobody = json!({ "parse": [] });
            Some(json!({ "content": content, "allowed_mentions": nobody, "flags": NO_PREVIEWS }))
        }
        None => None,
    };
    match in_chat {
        Some(body) => Ok(body.to_string()),
        None => serde_json::to_string(&Payload::from(message)),
    }
}

/// The id of a message, the same for each attempt: the target drops what it has.
pub(crate) fn message_id(job: &Job) -> String {
    format!("msg_{}", job.id.as_uuid().simple())
}

/// The signatures by each secret, the current one first. What is no secret signs nothing.
fn signatures(secrets: &[SecretString], id: &str, timestamp: i64, body: &str) -> String {
    let sign = |secret: &SecretString| {
        let key = signing_key(secret.expose_secret())?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    secrets.iter().filter_map(sign).collect::<Vec<_>>().join(" ")
}

/// Sends a message; returns the status.
pub(crate) async fn send(
    outbound: &Outbound,
    url: &Url,
    job: &Job,
    now: DateTime<Utc>,
) -> Result<Option<u16>, Failure> {
    let body = body(url, &job.message).map_err(|error| Failure {
        reason: error.to_string(),
        is_final: true,
        ..Failure::default()
    })?;
    let (id, timestamp) = (message_id(job), now.timestamp());
    let request = outbound
        .post(url)
        .map_err(refused)?
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-signature", signatures(&job.secrets, &id, timestamp, &body))
        .header("webhook-timestamp", timestamp)
        .header("webhook-id", id)
        .body(body);
    let response = request.send().await.map_err(|error| failed(&error))?;
    let status = response.status();
    if status.is_success() {
        return Ok(Some(status.as_u16()));
    }
    let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    Err(Failure {
        reason: format!("it answered {status}"),
        status: Some(status.as_u16()),
        retry_after: asked.and_then(|text| retry_after(text, now)),
        is_final: is_gone(url, status),
        is_gone: is_gone(url, status),
    })
}

fn refused(refusal: outbound::Refusal) -> Failure {
    Failure { reason: refusal.to_string(), is_final: true, ..Failure::default() }
}

/// Without the address, which can hold a secret.
fn failed(error: &reqwest::Error) -> Failure {
    if let Some(refusal) = outbound::refusal(error) {
        return refused(refusal);
    }
    let reason = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the connection broke"
    };
    Failure { reason: reason.to_owned(), ..Failure::default() }
}

#[cfg(test)]
mod tests {
    use domain::notification::{Channel, secret};
    use proptest::prelude::*;
    use secrecy::SecretString;
    use standardwebhooks::Webhook;
    use storage::deliveries::Message;
    use uuid::Uuid;

    use reqwest::Url;
    use serde_json::{Value, json};

    use super::{DISCORD_LIMIT, Payload, StatusCode, body, is_gone, signatures};
    use crate::words::MAX_TEXT;

    const NOW: i64 = 1_790_000_000;

    /// Whether one of the signatures is that of the standard's own library.
    fn verifies(secret: &str, signature: &str, body: &str) -> bool {
        let webhook = Webhook::new(secret).unwrap();
        let expected = webhook.sign("msg_1", NOW, body.as_bytes()).unwrap();
        signature.split(' ').any(|one| one == expected)
    }

    #[test]
    fn the_standards_own_library_accepts_the_signatures_of_both_secrets() {
        let secrets = [1, 2, 3].map(|byte| secret(Channel::Webhook, &[byte; 32]).unwrap());
        let signers = [&secrets[0], &secrets[1]].map(|text| SecretString::from(text.as_str()));
        let body = "{\"text\": \"Ä\"}";
        let signature = signatures(&signers, "msg_1", NOW, body);
        assert!(verifies(&secrets[0], &signature, body) && verifies(&secrets[1], &signature, body));
        assert!(!verifies(&secrets[2], &signature, body));
        assert!(!verifies(&secrets[0], &signature, "{}"));
        assert_eq!(signatures(&["x".into()], "msg_1", NOW, body), "");
    }

    fn message(name: &str, title: &str, text: &str) -> Message {
        let id = Uuid::from_u128(1);
        Message {
            notification_id: ids::NotificationId::from_uuid(id),
            alert_id: Some(ids::AlertId::from_uuid(id)),
            change: None,
            student: Some((ids::UserId::from_uuid(id), name.to_owned())),
            title: title.to_owned(),
            text: text.to_owned(),
            severity: domain::struggle::Severity::Medium,
            created_at: Default::default(),
        }
    }

    #[test]
    fn a_chat_gets_words_and_nobody_is_called_by_them() {
        let body = |url: &str, text: &str| -> Value {
            let message = message("<!channel>", "Needs help", text);
            serde_json::from_str(&body(&Url::parse(url).unwrap(), &message).unwrap()).unwrap()
        };
        let slack = body("https://hooks.slack.com/services/T/B/x", "Five runs failed.");
        assert_eq!(slack["text"], "Needs help: About &lt;!channel&gt;. Five runs failed.");
        let discord = body("https://discord.com/api/webhooks/1/x", &"@everyone ".repeat(300));
        assert_eq!(discord["allowed_mentions"], json!({ "parse": [] }));
        let link = "[Open](https://evil.example)";
        let preview = body("https://canary.discord.com/api/webhooks/1/x", link);
        let content = preview["content"].as_str().unwrap();
        assert!(content.ends_with("\\[Open\\]\\(https://evil.example\\)"), "{content}");
        assert!(body("https://discord.com/api/webhooks/1/x/slack", link)["text"].is_string());
        let content = discord["content"].as_str().unwrap();
        assert!(content.starts_with("Needs help") && content.chars().count() <= DISCORD_LIMIT);
        assert_eq!(body("https://school.example/hook", "x")["data"]["title"], "Needs help");
    }

    #[test]
    fn a_target_is_gone_where_it_says_so() {
        for (url, status, gone) in [
            ("https://school.example/hook", 410, true),
            ("https://school.example/hook", 404, false),
            ("https://discord.com/api/webhooks/1/x", 404, true),
            ("https://ptb.discord.com/api/webhooks/1/x", 404, true),
            ("https://discord.com/api/webhooks/1/x", 429, false),
            ("https://hooks.slack.com/services/T/B/x", 404, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(is_gone(&Url::parse(url).unwrap(), status), gone, "{url} {status}");
        }
    }

    proptest! {
        #[test]
        fn a_body_is_below_20_kb(c in any::<char>()) {
            let long = |count| std::iter::repeat_n(c, count).collect::<String>();
            let message = message(&long(100), &long(200), &long(MAX_TEXT));
            let body = serde_json::to_string(&Payload::from(&message)).unwrap();
            prop_assert!(body.len() < 20_000, "{}", body.len());
        }
    }
}
