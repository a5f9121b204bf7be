//! E-mail.

use std::time::Duration;

use ids::SubscriptionId;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp,
};
use reqwest::Url;
use runtime::config::Settings;
use secrecy::{ExposeSecret, SecretString};
use storage::deliveries::Job;

use crate::retry::Failure;

/// The longest for a server to take a mail, from connecting to the last word.
const LIMIT: Duration = Duration::from_secs(30);
/// The longest for each of its answers.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);

/// Sends e-mails, each over a connection of its own: servers close idle ones, and the next mail would fail.
#[derive(Debug)]
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// Where people reach the gateway.
    public_url: String,
}

impl Mailer {
    /// Reads `SMTP_URL`, `MAIL_FROM` and `PUBLIC_URL`; without the first, no e-mail is sent.
    pub(crate) fn read(settings: &mut Settings) -> Option<Self> {
        let server = settings.secret("SMTP_URL");
        let from = settings.optional("MAIL_FROM");
        let public_url = settings.optional("PUBLIC_URL");
        let server = server?;
        let (Some(from), Some(public_url)) = (from, public_url) else {
            settings.fault("SMTP_URL is set, so MAIL_FROM and PUBLIC_URL are needed, too");
            return None;
        };
        let Ok(from) = from.parse() else {
            settings.fault("MAIL_FROM is not usable: write LearnFlow <learnflow@example.org>");
            return None;
        };
        if sends_password_unencrypted(server.expose_secret()) {
            settings.fault(
                "SMTP_URL would send the password unencrypted if the server lets it: write smtps://… or …?tls=required",
            );
            return None;
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(server.expose_secret());
        let Ok(transport) = transport else {
            // Without the cause, which can hold the password.
            settings.fault(
                "SMTP_URL is not usable: write smtps://user:password@host or smtp://host:port?tls=required",
            );
            return None;
        };
        let transport = transport.timeout(Some(ANSWER_LIMIT)).build();
        Some(Self { transport, from, public_url: public_url.trim_end_matches('/').to_owned() })
    }

    /// Sends a message.
    pub(crate) async fn send(&self, job: &Job) -> Result<Option<u16>, Failure> {
        let mail = self.mail(job).map_err(|reason| Failure {
            reason,
            is_final: true,
            ..Failure::default()
        })?;
        match tokio::time::timeout(LIMIT, self.transport.send(mail)).await {
            Ok(Ok(answer)) => Ok(answer.code().to_string().parse().ok()),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_elapsed) => Err(Failure {
                reason: "the mail server did not answer in time".to_owned(),
                ..Failure::default()
            }),
        }
    }

    fn mail(&self, job: &Job) -> Result<Message, String> {
        let to: Mailbox =
            job.email.parse().map_err(|_malformed| "the account's address is none".to_owned())?;
        let host = self.from.email.domain();
        let mut mail = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(job.message.title.clone())
            // The same for each attempt, so that a mailbox drops what it has.
            .message_id(Some(format!("<{}@{host}>", job.id.as_uuid().simple())))
            .header(ContentType::TEXT_PLAIN)
            .body(text(job))
            .map_err(|error| error.to_string())?;
        let headers = mail.headers_mut();
        if let Some(secret) = job.secrets.first() {
            let link = self.unsubscribe_link(job.subscription_id, secret);
            let pairs = [
                ("List-Unsubscribe", format!("<{link}>")),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
            ];
            for (name, value) in pairs {
                headers.insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
            }
        }
        Ok(mail)
    }

    /// One click ends the subscription (RFC 8058).
    fn unsubscribe_link(&self, id: SubscriptionId, secret: &SecretString) -> String {
        let secret = secret.expose_secret();
        format!("{}/api/v1/notifications/unsubscribe/{id}/{secret}", self.public_url)
    }
}

/// Whether a server elsewhere would get a password before the connection is encrypted.
fn sends_password_unencrypted(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let is_required = url.query_pairs().any(|(name, value)| name == "tls" && value == "required");
    let is_near = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "smtp" && url.password().is_some() && !is_required && !is_near
}

fn text(job: &Job) -> String {
    let message = &job.message;
    let about = message.student.as_ref().map(|(_, name)| format!("About {name}.\n\n"));
    format!("{}{}\n", about.unwrap_or_default(), message.text)
}

fn failure(error: &smtp::Error) -> Failure {
    let status: Option<u16> = error.status().and_then(|code| code.to_string().parse().ok());
    let reason = match status {
        Some(status) => format!("the mail server answered {status}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "the mail server has no usable certificate".to_owned(),
        None => "the mail server cannot be reached".to_owned(),
    };
    // Wrong or missing credentials (RFC 4954) are put right by whoever runs this.
    let is_ours = matches!(status, Some(530 | 534 | 535 | 538));
    Failure { reason, status, is_final: error.is_permanent() && !is_ours, ..Failure::default() }
}

#[cfg(test)]
mod tests {
    use super::sends_password_unencrypted;

    #[test]
    fn a_password_for_a_server_elsewhere_is_sent_encrypted_only() {
        for (url, is_open) in [
            ("smtp://user:secret@mail.example:587", true),
            ("smtp://user:secret@mail.example:587?tls=opportunistic", true),
            ("smtp://user:secret@mail.example:587?tls=required", false),
            ("smtps://user:secret@mail.example", false),
            ("smtp://mail.example:25", false),
            ("smtp://user:secret@127.0.0.1:1025", false),
        ] {
            assert_eq!(sends_password_unencrypted(url), is_open, "{url}");
        }
    }
}
