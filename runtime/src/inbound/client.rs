//! Where a request comes from, and whether the trace that it belongs to is taken over from there.

use std::net::{IpAddr, SocketAddr};

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// Not from a network.
    Local,
    At(IpAddr),
    /// From behind a proxy that does not say.
    Hidden,
}

impl Client {
    /// At the other end of the connection.
    pub(crate) fn of_peer(peer: Option<SocketAddr>) -> Self {
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

/// Which callers are trusted. `F` picks them by their requests.
#[derive(Clone, Default)]
pub(crate) enum TrustRule<F> {
    /// Those of this machine or of a private network.
    #[default]
    Private,
    All,
    Nobody,
    When(F),
}

impl<F> TrustRule<F> {
    /// Whether the caller at `client` is trusted. `is_picked` asks the rule's function.
    pub(crate) fn admits(&self, client: Client, is_picked: impl FnOnce(&F) -> bool) -> bool {
        match self {
            Self::Private => client.is_private(),
            Self::All => true,
            Self::Nobody => false,
            Self::When(f) => is_picked(f),
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
