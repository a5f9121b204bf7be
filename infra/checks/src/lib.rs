//! How good the product is: whether a course keeps what it claims, and how the tutor does on labelled cases.
//!
//! Belongs here: running the functions' own logic and the sandbox on known cases, and counting. Never here: the cases,
//! which lie with the functions; talking to a person; the database.

pub mod course;
pub mod quality;
