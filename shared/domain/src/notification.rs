//! How people want to be told: by which channel, about what, and with what target.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::TimeDelta;
use ids::ClassId;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::struggle::Severity;

/// Most subscriptions of one person: each of them gets every notification.
pub const MAX_SUBSCRIPTIONS: i64 = 20;
/// After this long an event for a delivery counts as lost, and another one is emitted. Longer than the deliveries before
/// it at the same target take.
pub const DELIVERY_LEASE: TimeDelta = TimeDelta::minutes(10);
/// What a webhook's secret begins with (Standard Webhooks).
const SECRET_PREFIX: &str = "whsec_";
/// Most classes in a filter: more than anyone teaches.
const MAX_CLASSES: usize = 50;
/// The longest address of a webhook; servers begin to refuse longer ones.
const MAX_URL: usize = 2_000;
/// The longest name of an SNS topic.
const MAX_TOPIC_NAME: usize = 256;

/// A way in which people get notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// In the front end, at once. It is the default.
    InApp,
    /// In the front end, once a day.
    Digest,
    /// An HTTP request to a server of theirs.
    Webhook,
    /// A topic of Amazon SNS.
    Sns,
    /// An e-mail for each notification.
    Email,
    /// An e-mail once a day.
    EmailDigest,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 6] =
        [Self::InApp, Self::Digest, Self::Webhook, Self::Sns, Self::Email, Self::EmailDigest];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InApp => "in_app",
            Self::Digest => "digest",
            Self::Webhook => "webhook",
            Self::Sns => "sns",
            Self::Email => "email",
            Self::EmailDigest => "email_digest",
        }
    }

    /// Whether it sums up a day.
    #[must_use]
    pub const fn is_daily(self) -> bool {
        matches!(self, Self::Digest | Self::EmailDigest)
    }

    /// Whether it needs a mail server.
    #[must_use]
    pub const fn is_mail(self) -> bool {
        matches!(self, Self::Email | Self::EmailDigest)
    }

    /// Whether each notification is sent to the outside by it.
    #[must_use]
    pub const fn sends_each(self) -> bool {
        matches!(self, Self::Webhook | Self::Sns | Self::Email)
    }
}

/// The secret of a new subscription, from randomness: a webhook's signs what it gets, in the form of the Standard Webhooks
/// specification; an e-mail's allows to end the subscription.
#[must_use]
pub fn secret(channel: Channel, random: &[u8; 32]) -> Option<String> {
    match channel {
        Channel::Webhook => Some(format!("{SECRET_PREFIX}{}", STANDARD.encode(random))),
        Channel::Email | Channel::EmailDigest => Some(URL_SAFE_NO_PAD.encode(random)),
        Channel::InApp | Channel::Digest | Channel::Sns => None,
    }
}

/// The bytes of a webhook's secret, which are the key that signs.
#[must_use]
pub fn signing_key(secret: &str) -> Option<Vec<u8>> {
    STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()
}

/// About what a person wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Students of these classes; of all classes if there are none.
    #[serde(default)]
    pub classes: Vec<ClassId>,
    /// Nothing less urgent.
    #[serde(default = "least")]
    pub min_severity: Severity,
}

const fn least() -> Severity {
    Severity::Low
}

impl Default for Filter {
    fn default() -> Self {
        Self { classes: Vec::new(), min_severity: least() }
    }
}

/// A filter names more classes than anyone teaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at most {MAX_CLASSES} classes")]
pub struct TooManyClasses;

impl Filter {
    /// Whether a notification passes. One that is about no class passes only without a choice of classes.
    #[must_use]
    pub fn admits(&self, severity: Severity, classes: &[ClassId]) -> bool {
        severity >= self.min_severity
            && (self.classes.is_empty() || classes.iter().any(|class| self.classes.contains(class)))
    }

    /// Checks the number of classes.
    ///
    /// # Errors
    /// There are too many.
    pub const fn check(&self) -> Result<(), TooManyClasses> {
        if self.classes.len() > MAX_CLASSES { Err(TooManyClasses) } else { Ok(()) }
    }
}

/// Why a target is refused. The message says what would be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The channel has none.
    #[error("this channel has no target: it reaches the account itself")]
    NotAccepted,
    /// Not the address of a web server.
    #[error(
        "must be an address such as https://example.org/hook, without a user, password or fragment"
    )]
    NotAnAddress,
    /// Not the name of a topic.
    #[error(
        "must be the ARN of a standard topic, such as arn:aws:sns:eu-central-1:123456789012:alerts"
    )]
    NotATopic,
}

/// A topic of Amazon SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicArn {
    arn: String,
    region: String,
}

impl TopicArn {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let mut part = || parts.next();
        let (arn, partition, service) = (part()?, part()?, part()?);
        let (region, account, name) = (part()?, part()?, part()?);
        let plain = |text: &str, extra: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
        };
        let fits = arn == "arn"
            && ["aws", "aws-cn", "aws-us-gov"].contains(&partition)
            && service == "sns"
            && plain(region, "-")
            && account.len() == 12
            && account.chars().all(|c| c.is_ascii_digit())
            // A name with a dot is that of a FIFO topic, which wants groups.
            && plain(name, "-_")
            && name.len() <= MAX_TOPIC_NAME
            && part().is_none();
        fits.then(|| Self { arn: text.to_owned(), region: region.to_owned() })
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.arn
    }

    /// The region in which it is.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// A channel with its target, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// See [`Channel::InApp`].
    InApp,
    /// See [`Channel::Digest`].
    Digest,
    /// The address of the server.
    Webhook(Box<Url>),
    /// The topic.
    Sns(TopicArn),
    /// See [`Channel::Email`]; only ever to the account's own address.
    Email,
    /// See [`Channel::EmailDigest`].
    EmailDigest,
}

impl Route {
    /// Checks a target.
    ///
    /// # Errors
    /// The channel has no target, or one of another form.
    pub fn parse(channel: Channel, target: Option<&str>) -> Result<Self, TargetError> {
        match (channel, target) {
            (Channel::InApp, None) => Ok(Self::InApp),
            (Channel::Digest, None) => Ok(Self::Digest),
            (Channel::Email, None) => Ok(Self::Email),
            (Channel::EmailDigest, None) => Ok(Self::EmailDigest),
            (Channel::InApp | Channel::Digest | Channel::Email | Channel::EmailDigest, Some(_)) => {
                Err(TargetError::NotAccepted)
            }
            (Channel::Webhook, target) => target
                .and_then(address)
                .map(|url| Self::Webhook(Box::new(url)))
                .ok_or(TargetError::NotAnAddress),
            (Channel::Sns, target) => {
                target.and_then(TopicArn::parse).map(Self::Sns).ok_or(TargetError::NotATopic)
            }
        }
    }

    /// Its channel.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        match self {
            Self::InApp => Channel::InApp,
            Self::Digest => Channel::Digest,
            Self::Webhook(_) => Channel::Webhook,
            Self::Sns(_) => Channel::Sns,
            Self::Email => Channel::Email,
            Self::EmailDigest => Channel::EmailDigest,
        }
    }

    /// Its target.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Webhook(url) => Some(url.as_str()),
            Self::Sns(topic) => Some(topic.as_str()),
            Self::InApp | Self::Digest | Self::Email | Self::EmailDigest => None,
        }
    }
}

fn address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_URL)?;
    let fits = ["https", "http"].contains(&url.scheme())
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    fits.then_some(url)
}

#[cfg(test)]
mod tests {
    use ids::ClassId;
    use uuid::Uuid;

    use super::{Channel, Filter, Route, TargetError};
    use crate::struggle::Severity;

    #[test]
    fn a_filter_goes_by_severity_and_class() {
        let class = |n| ClassId::from_uuid(Uuid::from_u128(n));
        let any = Filter::default();
        assert!(any.admits(Severity::Low, &[]) && any.admits(Severity::High, &[class(1)]));
        let some = Filter { classes: vec![class(1), class(2)], min_severity: Severity::Medium };
        assert!(some.admits(Severity::Medium, &[class(3), class(2)]));
        assert!(some.admits(Severity::High, &[class(1)]));
        assert!(!some.admits(Severity::Low, &[class(1)]));
        assert!(!some.admits(Severity::High, &[class(3)]));
        assert!(!some.admits(Severity::High, &[]));
    }

    #[test]
    fn a_target_fits_its_channel() {
        let check = |channel, target, expected: Option<TargetError>| {
            let found = Route::parse(channel, target);
            assert_eq!(found.as_ref().err().copied(), expected, "{channel:?} {target:?}");
            if let Ok(route) = found {
                assert_eq!((route.channel(), route.target()), (channel, target));
            }
        };
        for channel in [Channel::InApp, Channel::Digest, Channel::Email, Channel::EmailDigest] {
            check(channel, None, None);
            check(channel, Some("someone@example.org"), Some(TargetError::NotAccepted));
        }
        check(Channel::Webhook, Some("https://example.org/hook?key=1"), None);
        check(Channel::Webhook, Some("http://127.0.0.1:8000/"), None);
        for wrong in [
            "example.org",
            "ftp://example.org/",
            "https://",
            "https://me@example.org/",
            "https://:secret@example.org/",
            "https://example.org/#there",
            "file:///etc/passwd",
        ] {
            check(Channel::Webhook, Some(wrong), Some(TargetError::NotAnAddress));
        }
        let long = format!("https://example.org/{}", "x".repeat(2_000));
        check(Channel::Webhook, Some(&long), Some(TargetError::NotAnAddress));
        check(Channel::Webhook, None, Some(TargetError::NotAnAddress));
        check(Channel::Sns, Some("arn:aws:sns:eu-central-1:123456789012:alerts"), None);
        for wrong in [
            "arn:aws:sqs:eu-central-1:123456789012:alerts",
            "arn:aws:sns:eu.evil.org/:123456789012:alerts",
            "arn:aws:sns:eu-central-1:123456789012:alerts.fifo",
            "arn:aws:sns:eu-central-1:12345678901x:alerts",
            "arn:aws:sns:eu-central-1:123456789012:alerts:3f2a",
            "arn:evil:sns:eu-central-1:123456789012:alerts",
            "alerts",
        ] {
            check(Channel::Sns, Some(wrong), Some(TargetError::NotATopic));
        }
    }

    #[test]
    fn a_number_in_another_form_is_the_same_address() {
        let route = Route::parse(Channel::Webhook, Some("https://0x7f.1/")).unwrap();
        assert_eq!(route.target(), Some("https://127.0.0.1/"));
    }
}
