//! What a database error means for retries.

use sqlx::Error;

/// What to do about a database error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseFault {
    /// The database is unavailable, starting, stopping, full, or not upgraded yet: wait for it, whatever the request.
    Away,
    /// A retry can help: a conflict with other work, or a statement that took too long.
    Passing,
    /// The request can never succeed: the values do not fit, or stored ones cannot be read.
    Permanent,
}

impl DatabaseFault {
    /// Classifies an error, by its SQLSTATE where the server has answered (PostgreSQL, appendix A).
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Database(cause) => cause.code().map_or(Self::Passing, |code| of_state(&code)),
            Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::WorkerCrashed
            | Error::BeginFailed => Self::Away,
            Error::InvalidArgument(_)
            | Error::TypeNotFound { .. }
            | Error::ColumnIndexOutOfBounds { .. }
            | Error::ColumnNotFound(_)
            | Error::ColumnDecode { .. }
            | Error::Encode(_)
            | Error::Decode(_) => Self::Permanent,
            _ => Self::Passing,
        }
    }
}

fn of_state(code: &str) -> DatabaseFault {
    match (code.get(..2).unwrap_or_default(), code) {
        // Cancelled by the statement's time limit; by an operator only rarely.
        (_, "57014") => DatabaseFault::Passing,
        // Connection, authorization, no such database, resources, operator, system; a replica that is no primary yet.
        ("08" | "28" | "3D" | "53" | "57" | "58", _) | (_, "25006") => DatabaseFault::Away,
        // No such table, column or right, or a type that has changed under a prepared statement: an upgrade is in
        // progress or an operator has to act, and no event is to blame, since statements are never made from events.
        ("0A" | "3F" | "42", _) => DatabaseFault::Away,
        // Values that do not fit, and a program limit.
        ("22" | "54", _) | (_, "23502" | "23514") => DatabaseFault::Permanent,
        // Conflicts and locks; a row that another transaction adds or refers to.
        _ => DatabaseFault::Passing,
    }
}

#[cfg(test)]
mod tests {
    use super::{DatabaseFault, of_state};

    #[test]
    fn only_what_the_database_will_never_take_is_given_up() {
        for (code, expected) in [
            ("08006", DatabaseFault::Away),
            ("57P01", DatabaseFault::Away),
            ("57014", DatabaseFault::Passing),
            ("53300", DatabaseFault::Away),
            ("25006", DatabaseFault::Away),
            ("40001", DatabaseFault::Passing),
            ("40P01", DatabaseFault::Passing),
            ("0A000", DatabaseFault::Away),
            ("3F000", DatabaseFault::Away),
            ("42P01", DatabaseFault::Away),
            ("42501", DatabaseFault::Away),
            ("42703", DatabaseFault::Away),
            ("22021", DatabaseFault::Permanent),
            ("22P05", DatabaseFault::Permanent),
            ("23514", DatabaseFault::Permanent),
            ("23503", DatabaseFault::Passing),
            ("23505", DatabaseFault::Passing),
            ("", DatabaseFault::Passing),
        ] {
            assert_eq!(of_state(code), expected, "{code}");
        }
    }
}
