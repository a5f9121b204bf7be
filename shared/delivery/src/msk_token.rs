//! The tokens of MSK: a request to connect that is signed with credentials of AWS, valid for 15 minutes.

use environment::kafka_config::MskIdentity;
use rdkafka::client::OAuthToken;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// The signature cannot be made.
    #[cfg(feature = "tls")]
    #[error("a token of MSK cannot be signed")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Credentials are settings, so there is nothing to wait for.
    #[cfg(feature = "tls")]
    #[error("a token of MSK is not signed at once")]
    NotAtOnce,
    /// Reading the settings has said so already.
    #[cfg(not(feature = "tls"))]
    #[error("this program was built without TLS, which MSK with IAM needs")]
    NotBuilt,
}

/// A new token.
#[cfg(feature = "tls")]
pub(crate) fn sign(identity: &MskIdentity) -> Result<OAuthToken, TokenError> {
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_msk_iam_sasl_signer::generate_auth_token_from_credentials_provider;
    use aws_types::region::Region;
    use futures::FutureExt;
    use secrecy::ExposeSecret;

    let region = Region::new(identity.region.clone());
    let credentials = SharedCredentialsProvider::new(aws::credentials(&identity.access_key));
    let signed = generate_auth_token_from_credentials_provider(region, credentials).now_or_never();
    let signed = signed.ok_or(TokenError::NotAtOnce)?;
    let (token, lifetime_ms) = signed.map_err(|error| TokenError::Sign(error.into()))?;
    // The broker reads who we are from the token; this is for its log.
    let principal_name = identity.access_key.id.expose_secret().to_owned();
    Ok(OAuthToken { token, principal_name, lifetime_ms })
}

/// A new token.
#[cfg(not(feature = "tls"))]
pub(crate) const fn sign(_: &MskIdentity) -> Result<OAuthToken, TokenError> {
    Err(TokenError::NotBuilt)
}
