//! Which hosts are one's own: of this machine, of a private network, or listed by the application.
//!
//! One rule for both directions: whom `inbound` trusts, and to whom `client` sends baggage.

use std::net::IpAddr;

use ipnet::IpNet;

/// Whether an address is of this machine or of a network of one's own: loopback, private or link-local.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// An address or a network, as settings have it.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let address = |_| text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or_else(address).ok()
}

/// The hosts that are one's own: by their names and addresses, and those that the application lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hosts(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// `*`
    All,
    Network(IpNet),
    Name(String),
    /// `*.example.com`: the names that end so, without the star.
    Below(String),
}

/// The names that are of no public network: of this machine, of Kubernetes, and of ICANN's domain for private use.
const OWN_DOMAINS: [&str; 4] = [".localhost", ".internal", ".svc", ".cluster.local"];

impl Hosts {
    /// Adds `*`, a name, `*.` with a domain, an address or a network. Returns `false` if the text is none of these.
    pub(crate) fn add(&mut self, text: &str) -> bool {
        let name = text.to_ascii_lowercase();
        let entry = match network(text) {
            Some(network) => Entry::Network(network),
            None if name == "*" => Entry::All,
            None => match name.strip_prefix('*') {
                Some(domain) if domain.strip_prefix('.').is_some_and(is_name) => {
                    Entry::Below(domain.to_owned())
                }
                None if is_name(&name) => Entry::Name(name),
                _ => return false,
            },
        };
        self.0.push(entry);
        true
    }

    /// Whether `host`, as a URL has it, is one of these or one's own in any case.
    pub(crate) fn include(&self, host: &str) -> bool {
        let address = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        match address.unwrap_or(host).parse::<IpAddr>() {
            Ok(ip) => is_private(ip) || self.list_address(ip.to_canonical()),
            Err(_) => self.include_name(&host.to_ascii_lowercase()),
        }
    }

    fn list_address(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|entry| match entry {
            Entry::All => true,
            Entry::Network(network) => network.contains(&ip),
            Entry::Name(_) | Entry::Below(_) => false,
        })
    }

    fn include_name(&self, host: &str) -> bool {
        let name = host.strip_suffix('.').unwrap_or(host);
        let is_listed = |entry: &Entry| match entry {
            Entry::All => true,
            Entry::Network(_) => false,
            Entry::Name(listed) => name == listed,
            Entry::Below(domain) => name.ends_with(domain),
        };
        // A single label with a dot at its end is a top-level domain.
        let is_single = name == host && !name.contains('.');
        let is_own = is_single
            || name == "localhost"
            || OWN_DOMAINS.iter().any(|domain| name.ends_with(domain));
        (is_own && is_name(name)) || self.0.iter().any(is_listed)
    }
}

/// Whether `text` is a host's name. A name whose last label is a number is an address to the system, for example `134744072`.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.bytes().all(is_plain)
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix("0x");
    let is_number = match digits {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => last.bytes().all(|byte| byte.is_ascii_digit()),
    };
    !is_number && text.split('.').all(is_label)
}

/// As the setting lists them; empty if there are none beside one's own.
impl std::fmt::Display for Hosts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, entry) in self.0.iter().enumerate() {
            f.write_str(if i > 0 { "," } else { "" })?;
            match entry {
                Entry::All => f.write_str("*")?,
                Entry::Network(network) => network.fmt(f)?,
                Entry::Name(name) => f.write_str(name)?,
                Entry::Below(domain) => write!(f, "*{domain}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_ones_own_are_private() {
        let is_private = |ip: &str| is_private(ip.parse().unwrap());
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
    }

    #[test]
    fn hosts_of_private_names_and_addresses_are_ones_own() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "app.localhost",
            "stock",
            "stock_2",
            "stock.shop.svc",
            "stock.shop.svc.cluster.local",
            "stock.shop.svc.cluster.local.",
            "Stock.Internal",
            "127.0.0.1",
            "10.1.2.3",
            "[::1]",
            "::1",
            "[fd00::1]",
            "[::ffff:10.1.2.3]",
        ] {
            assert!(Hosts::default().include(host), "{host}");
        }
        for host in [
            "",
            ".",
            "partner.example",
            "8.8.8.8",
            "[2001:db8::1]",
            "[fe80::1%eth0]",
            "com.",
            "internal.partner.example",
            "notinternal.example",
            "svc.example",
            "cluster.local.example",
            ".internal",
            "a..internal",
            "evil\u{2024}internal",
            // Addresses, to the system's resolver: 8.8.8.8, and 1.0.0.1.
            "134744072",
            "0x08080808",
            "0X08080808",
            "1.1",
            "010.8.8.8",
            "localhost@partner.example",
        ] {
            assert!(!Hosts::default().include(host), "{host:?}");
        }
    }

    #[test]
    fn listed_hosts_are_ones_own() {
        let mut hosts = Hosts::default();
        for entry in [
            "*.Partner.example",
            "api.other.example",
            "203.0.113.0/24",
            "2001:db8::1",
        ] {
            assert!(hosts.add(entry), "{entry}");
        }
        assert_eq!(
            hosts.to_string(),
            "*.partner.example,api.other.example,203.0.113.0/24,2001:db8::1/128"
        );
        for host in [
            "a.partner.example",
            "A.B.partner.example.",
            "API.other.example",
            "203.0.113.9",
            "[2001:db8::1]",
            "stock",
        ] {
            assert!(hosts.include(host), "{host}");
        }
        for host in [
            "partner.example",
            "evilpartner.example",
            "a.api.other.example",
            "partner.example.evil.example",
            "203.0.114.9",
        ] {
            assert!(!hosts.include(host), "{host}");
        }
        let mut all = Hosts::default();
        assert!(all.add("*"));
        assert!(all.include("partner.example") && all.include("8.8.8.8"));
    }

    #[test]
    fn texts_that_are_no_hosts_are_refused() {
        for text in [
            "",
            "*.",
            "**",
            "*example.com",
            "a.*.example",
            "partner.example:443",
            "https://partner.example",
            "10.0.0.0/33",
            "10.0.0",
            "a b",
            "b\u{fc}cher.example",
        ] {
            assert!(!Hosts::default().add(text), "{text:?}");
        }
    }
}
