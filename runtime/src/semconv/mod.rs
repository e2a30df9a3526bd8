//! Rules of OpenTelemetry's semantic conventions for HTTP, which servers and clients share.

mod method;
#[cfg(any(feature = "actix", feature = "awc", feature = "reqwest"))]
mod redact;
#[cfg(any(feature = "awc", feature = "reqwest"))]
mod url;

pub(crate) use self::method::KnownMethods;
#[cfg(feature = "actix")]
pub(crate) use self::redact::query;
#[cfg(any(feature = "awc", feature = "reqwest"))]
pub(crate) use self::url::full_url;

/// `network.protocol.version` of a version of the type `$of`, which the crate http has in each of its own versions.
#[cfg(any(feature = "actix", feature = "awc", feature = "reqwest"))]
macro_rules! protocol_version {
    ($version:expr, $of:ident) => {
        match $version {
            $of::HTTP_09 => Some("0.9"),
            $of::HTTP_10 => Some("1.0"),
            $of::HTTP_11 => Some("1.1"),
            $of::HTTP_2 => Some("2"),
            $of::HTTP_3 => Some("3"),
            _ => None,
        }
    };
}
#[cfg(any(feature = "actix", feature = "awc", feature = "reqwest"))]
pub(crate) use protocol_version;

/// A host as an address: an IPv6 one without its brackets.
pub(crate) fn address(host: &str) -> &str {
    let inner = host.strip_prefix('[');
    let inner = inner.and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host)
}
