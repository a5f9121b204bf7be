//! Notifications: reading them, and saying where and when they are wanted.

pub(crate) mod deliveries;
pub(crate) mod inbox;
pub(crate) mod settings;
pub(crate) mod subscriptions;
