//! What people do with their own account: its password, its sessions, its data, and its end.

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::gateway::Gateway;

mod confirm;
pub(crate) mod erase_accounts;
mod erasure;
pub(crate) mod exports;
pub(crate) mod make_exports;
mod password;
pub(crate) mod sessions;

/// All of it.
pub(crate) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(erasure::erase))
        .routes(routes!(exports::request, exports::list))
        .routes(routes!(exports::get))
        .routes(routes!(exports::download))
        .routes(routes!(password::change))
        .routes(routes!(sessions::list, sessions::end_others))
        .routes(routes!(sessions::end))
}
