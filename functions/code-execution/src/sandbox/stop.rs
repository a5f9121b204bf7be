//! Why the host stops a program.

/// Why the host ended a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("the time is up")]
    Time,
    #[error("the program has written too much")]
    OutputLimit,
    #[error("the program exits with status {0}")]
    Exit(u8),
}
