//! Attributes as their OTLP bytes: keys, values and the protobuf they become.
//!
//! Bottom layer: knows nothing of spans. [`tags`] collects what a macro names, the recorder appends it.

mod api;
mod biz;
mod decode;
#[cfg(feature = "actix")]
mod extractors;
mod format;
mod key;
mod key_filter;
mod privacy;
#[cfg(feature = "secrecy")]
mod secret;
mod tags;
#[cfg(test)]
mod tests;
mod value;
pub(crate) mod wire;
#[cfg(feature = "chrono")]
mod with_chrono;
#[cfg(feature = "rust_decimal")]
mod with_decimal;
#[cfg(feature = "time")]
mod with_time;
#[cfg(feature = "uuid")]
mod with_uuid;

pub use biz::{BizAttrs, BizValue};
pub(crate) use decode::api_value;
pub use format::{Debug, Display, MaxLen, Shown};
pub use key::Key;
pub use privacy::{Hash, Mask, Pii, PiiPolicy};
pub(crate) use privacy::{HashKey, MIN_KEY_BYTES, Privacy};
pub use tags::Tags;
pub(crate) use tags::{Entry, Scratch};
pub use value::{ArrayEncoder, Encoder, Value};
pub(crate) use value::{Outcome, ValueLimits, is_withheld, key_of, truncate};
