//! The proxies that the application names, and which of their headers count.
//!
//! Nothing is believed past what trusted proxies have written: the nearest proxy is the peer, and says who sent the request to it.
//! If that is a trusted proxy too, what stands left of it is its word.

use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::client::Client;
use super::forwarded::{
    FOR, FORWARDED, ForwardedInfo, HOST, PROTO, UNSAID, from_right, hop, known_scheme, node,
};
use super::header_lines::HeaderLines;
use crate::diag;
use crate::error::Error;
use crate::network::network;

/// The proxies that the application names. By default none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies {
    networks: Arc<[IpNet]>,
    /// Whether the other end of a Unix socket is one.
    has_unix: bool,
    /// The headers that they write, if the application says so.
    written: Option<ProxyHeaders>,
}

/// A choice of the headers that proxies write.
#[derive(Debug, Clone, Copy, Default)]
struct ProxyHeaders {
    forwarded: bool,
    addresses: bool,
    host: bool,
    proto: bool,
}

impl ProxyHeaders {
    const ALL: Self = Self {
        forwarded: true,
        addresses: true,
        host: true,
        proto: true,
    };
}

impl Proxies {
    /// Takes addresses, networks and `unix` in place of those before.
    pub(crate) fn set_addresses(
        &mut self,
        texts: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), Error> {
        let mut networks = Vec::new();
        let mut has_unix = false;
        for text in texts {
            match (text.as_ref(), network(text.as_ref())) {
                ("unix", _) => has_unix = true,
                (_, Some(network)) => networks.push(network),
                (text, None) => {
                    let text = text.to_owned();
                    return Err(Error::Proxy { text });
                }
            }
        }
        (self.networks, self.has_unix) = (networks.into(), has_unix);
        Ok(())
    }

    /// Takes the names of the headers that they write, in lower case.
    pub(crate) fn set_headers(
        &mut self,
        names: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), Error> {
        let mut written = ProxyHeaders::default();
        for name in names {
            match name.as_ref() {
                FORWARDED => written.forwarded = true,
                FOR => written.addresses = true,
                HOST => written.host = true,
                PROTO => written.proto = true,
                name => {
                    let name = name.to_owned();
                    return Err(Error::ProxyHeader { name });
                }
            }
        }
        self.written = Some(written);
        Ok(())
    }

    /// What they say about the request from `peer`. `None` if `peer` is not a trusted proxy, or has no such header.
    #[inline]
    pub(crate) fn read<'r>(
        &self,
        peer: Option<SocketAddr>,
        headers: &'r impl HeaderLines,
    ) -> Option<ForwardedInfo<'r>> {
        // Most services name none.
        if self.networks.is_empty() && !self.has_unix {
            return None;
        }
        self.include(Client::of_peer(peer))
            .then(|| self.read_all(headers))
            .flatten()
    }

    #[inline(never)]
    fn read_all<'r>(&self, headers: &'r impl HeaderLines) -> Option<ForwardedInfo<'r>> {
        match (self.forwarded(headers), self.x_forwarded(headers)) {
            // One of them may be the client's own, passed on by a proxy that writes the other: what both say is true.
            (Some(one), Some(other)) => Some(ForwardedInfo {
                client: match one.client == other.client {
                    true => one.client,
                    false => Client::Hidden,
                },
                host: one.host.filter(|_| one.host == other.host),
                scheme: one.scheme.filter(|_| one.scheme == other.scheme),
            }),
            (one, other) => one.or(other),
        }
    }

    /// Whether a request from `peer`, of which trusted proxies say `said`, is of one's own network all the way: its client, and each
    /// address that the headers name. A private peer alone may be a proxy for the public.
    pub(crate) fn is_private_throughout(
        &self,
        peer: Option<SocketAddr>,
        said: Option<&ForwardedInfo<'_>>,
        headers: &impl HeaderLines,
    ) -> bool {
        let client = said.map_or_else(|| Client::of_peer(peer), |said| said.client);
        if !client.is_private() {
            return false;
        }
        // Most requests have neither. A look-up is cheaper than a list, above all of a name that the compiler knows.
        if headers.lines(FOR).next().is_none() && headers.lines(FORWARDED).next().is_none() {
            return true;
        }
        // What trusted proxies do not write, the client may have.
        let written = said.and(self.written).unwrap_or(ProxyHeaders::ALL);
        let is_private = self.are_private(written, headers);
        if !is_private {
            warn_of_proxy();
        }
        is_private
    }

    /// Whether each address in these headers is private, or of a trusted proxy.
    #[inline(never)]
    fn are_private(&self, written: ProxyHeaders, headers: &impl HeaderLines) -> bool {
        let is_own = |client: Client| client.is_private() || self.include(client);
        let is_own_hop = |hop: Option<ForwardedInfo<'_>>| hop.is_some_and(|hop| is_own(hop.client));
        (!written.addresses || from_right(headers, FOR).map(node).all(is_own))
            && (!written.forwarded || from_right(headers, FORWARDED).map(hop).all(is_own_hop))
    }

    fn include(&self, client: Client) -> bool {
        match client {
            Client::At(ip) => self.networks.iter().any(|network| network.contains(&ip)),
            Client::Local => self.has_unix,
            Client::Hidden => false,
        }
    }

    fn forwarded<'r>(&self, headers: &'r impl HeaderLines) -> Option<ForwardedInfo<'r>> {
        if !self.written.unwrap_or(ProxyHeaders::ALL).forwarded {
            return None;
        }
        let mut via: Option<ForwardedInfo<'r>> = None;
        for element in from_right(headers, FORWARDED) {
            let hop = hop(element).unwrap_or(UNSAID);
            via = Some(ForwardedInfo {
                client: hop.client,
                host: hop.host.or(via.and_then(|nearer| nearer.host)),
                scheme: hop.scheme.or(via.and_then(|nearer| nearer.scheme)),
            });
            if !self.include(hop.client) {
                break;
            }
        }
        via
    }

    fn x_forwarded<'r>(&self, headers: &'r impl HeaderLines) -> Option<ForwardedInfo<'r>> {
        let written = self.written.unwrap_or(ProxyHeaders::ALL);
        let names = [
            (FOR, written.addresses),
            (HOST, written.host),
            (PROTO, written.proto),
        ];
        let mut names = names.into_iter().filter(|(_, is_written)| *is_written);
        if names.all(|(name, _)| headers.lines(name).next().is_none()) {
            return None;
        }
        let mut client = Client::Hidden;
        let mut hops = 0;
        for text in from_right(headers, FOR).filter(|_| written.addresses) {
            client = node(text);
            hops += 1;
            if !self.include(client) {
                break;
            }
        }
        // Proxies that set these instead of adding to them leave fewer.
        let hops = hops.max(1);
        // Without the application's word a list counts if it has a member for each address: others may be the client's.
        let counts = |name, is_written| match self.written {
            Some(_) => is_written,
            None => from_right(headers, name).count() == from_right(headers, FOR).count(),
        };
        let of_client = |name, is_written| {
            let list = from_right(headers, name).take(hops);
            list.last().filter(|_| counts(name, is_written))
        };
        Some(ForwardedInfo {
            client,
            host: of_client(HOST, written.host),
            scheme: of_client(PROTO, written.proto).and_then(known_scheme),
        })
    }
}

#[cold]
fn warn_of_proxy() {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "a request came through a proxy from a caller who is not trusted: its connection is of a private network, but `Forwarded` or \
         `X-Forwarded-For` names an address that is not, or none. Such a request begins a trace of its own, without the caller's baggage \
         and request id. Name the proxies by `RequestTracing::trusted_proxies`, or say by `RequestTracing::trust` whom to trust"
    ));
}

#[cfg(test)]
mod tests;
