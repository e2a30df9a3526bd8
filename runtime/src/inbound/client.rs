//! Where a request comes from, and whether the trace that it belongs to is taken over from there.

use std::net::{IpAddr, SocketAddr};

use crate::network;

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
    #[inline]
    pub(crate) fn of_peer(peer: Option<SocketAddr>) -> Self {
        peer.map_or(Self::Local, |peer| Self::At(peer.ip().to_canonical()))
    }

    /// Whether it is of this machine or of a network of one's own.
    #[inline]
    pub(super) fn is_private(self) -> bool {
        match self {
            Self::Local => true,
            Self::At(ip) => network::is_private(ip),
            Self::Hidden => false,
        }
    }
}

/// Which callers are trusted. `F` picks them by their requests.
#[derive(Clone, Default)]
pub(crate) enum TrustRule<F> {
    /// Those whose requests come from this machine or a private network, all the way.
    #[default]
    Private,
    All,
    Nobody,
    When(F),
}

impl<F> TrustRule<F> {
    /// Whether a caller is trusted. `is_private` says where its request comes from, and `is_picked` asks the rule's function.
    pub(crate) fn admits(
        &self,
        is_private: impl FnOnce() -> bool,
        is_picked: impl FnOnce(&F) -> bool,
    ) -> bool {
        match self {
            Self::Private => is_private(),
            Self::All => true,
            Self::Nobody => false,
            Self::When(f) => is_picked(f),
        }
    }
}
