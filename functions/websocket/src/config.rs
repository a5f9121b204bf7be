//! The function's own settings.

use std::time::Duration;

use runtime::{
    config::Settings,
    web::{Origins, TrustedProxies},
};

/// Sockets live up to this much shorter than they may, each another time, so that not all clients come back at once.
const LIFE_SPREAD_PERCENT: u32 = 10;

/// Limits of sockets and requests.
#[derive(Debug)]
pub(crate) struct SocketConfig {
    /// `CORS_ORIGINS`: pages that may open sockets.
    pub(crate) origins: Origins,
    /// `TRUSTED_PROXIES`, `PROXY_HEADER`: as for the gateway.
    pub(crate) proxies: TrustedProxies,
    /// `RATE_LIMIT_ADDRESS`: requests a minute from one address, sockets that are opened included.
    pub(crate) per_address: i32,
    /// `RATE_LIMIT_USER`: requests a minute by one person, frames included.
    pub(crate) per_user: i32,
    /// `SOCKETS_LIMIT`: most open sockets of an instance.
    pub(crate) sockets: usize,
    /// `SOCKETS_PER_USER`: most open sockets of one person on an instance, or held by API Gateway. Each open page has
    /// one.
    pub(crate) per_person: usize,
    /// `SOCKET_LIFE_SECONDS`: after how long a client is asked to connect again; API Gateway and many load balancers
    /// cut off at two hours.
    pub(crate) life: Duration,
    /// `SOCKET_PING_SECONDS`: how often a client is pinged. Idle sockets are cut off by many load balancers, by API
    /// Gateway after ten minutes.
    pub(crate) ping: Duration,
    /// `SOCKET_STALL_SECONDS`: how long a client may take to read what is sent to it.
    pub(crate) stall: Duration,
}

impl SocketConfig {
    /// How long a socket lives; `seed` tells it from others.
    pub(crate) fn life_of(&self, seed: u128) -> Duration {
        let spread = self.life * LIFE_SPREAD_PERCENT / 100;
        let share = u32::try_from(seed % 1_000).unwrap_or_default();
        self.life - spread * share / 1_000
    }

    pub(crate) fn read(settings: &mut Settings) -> Self {
        let mut seconds = |name, default| Duration::from_secs(settings.parsed(name, default));
        let life = seconds("SOCKET_LIFE_SECONDS", 6_600);
        let ping = seconds("SOCKET_PING_SECONDS", 300);
        let stall = seconds("SOCKET_STALL_SECONDS", 20);
        for (name, value) in [
            ("SOCKET_LIFE_SECONDS", life),
            ("SOCKET_PING_SECONDS", ping),
            ("SOCKET_STALL_SECONDS", stall),
        ] {
            if value.is_zero() {
                settings.fault(format!("{name} is 0: at least 1"));
            }
        }
        Self {
            origins: Origins::read(settings),
            proxies: TrustedProxies::read(settings),
            per_address: settings.parsed("RATE_LIMIT_ADDRESS", 3_000),
            per_user: settings.parsed("RATE_LIMIT_USER", 120),
            sockets: settings.parsed("SOCKETS_LIMIT", 4_000),
            per_person: settings.parsed("SOCKETS_PER_USER", 10),
            life,
            ping,
            stall,
        }
    }
}
