//! Rules of OpenTelemetry's semantic conventions for HTTP, which servers and clients share.

mod method;
mod redact;

pub(crate) use self::method::KnownMethods;
pub(crate) use self::redact::query;
#[cfg(any(feature = "awc", feature = "reqwest"))]
pub(crate) use self::redact::url;
