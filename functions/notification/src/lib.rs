//! Notification: tells people what they want to know.
//!
//! In: `struggle.detected.v1`, and its own `delivery.due.v1`. Out: `notification.made.v1` to the front ends, and by
//! webhook, SNS and e-mail to where people want it. A target that does not answer is tried again over days, and delays
//! nothing but its own. Fails only if the database is away.

mod decide;
mod deliver;
mod digest;
mod http;
mod mail;
mod periodic;
mod retry;
mod sns;
mod spec;
mod tell;
mod webhook;
mod words;

use std::sync::Arc;

use domain::notification::TopicArn;
use runtime::{
    Function, Services,
    config::Settings,
    http_client,
    outbound::{AllowedNetworks, Outbound},
};

use self::{
    deliver::{Deliver, Senders},
    mail::Mailer,
    sns::{Sns, SnsConfig},
};
pub use self::{sns::SnsTopic, spec::SPEC};

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let networks = AllowedNetworks::read(settings);
    let (sns, mailer) = (SnsConfig::read(settings), Mailer::read(settings));
    let function = Function::new(&SPEC)
        .decides(tell::TellTeachers)
        .repeats(periodic::SendDue)
        .repeats(periodic::SumUp)
        .serves_internal(http::routes(services, networks.clone(), mailer.is_some()));
    match (Outbound::new(networks, webhook::LIMIT), http_client()) {
        (Ok(outbound), Ok(http)) => {
            let senders = Senders { outbound, sns: Sns::new(sns, http), mailer };
            function.acts(Deliver { services: Arc::clone(services), senders })
        }
        (Err(error), _) | (_, Err(error)) => {
            settings.fault(format!("notification cannot call anybody: {error}"));
            function
        }
    }
}

/// Asks SNS for a topic with an installation's credentials, and publishes nothing.
///
/// # Errors
/// No HTTP client can be made.
pub async fn look_at_sns(
    settings: &mut Settings,
    topic: &TopicArn,
) -> Result<SnsTopic, reqwest::Error> {
    Ok(Sns::new(SnsConfig::read(settings), http_client()?).look(topic).await)
}
