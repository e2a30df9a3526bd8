//! The proxies that the application names, and how far what they say of a request is believed.
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

    /// What they say of the request that came from `peer`. Nothing, if that is none of them or says nothing.
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
    #[inline]
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
        // Of most requests neither is there: two look-ups, and no more.
        if headers.lines(FOR).next().is_none() && headers.lines(FORWARDED).next().is_none() {
            return true;
        }
        let is_private = self.are_own(said, headers);
        if !is_private {
            warn_of_proxy();
        }
        is_private
    }

    /// Whether each address that the headers name is private, or a trusted proxy's.
    #[cold]
    fn are_own(&self, said: Option<&ForwardedInfo<'_>>, headers: &impl HeaderLines) -> bool {
        // What trusted proxies do not write, the client may have.
        let written = said.and(self.written).unwrap_or(ProxyHeaders::ALL);
        let is_own = |client: Client| client.is_private() || self.include(client);
        (!written.addresses || from_right(headers, FOR).map(node).all(is_own))
            && (!written.forwarded
                || from_right(headers, FORWARDED)
                    .all(|element| hop(element).is_some_and(|hop| is_own(hop.client))))
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
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::inbound::test_request::TestRequest;

    fn proxies<const N: usize>(addresses: [&str; N]) -> Proxies {
        let mut proxies = Proxies::default();
        proxies.set_addresses(addresses).unwrap();
        proxies
    }

    fn read(
        peer: &str,
        lines: &[(&str, &str)],
    ) -> Option<(String, Option<String>, Option<&'static str>)> {
        let proxies = proxies(["10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48"]);
        let request = TestRequest::with_headers(lines);
        let peer = Some((peer.parse::<IpAddr>().unwrap(), 1).into());
        let via = proxies.read(peer, &request)?;
        let client = match via.client {
            Client::At(ip) => ip.to_string(),
            client => format!("{client:?}"),
        };
        Some((client, via.host.map(String::from), via.scheme))
    }

    fn client(lines: &[(&str, &str)]) -> String {
        read("10.0.0.1", lines).unwrap().0
    }

    #[test]
    fn a_peer_that_is_no_proxy_is_not_read() {
        for peer in ["11.0.0.1", "192.0.2.2", "2001:db8:2::1", "127.0.0.1"] {
            assert_eq!(read(peer, &[("forwarded", "for=8.8.8.8")]), None, "{peer}");
        }
        for peer in ["10.9.9.9", "192.0.2.1", "2001:db8:1::1", "::ffff:10.0.0.1"] {
            assert!(
                read(peer, &[("forwarded", "for=8.8.8.8")]).is_some(),
                "{peer}"
            );
        }
        assert_eq!(read("10.0.0.1", &[]), None, "it says nothing");
    }

    #[test]
    fn what_stands_left_of_the_last_untrusted_address_is_the_clients_word() {
        for (list, expected) in [
            ("203.0.113.9", "203.0.113.9"),
            ("8.8.8.8, 203.0.113.9", "203.0.113.9"),
            ("8.8.8.8, 203.0.113.9, 10.0.0.2, 192.0.2.1", "203.0.113.9"),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8:2::1]:4711", "2001:db8:2::1"),
            ("2001:db8:2::1", "2001:db8:2::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("8.8.8.8, unknown", "Hidden"),
            ("8.8.8.8,", "Hidden"),
            ("", "Hidden"),
        ] {
            assert_eq!(client(&[("x-forwarded-for", list)]), expected, "{list:?}");
        }
        let lines = [
            ("x-forwarded-for", "8.8.8.8"),
            ("x-forwarded-for", "203.0.113.9, 10.0.0.2"),
        ];
        assert_eq!(client(&lines), "203.0.113.9");
    }

    #[test]
    fn elements_of_forwarded_are_read_as_rfc_7239_has_them() {
        for (list, expected) in [
            ("for=203.0.113.9", "203.0.113.9"),
            ("For=\"203.0.113.9:4711\" ; by=10.0.0.1", "203.0.113.9"),
            ("for=\"[2001:db8:2::1]:_port\"", "2001:db8:2::1"),
            ("for=203.0.113.9, for=10.0.0.2;by=\"a,b;c\"", "203.0.113.9"),
            ("for=8.8.8.8, for=_hidden", "Hidden"),
            ("for=8.8.8.8, for=unknown, for=10.0.0.2", "Hidden"),
            ("for=8.8.8.8, proto=https", "Hidden"),
            ("for=1.1.1.1;for=8.8.8.8", "Hidden"),
            ("for=\"203.0.113.9", "Hidden"),
            ("nonsense", "Hidden"),
            // A quote that the client has opened does not swallow what the proxy adds, nor does what the proxy quotes close it.
            ("for=8.8.8.8;x=\", for=203.0.113.9", "203.0.113.9"),
            ("for=8.8.8.8;x=\", for=\"203.0.113.9:1\"", "203.0.113.9"),
            ("x=\"\\, for=203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(client(&[("forwarded", list)]), expected, "{list:?}");
        }
    }

    #[test]
    fn the_origin_is_what_the_outermost_trusted_proxy_was_asked_for() {
        let origin = |lines: &[(&str, &str)]| {
            let (_, host, scheme) = read("10.0.0.1", lines).unwrap();
            (host.unwrap_or_default(), scheme.unwrap_or_default())
        };
        let list = "for=1.1.1.1;host=evil;proto=http, for=203.0.113.9;host=\"shop:8443\";proto=HTTPS, for=10.0.0.2;host=inner;proto=http";
        assert_eq!(
            origin(&[("forwarded", list)]),
            ("shop:8443".into(), "https")
        );
        let list = "for=203.0.113.9, for=10.0.0.2;host=inner;proto=gopher";
        assert_eq!(origin(&[("forwarded", list)]), ("inner".into(), ""));
        let lines = [
            ("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2"),
            ("x-forwarded-host", "evil, shop, inner"),
            ("x-forwarded-proto", "http, https, http"),
        ];
        assert_eq!(origin(&lines), ("shop".into(), "https"));
    }

    #[test]
    fn of_two_headers_what_both_say_is_true() {
        let x_for = ("x-forwarded-for", "203.0.113.9");
        assert_eq!(client(&[x_for, ("forwarded", "for=8.8.8.8")]), "Hidden");
        let lines = [x_for, ("forwarded", "for=203.0.113.9;host=evil")];
        assert_eq!(
            read("10.0.0.1", &lines),
            Some(("203.0.113.9".into(), None, None))
        );
    }

    #[test]
    fn what_is_no_address_is_named() {
        for text in ["10.0.0.0/33", "proxy.internal", "", "10.0.0.1:80"] {
            let error = Proxies::default().set_addresses([text]).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn a_list_without_a_member_for_each_address_is_not_believed() {
        let lines = [
            ("x-forwarded-for", "1.1.1.1, 203.0.113.9"),
            ("x-forwarded-host", "evil"),
            ("x-forwarded-proto", "https, https, https"),
        ];
        let client = "203.0.113.9".to_owned();
        assert_eq!(read("10.0.0.1", &lines), Some((client, None, None)));
        let lines = [("x-forwarded-host", "evil")];
        let nobody = Some(("Hidden".to_owned(), None, None));
        assert_eq!(read("10.0.0.1", &lines), nobody);
    }

    #[test]
    fn only_the_headers_that_proxies_write_are_read() {
        let lines = [
            ("forwarded", "for=8.8.8.8;host=evil"),
            ("x-forwarded-for", "1.1.1.1, 203.0.113.9"),
            ("x-forwarded-host", "evil, shop"),
            ("x-forwarded-proto", "https"),
        ];
        let request = TestRequest::with_headers(&lines);
        let read = |written: &[&str]| {
            let mut proxies = proxies(["unix"]);
            proxies.set_headers(written).unwrap();
            let via = proxies.read(None, &request)?;
            Some((via.client, via.host, via.scheme))
        };
        let at = |ip: &str| Client::At(ip.parse().unwrap());
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[FOR]), Some((at("203.0.113.9"), None, None)));
        let of_all_three = (at("203.0.113.9"), Some("shop"), Some("https"));
        assert_eq!(read(&[FOR, HOST, PROTO]), Some(of_all_three));
        let of_forwarded = (at("8.8.8.8"), Some("evil"), None);
        assert_eq!(read(&[FORWARDED]), Some(of_forwarded));
        assert_eq!(read(&[PROTO]), Some((Client::Hidden, None, Some("https"))));
        let error = Proxies::default().set_headers(["x-real-ip"]).unwrap_err();
        assert!(error.to_string().contains("\"x-real-ip\""), "{error}");
    }
}
