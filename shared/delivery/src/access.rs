//! How a client gets access to a cluster: plainly, by TLS, or by TLS with the tokens of MSK.
//!
//! A client gets its first token when it is made: until one has polled its events, which some never do, librdkafka would
//! not ask for any, and its first request would wait in vain
//! (<https://github.com/fede1024/rust-rdkafka/issues/757>). Afterwards librdkafka asks before a token expires.

use std::{error::Error, ffi::CString, ptr};

use environment::{
    chain,
    kafka_config::{Authorities, KafkaConfig, KafkaSecurity, MskIdentity},
};
use rdkafka::{
    ClientConfig, ClientContext,
    bindings::rd_kafka_oauthbearer_set_token,
    client::{Client, OAuthToken},
    consumer::ConsumerContext,
    error::KafkaError,
    types::RDKafkaRespErr,
};

use crate::msk_token;

/// Bytes for the reason why librdkafka refuses a token; a longer one is cut off.
const REASON_BYTES: usize = 512;

/// Who a client is to the cluster.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    identity: Option<MskIdentity>,
}

impl Access {
    pub(crate) fn of(config: &KafkaConfig) -> Self {
        let identity = match &config.security {
            KafkaSecurity::MskIam(_, identity) => Some(identity.clone()),
            KafkaSecurity::Plaintext | KafkaSecurity::Tls(_) => None,
        };
        Self { identity }
    }

    /// Gives a new client its first token, if the cluster wants one.
    pub(crate) fn admit<C: ClientContext>(&self, client: &Client<C>) -> Result<(), KafkaError> {
        let Some(identity) = &self.identity else { return Ok(()) };
        let refused = |error: &dyn Error| KafkaError::ClientCreation(chain(error));
        let token = msk_token::sign(identity).map_err(|error| refused(&error))?;
        let value = CString::new(token.token).map_err(|error| refused(&error))?;
        let principal = CString::new(token.principal_name).map_err(|error| refused(&error))?;
        let mut reason = [0_u8; REASON_BYTES];
        #[expect(unsafe_code, reason = "rdkafka has no function for it")]
        // SAFETY: the client, the two strings and the buffer, whose length is given, outlive the call, which copies what
        // it keeps; there are no extensions.
        let code = unsafe {
            rd_kafka_oauthbearer_set_token(
                client.native_ptr(),
                value.as_ptr(),
                token.lifetime_ms,
                principal.as_ptr(),
                ptr::null_mut(),
                0,
                reason.as_mut_ptr().cast(),
                reason.len(),
            )
        };
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Ok(());
        }
        let text = reason.split(|byte| *byte == 0).next().unwrap_or_default();
        Err(KafkaError::ClientCreation(String::from_utf8_lossy(text).into_owned()))
    }
}

impl ClientContext for Access {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        // Brokers that want no token are never told one.
        let identity = self.identity.as_ref().ok_or("there is no identity for a token")?;
        Ok(msk_token::sign(identity)?)
    }
}

impl ConsumerContext for Access {}

/// The settings of a connection's security.
pub(crate) fn secure(client: &mut ClientConfig, security: &KafkaSecurity) {
    let (protocol, authorities) = match security {
        KafkaSecurity::Plaintext => ("plaintext", None),
        KafkaSecurity::Tls(authorities) => ("ssl", Some(authorities)),
        KafkaSecurity::MskIam(authorities, _) => {
            client.set("sasl.mechanisms", "OAUTHBEARER");
            ("sasl_ssl", Some(authorities))
        }
    };
    client.set("security.protocol", protocol);
    match authorities {
        Some(Authorities::File(file)) => {
            client.set("ssl.ca.location", file.to_string_lossy());
        }
        Some(Authorities::System) => {
            // The usual places: OpenSSL is part of the program, and does not know where those of the system are.
            client.set("ssl.ca.location", "probe");
        }
        None => {}
    }
}
