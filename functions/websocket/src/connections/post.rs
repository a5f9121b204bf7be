//! API Gateway's own API for the connections that it holds (`@connections`).
//!
//! Only the configured address is called, whatever an event says.

use std::{fmt::Debug, time::Duration};

use aws::Account;
use aws_sdk_apigatewaymanagement::{
    Client,
    config::{BehaviorVersion, Region, retry::RetryConfig},
    error::SdkError,
    primitives::Blob,
};
use runtime::{config::Settings, http_client};

/// Calls for one purpose, the first included, with growing pauses: 1.5 s of pauses in all.
const ATTEMPTS: u32 = 5;
/// The first pause; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest for one purpose, far shorter than a claim lasts: who has lost the claim must not be sending still.
const LIMIT: Duration = Duration::from_secs(6);

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was carried out.
    Done,
    /// There is no such connection, or no longer.
    Gone,
    /// The message is too large for API Gateway.
    TooLarge,
    /// Not now: throttled, or API Gateway cannot be reached. It may have been carried out.
    Later,
}

/// The API of one stage.
#[derive(Debug)]
pub(crate) struct ApiGateway {
    client: Client,
}

impl ApiGateway {
    /// Reads `SOCKETS_ENDPOINT_URL`, `AWS_REGION` and the credentials. `None`: API Gateway holds no sockets for us.
    pub(crate) fn read(settings: &mut Settings) -> Option<Self> {
        let account = Account::read(settings);
        let region = settings.optional("AWS_REGION");
        let endpoint = settings.optional("SOCKETS_ENDPOINT_URL")?;
        let (Some(region), Some(credentials)) = (region, account.credentials()) else {
            settings.fault(
                "SOCKETS_ENDPOINT_URL needs AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            );
            return None;
        };
        let http = match http_client() {
            Ok(http) => http,
            Err(error) => {
                settings.fault(format!("API Gateway cannot be called: {error}"));
                return None;
            }
        };
        let config = aws_sdk_apigatewaymanagement::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(credentials)
            .endpoint_url(endpoint.trim_end_matches('/'))
            // We know which answers are worth another attempt.
            .retry_config(RetryConfig::disabled())
            .http_client(aws::http_client(http));
        Some(Self { client: Client::from_conf(config.build()) })
    }

    /// Sends a message to a client. A connection that may not be open yet (`is_young`) is waited for: API Gateway knows
    /// it only when we have accepted it.
    pub(crate) async fn post(&self, connection: &str, text: &str, is_young: bool) -> Outcome {
        let outcome = attempts(is_young, || {
            let data = Blob::new(text);
            self.client.post_to_connection().connection_id(connection).data(data).send()
        })
        .await;
        let name = match outcome {
            Outcome::Done => "done",
            Outcome::Gone => "gone",
            Outcome::TooLarge => "too_large",
            Outcome::Later => "later",
        };
        metrics::counter!("learnflow_connection_posts_total", "outcome" => name).increment(1);
        outcome
    }

    /// Whether a connection is there.
    pub(crate) async fn look(&self, connection: &str) -> Outcome {
        attempts(false, || self.client.get_connection().connection_id(connection).send()).await
    }

    /// Closes a connection.
    pub(crate) async fn close(&self, connection: &str) -> Outcome {
        attempts(false, || self.client.delete_connection().connection_id(connection).send()).await
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "API Gateway asks for pauses, which are bounded here"
)]
async fn wait(pause: Duration) {
    tokio::time::sleep(pause).await;
}

async fn attempts<T, E: Debug, F: Future<Output = Result<T, SdkError<E>>>>(
    is_young: bool,
    call: impl Fn() -> F,
) -> Outcome {
    let all = async {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            let Err(error) = call().await else { return Outcome::Done };
            match error.raw_response().map(|response| response.status().as_u16()) {
                Some(410) if !is_young => return Outcome::Gone,
                Some(413) => return Outcome::TooLarge,
                status => tracing::debug!(attempt, status, "API Gateway did not do it"),
            }
            if attempt < ATTEMPTS {
                wait(pause).await;
                pause *= 2;
            } else {
                tracing::warn!(?error, "API Gateway did not do it; it is tried again later");
            }
        }
        Outcome::Later
    };
    tokio::time::timeout(LIMIT, all).await.unwrap_or(Outcome::Later)
}
