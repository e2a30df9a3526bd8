//! Whose word is taken for the trace that a request belongs to.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::ServiceRequest;

/// Which callers a trace is taken over from: see [`RequestTracing::trust`](super::RequestTracing::trust).
///
/// The trace of a caller that is not trusted begins anew, and links to the span that the caller names; whether that one is
/// sampled or debugged counts for nothing. Its baggage is dropped, and its request id is not taken.
///
/// By default a caller is trusted whose connection comes from a loopback, private or link-local address (RFC 1918, RFC 3927,
/// `fc00::/7`, `fe80::/10`), or has none: a Unix socket, or a test's request. `100.64.0.0/10` is not among them, since a
/// carrier shares it with its customers. With [trusted proxies](super::RequestTracing::trusted_proxies) it is the client
/// behind them that counts.
///
/// A service that the public reaches through a proxy in its own network sees that proxy's address: name the proxy as a trusted
/// one, or trust [nobody](Self::nobody).
///
/// ```
/// use biztrace::actix::{RequestTracing, Trust};
///
/// let public_endpoint = RequestTracing::default().trust(Trust::nobody());
/// let partners = RequestTracing::default()
///     .trust(Trust::when(|request| request.path().starts_with("/partners/")));
/// # let _ = (public_endpoint, partners);
/// ```
#[derive(Clone, Default)]
pub struct Trust(Rule);

#[derive(Clone, Default)]
enum Rule {
    #[default]
    Private,
    All,
    Nobody,
    When(Arc<dyn Fn(&ServiceRequest) -> bool + Send + Sync>),
}

impl Trust {
    /// Trusts every caller: for a service that only others of one's own reach.
    #[must_use]
    pub fn all() -> Self {
        Self(Rule::All)
    }

    /// Trusts no caller: for a public endpoint.
    #[must_use]
    pub fn nobody() -> Self {
        Self(Rule::Nobody)
    }

    /// Trusts the callers of the requests that `is_trusted` picks, before they are routed.
    #[must_use]
    pub fn when(is_trusted: impl Fn(&ServiceRequest) -> bool + Send + Sync + 'static) -> Self {
        Self(Rule::When(Arc::new(is_trusted)))
    }

    /// Whether the caller at `client` who sent `request` is trusted.
    pub(super) fn admits(&self, request: &ServiceRequest, client: Client) -> bool {
        match &self.0 {
            Rule::Private => client.is_private(),
            Rule::All => true,
            Rule::Nobody => false,
            Rule::When(is_trusted) => is_trusted(request),
        }
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Rule::Private => "Trust::default()",
            Rule::All => "Trust::all()",
            Rule::Nobody => "Trust::nobody()",
            Rule::When(_) => "Trust::when(..)",
        })
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    /// Not from a network.
    Local,
    At(IpAddr),
    /// From behind a proxy that does not say.
    Hidden,
}

impl Client {
    /// At the other end of the connection.
    pub(super) fn of_peer(peer: Option<std::net::SocketAddr>) -> Self {
        peer.map_or(Self::Local, |peer| Self::At(peer.ip().to_canonical()))
    }

    /// Whether it is of this machine or of a network of one's own.
    pub(super) fn is_private(self) -> bool {
        match self {
            Self::Local => true,
            Self::At(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
            Self::At(IpAddr::V6(ip)) => {
                ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
            }
            Self::Hidden => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_ones_own_are_private() {
        let is_private = |ip: &str| {
            Client::of_peer(Some((ip.parse::<IpAddr>().unwrap(), 1).into())).is_private()
        };
        for ip in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
            "::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "::ffff:10.1.2.3",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_private(ip), "{ip}");
        }
        for ip in [
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "2001:db8::1",
            "fec0::1",
            "::",
            "::ffff:8.8.8.8",
            // IPv4-compatible: no such host has been since 2006.
            "::10.1.2.3",
        ] {
            assert!(!is_private(ip), "{ip}");
        }
        assert!(Client::Local.is_private());
        assert!(!Client::Hidden.is_private());
    }
}
