//! What a failure means for retries.

use storage::DatabaseFault;

use crate::{handler::HandlerError, keys::OpenError};

/// Why an attempt failed.
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

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Database(error) => error.into(),
            OpenError::Damaged(damaged) => Self::Fail(damaged.into()),
        }
    }
}

impl From<HandlerError> for Failure {
    fn from(error: HandlerError) -> Self {
        match error {
            // Handlers return database errors unchanged; they are classified here, for all handlers.
            HandlerError::Retry(error) => match error.downcast::<sqlx::Error>() {
                Ok(error) => error.into(),
                Err(error) => Self::Retry(error),
            },
            HandlerError::Fail(error) => Self::Fail(error),
        }
    }
}
