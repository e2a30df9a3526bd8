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
