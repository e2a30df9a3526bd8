//! The headers in which proxies say where a request comes from: `Forwarded` (RFC 7239), or `X-Forwarded-For`, `-Host` and `-Proto`.
//!
//! Each proxy adds to the right of what it was sent, and a client may send anything. So lists are read from the right. `proxies` says
//! how far they are believed.

use std::net::IpAddr;

use super::client::Client;
use super::header_lines::{HeaderLines, text};

pub(super) const FORWARDED: &str = "forwarded";
pub(super) const FOR: &str = "x-forwarded-for";
pub(super) const HOST: &str = "x-forwarded-host";
pub(super) const PROTO: &str = "x-forwarded-proto";

/// What the headers of proxies say about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForwardedInfo<'r> {
    pub(crate) client: Client,
    /// Host and port that the client asked for.
    pub(crate) host: Option<&'r str>,
    pub(crate) scheme: Option<&'static str>,
}

/// What a proxy says that says nothing.
pub(super) const UNSAID: ForwardedInfo<'_> = ForwardedInfo {
    client: Client::Hidden,
    host: None,
    scheme: None,
};

/// The members of a list that is a header, of all its lines, from the right. A comma in a quoted string separates nothing;
/// whatever quotes a client has opened, those that stand right of it are whole.
pub(super) fn from_right<'r>(
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
pub(super) fn hop(element: &str) -> Option<ForwardedInfo<'_>> {
    let mut hop = UNSAID;
    let mut is_named = false;
    for pair in element.split(outside_quotes(';')).map(str::trim) {
        if pair.is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=')?;
        if name.contains(|c: char| c.is_ascii_whitespace()) {
            return None;
        }
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

/// An address, with or without a port. What is unknown, obfuscated or malformed is hidden.
pub(super) fn node(text: &str) -> Client {
    address(text).map_or(Client::Hidden, |ip| Client::At(ip.to_canonical()))
}

fn address(text: &str) -> Option<IpAddr> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (ip, rest) = bracketed.split_once(']')?;
        let port = rest.strip_prefix(':');
        let is_port = rest.is_empty() || port.is_some_and(is_port);
        return ip.parse().ok().map(IpAddr::V6).filter(|_| is_port);
    }
    text.parse().ok().or_else(|| {
        let (ip, port) = text.split_once(':')?;
        ip.parse().ok().map(IpAddr::V4).filter(|_| is_port(port))
    })
}

/// RFC 7239, section 6: a number, or an obfuscated one.
fn is_port(text: &str) -> bool {
    let is_obfuscated = text.starts_with('_')
        && (text.bytes()).all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    text.parse::<u16>().is_ok() || is_obfuscated
}

pub(super) fn known_scheme(text: &str) -> Option<&'static str> {
    let mut known = ["https", "http"].into_iter();
    known.find(|known| text.eq_ignore_ascii_case(known))
}
