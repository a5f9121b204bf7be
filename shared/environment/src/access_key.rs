//! Credentials of AWS. They are settings; nothing looks for others on the machine.

use secrecy::SecretString;

use crate::config::Settings;

/// Credentials of AWS: those that Lambda sets, or those of an operator.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// `AWS_ACCESS_KEY_ID`.
    pub id: SecretString,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret: SecretString,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<SecretString>,
}

impl AccessKey {
    /// Reads the variables above; `None` if there are no credentials.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let id = settings.secret("AWS_ACCESS_KEY_ID");
        let secret = settings.secret("AWS_SECRET_ACCESS_KEY");
        let session_token = settings.secret("AWS_SESSION_TOKEN");
        if id.is_some() != secret.is_some() {
            settings.fault(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set together or not at all",
            );
        }
        id.zip(secret).map(|(id, secret)| Self { id, secret, session_token })
    }
}
