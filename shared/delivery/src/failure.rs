//! What a failure says about another attempt.

use storage::DatabaseFault;

use crate::handler::HandlerError;

/// Why one attempt failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Unavailable(anyhow::Error),
    Retry(anyhow::Error),
    Fail(anyhow::Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match DatabaseFault::of(&error) {
            DatabaseFault::Away => Self::Unavailable(error.into()),
            DatabaseFault::Passing => Self::Retry(error.into()),
            DatabaseFault::Permanent => Self::Fail(error.into()),
        }
    }
}

impl From<HandlerError> for Failure {
    fn from(error: HandlerError) -> Self {
        match error {
            // Handlers pass the database's errors on as they are; what they mean is decided here, for all of them.
            HandlerError::Retry(error) => match error.downcast::<sqlx::Error>() {
                Ok(error) => error.into(),
                Err(error) => Self::Retry(error),
            },
            HandlerError::Fail(error) => Self::Fail(error),
        }
    }
}
