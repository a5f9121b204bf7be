//! The gateway's own settings.

use runtime::{
    config::Settings,
    outbound::AllowedNetworks,
    web::{Origins, TrustedProxies},
};

/// Origins, and requests a minute.
#[derive(Debug)]
pub(crate) struct GatewayConfig {
    /// `CORS_ORIGINS`: where front ends are served from, comma-separated.
    pub(crate) cors_origins: Origins,
    /// `TRUSTED_PROXIES`, `PROXY_HEADER`: the proxies in front, and the header in which they name the client.
    pub(crate) proxies: TrustedProxies,
    /// `RATE_LIMIT_ADDRESS`: requests a minute from one address. High, since a whole school may share
    /// one.
    pub(crate) per_address: i32,
    /// `RATE_LIMIT_USER`: requests a minute by one person.
    pub(crate) per_user: i32,
    /// `RATE_LIMIT_PASSWORD`: logins and registrations a minute from one address, for all accounts together; and
    /// guesses at invite codes.
    pub(crate) per_password: i32,
    /// `RATE_LIMIT_LOGIN`: attempts a minute to log in to one account from one address; and a person's guesses at
    /// invite codes.
    pub(crate) per_login: i32,
    /// `RATE_LIMIT_ACCOUNT`: attempts a minute on one account from all addresses, beyond which each address has few.
    pub(crate) per_account: i32,
    /// `WEBHOOK_NETWORKS`: networks besides the public internet that webhooks may reach.
    pub(crate) webhook_networks: AllowedNetworks,
    /// `SOCKETS_URL`: where the page opens sockets, with `{path}` for the path.
    pub(crate) sockets_url: Option<String>,
    /// Whether `MAIL_FROM` is set, without which the notification function sends no mail.
    pub(crate) sends_mail: bool,
}

impl GatewayConfig {
    pub(crate) fn read(settings: &mut Settings) -> Self {
        Self {
            cors_origins: Origins::read(settings),
            proxies: TrustedProxies::read(settings),
            per_address: settings.parsed("RATE_LIMIT_ADDRESS", 3_000),
            per_user: settings.parsed("RATE_LIMIT_USER", 120),
            per_password: settings.parsed("RATE_LIMIT_PASSWORD", 300),
            per_login: settings.parsed("RATE_LIMIT_LOGIN", 10),
            per_account: settings.parsed("RATE_LIMIT_ACCOUNT", 60),
            webhook_networks: AllowedNetworks::read(settings),
            sockets_url: settings.optional("SOCKETS_URL"),
            sends_mail: settings.optional("MAIL_FROM").is_some(),
        }
    }
}
