//! What the proxies in front of this service say of a request: `Forwarded` (RFC 7239), or `X-Forwarded-For`, `-Host` and
//! `-Proto`.
//!
//! Each proxy adds to the right of what it was sent, and a client may send anything. So all is read from the right, and no
//! further than what trusted proxies have written: the nearest proxy is the peer, and says who sent the request to it; if that
//! is a trusted proxy too, what stands left of it is its word.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use super::client::Client;
use super::header_lines::{HeaderLines, text};
use crate::error::Error;

const FOR: &str = "x-forwarded-for";
const HOST: &str = "x-forwarded-host";
const PROTO: &str = "x-forwarded-proto";

/// The addresses of trusted proxies.
#[derive(Debug, Clone)]
pub(crate) struct Proxies(Arc<[IpNet]>);

/// What trusted proxies say of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForwardedInfo<'r> {
    pub(crate) client: Client,
    /// Host and port that the client asked for.
    pub(crate) host: Option<&'r str>,
    pub(crate) scheme: Option<&'static str>,
}

impl Proxies {
    /// Takes addresses and networks.
    pub(crate) fn new(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Error> {
        let networks = texts.into_iter().map(|text| network(text.as_ref()));
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// What they say of the request that came from `peer`. Nothing, if that is none of them or says nothing.
    pub(crate) fn read<'r>(
        &self,
        peer: Option<SocketAddr>,
        headers: &'r impl HeaderLines,
    ) -> Option<ForwardedInfo<'r>> {
        if !self.include(Client::of_peer(peer)) {
            return None;
        }
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

    fn include(&self, client: Client) -> bool {
        match client {
            Client::At(ip) => self.0.iter().any(|network| network.contains(&ip)),
            Client::Local | Client::Hidden => false,
        }
    }

    fn forwarded<'r>(&self, headers: &'r impl HeaderLines) -> Option<ForwardedInfo<'r>> {
        let mut via: Option<ForwardedInfo<'r>> = None;
        for element in from_right(headers, "forwarded") {
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
        let mut client = Client::Hidden;
        let mut hops = 0;
        for text in from_right(headers, FOR) {
            client = node(text);
            hops += 1;
            if !self.include(client) {
                break;
            }
        }
        // Proxies that set these instead of adding to them leave fewer.
        let hops = hops.max(1);
        let host = from_right(headers, HOST).take(hops).last();
        let scheme = from_right(headers, PROTO).take(hops).last();
        let via = ForwardedInfo {
            client,
            host,
            scheme: scheme.and_then(known_scheme),
        };
        let names = [FOR, HOST, PROTO];
        let is_there = names
            .iter()
            .any(|name| headers.lines(name).next().is_some());
        is_there.then_some(via)
    }
}

/// What a proxy says that says nothing.
const UNSAID: ForwardedInfo<'_> = ForwardedInfo {
    client: Client::Hidden,
    host: None,
    scheme: None,
};

fn network(text: &str) -> Result<IpNet, Error> {
    let address = |_| text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(address).map_err(|_| Error::Proxy {
        text: text.to_owned(),
    })
}

/// The members of a list that is a header, of all its lines, from the right. A comma in a quoted string separates nothing;
/// whatever quotes a client has opened, those that stand right of it are whole.
fn from_right<'r>(
    headers: &'r impl HeaderLines,
    name: &'static str,
) -> impl Iterator<Item = &'r str> {
    let lines = headers.lines(name).rev();
    lines.flat_map(|line| {
        let text = text(line).unwrap_or_default();
        text.rsplit(outside_quotes(',')).map(str::trim)
    })
}

fn outside_quotes(separator: char) -> impl FnMut(char) -> bool {
    let mut is_quoted = false;
    move |c| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    }
}

/// An element of `Forwarded`: what one proxy says. `None` if it is malformed, or has an escape, which nothing here needs.
fn hop(element: &str) -> Option<ForwardedInfo<'_>> {
    let mut hop = UNSAID;
    let mut is_named = false;
    for pair in element.split(outside_quotes(';')).map(str::trim) {
        if pair.is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=')?;
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"')?,
            None => value,
        };
        if value.contains(['"', '\\']) {
            return None;
        }
        if name.eq_ignore_ascii_case("for") {
            if std::mem::replace(&mut is_named, true) {
                return None;
            }
            hop.client = node(value);
        } else if name.eq_ignore_ascii_case("host") {
            hop.host = Some(value);
        } else if name.eq_ignore_ascii_case("proto") {
            hop.scheme = known_scheme(value);
        }
    }
    Some(hop)
}

/// An address, with or without a port. What is unknown or obfuscated is hidden.
fn node(text: &str) -> Client {
    let ip = match text.strip_prefix('[') {
        Some(bracketed) => {
            let ip = bracketed
                .split_once(']')
                .map(|(ip, _)| ip.parse::<Ipv6Addr>());
            ip.and_then(Result::ok).map(IpAddr::V6)
        }
        None => text.parse().ok().or_else(|| {
            let (ip, _) = text.split_once(':')?;
            ip.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }),
    };
    ip.map_or(Client::Hidden, |ip| Client::At(ip.to_canonical()))
}

fn known_scheme(text: &str) -> Option<&'static str> {
    let mut known = ["https", "http"].into_iter();
    known.find(|known| text.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbound::test_request::TestRequest;

    fn read(
        peer: &str,
        lines: &[(&str, &str)],
    ) -> Option<(String, Option<String>, Option<&'static str>)> {
        let proxies = Proxies::new(["10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48"]).unwrap();
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
            ("x-forwarded-proto", "https"),
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
            let error = Proxies::new([text]).unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
