//! What all endpoints share.

use std::sync::Arc;

use axum::extract::FromRef;
use runtime::{
    Services,
    auth::{Signer, Verifier},
};

use requests::Counters;

use crate::config::GatewayConfig;

/// What the endpoints work with.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    pub(crate) services: Arc<Services>,
    /// Absent where an external identity provider issues all tokens.
    pub(crate) signer: Option<Arc<Signer>>,
    pub(crate) config: Arc<GatewayConfig>,
    pub(crate) counters: Arc<Counters>,
}

impl FromRef<Gateway> for Arc<Verifier> {
    fn from_ref(gateway: &Gateway) -> Self {
        Self::clone(&gateway.services.verifier)
    }
}
