//! Three lines for each decision.
