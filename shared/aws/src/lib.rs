//! Calling services of AWS: who calls, and how the SDKs' requests are made.
//!
//! Belongs here: what the SDKs of all services have in common, and reading secrets, which any setting may be. Never here:
//! another service, or looking for credentials on the machine.

pub mod secrets;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector,
            http_client_fn,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use environment::{access_key::AccessKey, config::Settings};
use secrecy::ExposeSecret;

/// Who calls. The credentials are those that AWS Lambda sets, or those of an operator; there is no other source.
#[derive(Debug, Clone)]
pub struct Account(Option<AccessKey>);

impl Account {
    /// Reads the variables of [`AccessKey`].
    pub fn read(settings: &mut Settings) -> Self {
        Self(AccessKey::read(settings))
    }

    /// What requests are signed with, if there is anything.
    #[must_use]
    pub fn credentials(&self) -> Option<Credentials> {
        self.0.as_ref().map(credentials)
    }
}

/// Another server with the API of a service: its own variable of all SDKs, such as `AWS_ENDPOINT_URL_SNS`, else
/// `AWS_ENDPOINT_URL`. `None`: AWS itself.
#[must_use]
pub fn endpoint(settings: &Settings, variable: &str) -> Option<String> {
    settings.optional(variable).or_else(|| settings.optional("AWS_ENDPOINT_URL"))
}

/// What an SDK signs with.
#[must_use]
pub fn credentials(key: &AccessKey) -> Credentials {
    let token = key.session_token.as_ref().map(|token| token.expose_secret().to_owned());
    Credentials::new(key.id.expose_secret(), key.secret.expose_secret(), token, None, "settings")
}

/// The client for an SDK: its requests are made by the client that makes all others.
#[must_use]
pub fn http_client(client: reqwest::Client) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Http(client));
    http_client_fn(move |_, _| connector.clone())
}

/// An SDK's requests, made by our own client.
#[derive(Debug, Clone)]
struct Http(reqwest::Client);

impl HttpConnector for Http {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let unusable = |error: reqwest::Error| ConnectorError::user(error.without_url().into());
            let method = reqwest::Method::from_bytes(request.method().as_bytes())
                .map_err(|error| ConnectorError::user(error.into()))?;
            let mut call = client.request(method, request.uri());
            for (name, value) in request.headers() {
                call = call.header(name, value);
            }
            let body = request.body().bytes().unwrap_or_default().to_vec();
            let call = call.body(body).build().map_err(unusable)?;
            let broken = |error: reqwest::Error| {
                let is_timeout = error.is_timeout();
                let cause = error.without_url().into();
                if is_timeout { ConnectorError::timeout(cause) } else { ConnectorError::io(cause) }
            };
            let response = client.execute(call).await.map_err(broken)?;
            let status = StatusCode::try_from(response.status().as_u16())
                .map_err(|error| ConnectorError::other(error.into(), None))?;
            // Some services name an error in a header only.
            let headers = response.headers().clone();
            let body = response.bytes().await.map_err(broken)?;
            let mut answer = HttpResponse::new(status, SdkBody::from(body));
            for (name, value) in &headers {
                if let Ok(value) = value.to_str() {
                    answer.headers_mut().append(name.clone(), value.to_owned());
                }
            }
            Ok(answer)
        })
    }
}
