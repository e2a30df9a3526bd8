//! Rules of OpenTelemetry's semantic conventions: for HTTP, which servers and clients share, and for databases.

pub(crate) mod keys;
mod method;
mod outcome;
mod query_summary;
pub(crate) mod redact;
mod redact_text;

pub(crate) use self::method::KnownMethods;
pub(crate) use self::outcome::{Outcome, Side};
pub use self::query_summary::QuerySummary;
pub(crate) use self::redact::Redaction;

/// The conventions' word for a method or an error that has no name of its own.
pub(crate) const OTHER: &str = "_OTHER";

/// `network.protocol.version` of a version of the type `$of`, which the crate http has in each of its own versions.
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
pub(crate) use protocol_version;

/// A host as an address: an IPv6 one without its brackets.
pub(crate) fn address(host: &str) -> &str {
    let inner = host.strip_prefix('[');
    let inner = inner.and_then(|host| host.strip_suffix(']'));
    inner.unwrap_or(host)
}
