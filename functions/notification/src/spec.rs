//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Schedule, Spec};

/// How often deliveries that are due are looked for: the shortest delay before another attempt.
pub(crate) const DUE_DELIVERIES: Schedule =
    Schedule { name: "due-deliveries", every: Duration::from_secs(5) };
/// How often daily subscriptions that are due are looked for: their time is set in minutes.
pub(crate) const DIGESTS: Schedule = Schedule { name: "digests", every: Duration::from_secs(60) };

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "notification",
    purpose: "Tells people what they want to know: in the front end, by webhook, SNS and e-mail.",
    port: 8109,
    consumes: &[Topic::NotificationsDeliveries, Topic::StruggleDetected],
    emits: &[Topic::NotificationsDeliveries, Topic::NotificationsMade],
    http: Http::Internal,
    migrates: false,
    timeout: Duration::from_secs(60),
    memory_mb: 256,
    schedules: &[DUE_DELIVERIES, DIGESTS],
    settings: &[
        "WEBHOOK_NETWORKS",
        "SMTP_URL",
        "MAIL_FROM",
        "PUBLIC_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL_SNS",
        "AWS_ENDPOINT_URL",
    ],
};

/// The function's name.
pub(crate) const NAME: &str = SPEC.name;
