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

/// A host as an address: an IPv6 one without its brackets.
pub(crate) fn address(host: &str) -> &str {
    let inner = host.strip_prefix('[');
    let inner = inner.and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host)
}
