//! Calls to addresses that users choose: never to a network that only we can reach.
//!
//! A name is resolved here, each of its addresses is checked, and the connection is made to one that has passed: there is
//! no second look-up that could give another one. Redirects are not followed, and no proxy is used, which would do both.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};

use crate::config::Settings;

/// Networks that are not the public internet: those of IANA's registries of special-purpose addresses that are not
/// globally reachable, and those that stand for IPv4 addresses.
const PRIVATE: [&str; 22] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    // Everything outside of 2000::/3, from which global addresses are given out: loopback, link-local, unique local,
    // multicast, and what stands for IPv4 (::/96, 64:ff9b::/96).
    "::/3",
    "4000::/2",
    "8000::/1",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
];

/// A call was refused before it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// None of the addresses is on the public internet.
    #[error("its address is not on the public internet")]
    Private,
    /// Without TLS, what is sent can be read on the way.
    #[error("it must begin with https://")]
    Insecure,
}

/// Networks besides the public internet that users may have us call.
#[derive(Debug, Clone, Default)]
pub struct AllowedNetworks(Arc<[IpNet]>);

impl AllowedNetworks {
    /// Reads `WEBHOOK_NETWORKS`: networks, comma-separated.
    pub fn read(settings: &mut Settings) -> Self {
        let mut networks = Vec::new();
        for text in settings.list("WEBHOOK_NETWORKS") {
            match text.parse() {
                Ok(network) => networks.push(network),
                Err(_) => settings.fault(format!(
                    "WEBHOOK_NETWORKS is not usable: {text} is not a network such as 10.0.0.0/8"
                )),
            }
        }
        Self(networks.into())
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// What can be said about an address without resolving its name.
    ///
    /// # Errors
    /// It can only be refused.
    pub fn check(&self, url: &Url) -> Result<(), Refusal> {
        let literal = url.host_str().and_then(|host| {
            host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok()
        });
        let rule = Rule::of(url, self);
        match literal {
            Some(address) if !rule.allows(address) => Err(rule.refusal()),
            None if rule.is_insecure && self.0.is_empty() => Err(Refusal::Insecure),
            Some(_) | None => Ok(()),
        }
    }
}

/// Which addresses are called.
#[derive(Debug, Clone)]
struct Rule {
    networks: AllowedNetworks,
    /// Without TLS, only what is allowed by name is called.
    is_insecure: bool,
}

impl Rule {
    fn of(url: &Url, networks: &AllowedNetworks) -> Self {
        Self { networks: networks.clone(), is_insecure: url.scheme() != "https" }
    }

    fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.contains(address) || !self.is_insecure && is_public(address)
    }

    const fn refusal(&self) -> Refusal {
        if self.is_insecure { Refusal::Insecure } else { Refusal::Private }
    }
}

impl Resolve for Rule {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|address| rule.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(rule.refusal().into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is on the public internet. `address` is canonical: not an IPv4 address in the form of IPv6.
fn is_public(address: IpAddr) -> bool {
    let mut networks = PRIVATE.iter().filter_map(|text| text.parse::<IpNet>().ok());
    !networks.any(|network| network.contains(&address))
}

/// Calls addresses that users choose.
#[derive(Debug, Clone)]
pub struct Outbound {
    networks: AllowedNetworks,
    secure: Client,
    insecure: Client,
}

impl Outbound {
    /// Calls of at most `limit`.
    ///
    /// # Errors
    /// The machine's TLS set-up cannot be used.
    pub fn new(networks: AllowedNetworks, limit: Duration) -> Result<Self, reqwest::Error> {
        let rule = |is_insecure| Rule { networks: networks.clone(), is_insecure };
        let (secure, insecure) = (client(rule(false), limit)?, client(rule(true), limit)?);
        Ok(Self { networks, secure, insecure })
    }

    /// A POST request to this address.
    ///
    /// # Errors
    /// It is refused.
    pub fn post(&self, url: &Url) -> Result<reqwest::RequestBuilder, Refusal> {
        self.networks.check(url)?;
        let client = if url.scheme() == "https" { &self.secure } else { &self.insecure };
        Ok(client.post(url.clone()))
    }
}

/// A client that checks addresses.
fn client(rule: Rule, limit: Duration) -> Result<Client, reqwest::Error> {
    crate::http_client::builder()
        .timeout(limit)
        .dns_resolver(Arc::new(rule))
        .redirect(redirect::Policy::none())
        .no_proxy()
        // Each call connects to an address that was checked for it.
        .pool_max_idle_per_host(0)
        .build()
}

/// Why a call was refused while its name was resolved.
#[must_use]
pub fn refusal(error: &reqwest::Error) -> Option<Refusal> {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return Some(*refusal);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use super::{AllowedNetworks, Outbound, PRIVATE, Refusal, is_public, refusal};
    use crate::config::Settings;

    fn networks(text: &str) -> AllowedNetworks {
        let mut settings = Settings::from_pairs([("WEBHOOK_NETWORKS", text)]);
        let networks = AllowedNetworks::read(&mut settings);
        settings.check().unwrap();
        networks
    }

    #[test]
    fn only_the_internet_is_public() {
        assert!(PRIVATE.iter().all(|text| text.parse::<ipnet::IpNet>().is_ok()));
        let check = |text: &str| is_public(text.parse::<IpAddr>().unwrap().to_canonical());
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "223.255.255.254",
            "2606:4700::1111",
            "2a00::1",
        ] {
            assert!(check(public), "{public}");
        }
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.0.1",
            "192.0.2.1",
            "198.19.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "ff02::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "100::1",
        ] {
            assert!(!check(private), "{private}");
        }
    }

    #[test]
    fn an_address_is_refused_before_anything_is_called() {
        let check = |networks: &AllowedNetworks, url: &str| networks.check(&url.parse().unwrap());
        let (none, some) = (networks(""), networks("10.0.0.0/8, fd00::/8"));
        assert_eq!(check(&none, "https://example.org/"), Ok(()));
        assert_eq!(check(&none, "https://8.8.8.8/"), Ok(()));
        assert_eq!(check(&none, "http://example.org/"), Err(Refusal::Insecure));
        assert_eq!(check(&none, "http://8.8.8.8/"), Err(Refusal::Insecure));
        for private in [
            "https://10.1.2.3/",
            "https://[::1]/",
            "https://[::ffff:a01:203]/",
            "https://2130706433/",
        ] {
            assert_eq!(check(&none, private), Err(Refusal::Private), "{private}");
        }
        assert_eq!(check(&some, "https://10.1.2.3/"), Ok(()));
        assert_eq!(check(&some, "http://10.1.2.3/"), Ok(()));
        assert_eq!(check(&some, "https://[fd00::1]/"), Ok(()));
        assert_eq!(check(&some, "https://127.0.0.1/"), Err(Refusal::Private));
        assert_eq!(check(&some, "http://8.8.8.8/"), Err(Refusal::Insecure));
        // Its name decides, when it is resolved.
        assert_eq!(check(&some, "http://intranet/"), Ok(()));
        let mut settings = Settings::from_pairs([("WEBHOOK_NETWORKS", "intranet")]);
        AllowedNetworks::read(&mut settings);
        assert!(settings.check().unwrap_err().to_string().contains("intranet is not a network"));
    }

    #[tokio::test]
    async fn a_name_that_leads_here_is_refused_when_it_is_resolved() {
        let outbound = Outbound::new(networks(""), Duration::from_secs(5)).unwrap();
        let request = outbound.post(&"https://localhost:1/".parse().unwrap()).unwrap();
        assert_eq!(refusal(&request.send().await.unwrap_err()), Some(Refusal::Private));
        let outbound = Outbound::new(networks("127.0.0.0/8"), Duration::from_secs(5)).unwrap();
        let request = outbound.post(&"http://localhost:1/".parse().unwrap()).unwrap();
        let error = request.send().await.unwrap_err();
        assert!(error.is_connect() && refusal(&error).is_none(), "{error:?}");
    }
}
