//! Attributes as their OTLP bytes: keys, values and the protobuf they become.
//!
//! Bottom layer: knows nothing of spans. [`tags`] collects the entries of a macro, and the recorder appends them to a span.

mod api;
mod biz;
mod decode;
mod encoder;
mod format;
mod key;
mod key_filter;
mod privacy;
mod put;
mod scratch;
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
mod writer;

pub use biz::{BizAttrs, BizValue};
pub(crate) use decode::api_value;
pub use encoder::Encoder;
pub use format::{Debug, Display, MaxLen, Shown};
pub use key::Key;
pub(crate) use key::{is_withheld, key_of};
pub use privacy::{Hash, Mask, Pii, PiiPolicy};
pub(crate) use privacy::{HashKey, MIN_KEY_BYTES, Privacy};
pub(crate) use scratch::Scratch;
pub(crate) use tags::Entry;
pub use tags::Tags;
pub use value::Value;
pub(crate) use value::truncate;
pub use writer::ArrayEncoder;
pub(crate) use writer::{Outcome, ValueLimits};
