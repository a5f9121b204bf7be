//! The client address of a request, also behind proxies.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, header, request::Parts},
    middleware::Next,
    response::Response,
};
use environment::config::Settings;
use ipnet::IpNet;

/// Most proxies in a row: nobody has more in front.
const HOPS_LIMIT: usize = 16;
/// The part of an IPv6 address that identifies a customer, who has 2^64 addresses.
const IPV6_NETWORK_BITS: u8 = 64;

/// The address that a request comes from, for rate limits: the peer's, or the one that API Gateway or trusted proxies
/// report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(address(parts.extensions.get::<Self>(), parts.extensions.get()))
    }
}

fn address(
    resolved: Option<&ClientAddress>,
    peer: Option<&ConnectInfo<SocketAddr>>,
) -> ClientAddress {
    let peer = peer.map(|info| ClientAddress(info.0.ip().to_canonical()));
    resolved.copied().or(peer).unwrap_or(ClientAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}

/// The part of an address that stands for one client: all of an IPv4 address, the network of an IPv6 address.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let mask = u128::MAX << (128 - IPV6_NETWORK_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

/// The header in which proxies name the client. Only one of the two is read, since a proxy passes on the other as the
/// client sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProxyHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

#[derive(Debug, thiserror::Error)]
#[error("x-forwarded-for or forwarded")]
struct UnknownHeader;

impl FromStr for ProxyHeader {
    type Err = UnknownHeader;

    fn from_str(text: &str) -> Result<Self, UnknownHeader> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(UnknownHeader),
        }
    }
}

/// The proxies that are trusted to name the client; none by default.
#[derive(Debug, Clone)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: ProxyHeader,
}

impl Default for TrustedProxies {
    fn default() -> Self {
        Self { networks: Vec::new(), header: ProxyHeader::XForwardedFor }
    }
}

impl TrustedProxies {
    /// Reads `TRUSTED_PROXIES` (addresses and networks, such as `10.0.0.0/8`) and `PROXY_HEADER`.
    pub fn read(settings: &mut Settings) -> Self {
        let header = settings.parsed("PROXY_HEADER", ProxyHeader::XForwardedFor);
        let mut networks = Vec::new();
        for text in settings.list("TRUSTED_PROXIES") {
            match text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => networks.push(network),
                Err(_) => settings.fault(format!(
                    "TRUSTED_PROXIES is not usable: {text} is neither an address nor a network such as 10.0.0.0/8"
                )),
            }
        }
        Self { networks, header }
    }

    /// Whether this is the address of a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The first address, from us outwards, that is not a trusted proxy: everything to the left of it was written by
    /// the client, and may be anything.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        if !self.trusts(nearest) {
            return nearest;
        }
        let name = match self.header {
            ProxyHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ProxyHeader::Forwarded => header::FORWARDED,
        };
        let lines = headers.get_all(name).into_iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops.take(HOPS_LIMIT) {
            let address = match self.header {
                ProxyHeader::XForwardedFor => parse_node(hop.trim()),
                ProxyHeader::Forwarded => forwarded_for(hop),
            };
            // A hop that does not name its peer is the last one known.
            let Some(address) = address else { return nearest };
            nearest = address;
            if !self.trusts(nearest) {
                break;
            }
        }
        nearest
    }
}

/// The `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| parse_node(value.trim().trim_matches('"')))?
    })
}

/// An address, with or without a port or brackets.
fn parse_node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    bare.parse::<IpAddr>().or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

/// Determines the client address once for each request.
pub(crate) async fn locate(
    State(proxies): State<Arc<TrustedProxies>>,
    mut request: Request,
    next: Next,
) -> Response {
    let extensions = request.extensions();
    let peer = address(extensions.get(), extensions.get());
    let client = ClientAddress(proxies.client(peer.0, request.headers()));
    request.extensions_mut().insert(client);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::http::{HeaderMap, HeaderName, HeaderValue};
    use environment::config::Settings;
    use proptest::prelude::*;

    use super::{TrustedProxies, network};

    fn proxies(networks: &str, header: &str) -> TrustedProxies {
        let pairs = [("TRUSTED_PROXIES", networks), ("PROXY_HEADER", header)];
        let mut settings = Settings::from_pairs(pairs);
        let proxies = TrustedProxies::read(&mut settings);
        settings.check().unwrap();
        proxies
    }

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        lines.iter().map(pair).collect()
    }

    fn check(proxies: &TrustedProxies, lines: &[(&'static str, &str)], expected: &str) {
        let client = proxies.client("10.0.0.1".parse().unwrap(), &headers(lines));
        assert_eq!(client, expected.parse::<IpAddr>().unwrap(), "{lines:?}");
    }

    #[test]
    fn only_trusted_proxies_say_where_a_request_comes_from() {
        let forged = [("x-forwarded-for", "9.9.9.9"), ("forwarded", "for=9.9.9.9")];
        check(&TrustedProxies::default(), &forged, "10.0.0.1");
        check(&proxies("10.1.0.0/16", ""), &forged, "10.0.0.1");
        let behind = proxies("10.0.0.0/16, 192.0.2.1", "");
        check(&behind, &[], "10.0.0.1");
        check(&behind, &[("x-forwarded-for", "203.0.113.7")], "203.0.113.7");
        // What the client itself wrote is to the left of what our proxies add.
        check(&behind, &[("x-forwarded-for", "9.9.9.9, 203.0.113.7")], "203.0.113.7");
        check(&behind, &[("x-forwarded-for", "9.9.9.9,203.0.113.7, 192.0.2.1")], "203.0.113.7");
        let lines = [("x-forwarded-for", "9.9.9.9"), ("x-forwarded-for", "203.0.113.7")];
        check(&behind, &lines, "203.0.113.7");
        // The header that the proxy does not write is the client's.
        check(&behind, &[("forwarded", "for=9.9.9.9")], "10.0.0.1");
        check(&behind, &[("x-forwarded-for", "9.9.9.9, unknown")], "10.0.0.1");
        check(&behind, &[("x-forwarded-for", "203.0.113.7:4711")], "203.0.113.7");
        check(&behind, &[("x-forwarded-for", "::ffff:203.0.113.7")], "203.0.113.7");
        check(&behind, &[("x-forwarded-for", "10.0.0.9")], "10.0.0.9");
    }

    #[test]
    fn the_standard_header_is_understood_where_it_is_chosen() {
        let behind = proxies("10.0.0.0/16", "Forwarded");
        let check = |line: &str, expected: &str| check(&behind, &[("forwarded", line)], expected);
        check("for=9.9.9.9, for=203.0.113.7;proto=https;by=10.0.0.1", "203.0.113.7");
        check("proto=https;For=\"203.0.113.7:4711\"", "203.0.113.7");
        check("for=\"[2001:db8::17]:4711\"", "2001:db8::17");
        check("for=\"[2001:db8::17]\"", "2001:db8::17");
        check("for=_hidden", "10.0.0.1");
        check("proto=https", "10.0.0.1");
    }

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:203.0.113.7"), of("203.0.113.7"));
        assert_ne!(of("203.0.113.8"), of("203.0.113.7"));
    }

    #[test]
    fn a_malformed_proxy_is_named() {
        let pairs = [("TRUSTED_PROXIES", "10.0.0.0/8, router"), ("PROXY_HEADER", "via")];
        let mut settings = Settings::from_pairs(pairs);
        TrustedProxies::read(&mut settings);
        let text = settings.check().unwrap_err().to_string();
        assert!(text.contains("router is neither") && text.contains("PROXY_HEADER"), "{text}");
    }

    proptest! {
        #[test]
        fn nothing_to_the_left_of_the_last_stranger_counts(forged in "[ -~]{0,60}") {
            let behind = proxies("10.0.0.0/16", "");
            let line = format!("{forged}, 203.0.113.7, 10.0.0.2");
            check(&behind, &[("x-forwarded-for", &line)], "203.0.113.7");
        }
    }
}
