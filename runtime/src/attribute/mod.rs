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
mod policy;
mod privacy;
mod private_url;
mod put;
mod scratch;
mod set;
mod tags;
#[cfg(test)]
mod tests;
mod value;
pub(crate) mod wire;
#[cfg(feature = "chrono")]
mod with_chrono;
#[cfg(feature = "rust_decimal")]
mod with_decimal;
mod with_std;
#[cfg(feature = "time")]
mod with_time;
#[cfg(feature = "uuid")]
mod with_uuid;
mod writer;

pub use biz::{BizAttrs, BizValue};
pub(crate) use decode::{Scalar, api_value};
pub use encoder::Encoder;
pub use format::{Debug, Display, MaxLen, Shown};
pub use key::Key;
pub(crate) use key::{is_withheld, key_of};
pub use policy::PiiPolicy;
pub(crate) use policy::{HashKey, MIN_KEY_BYTES, Privacy};
pub use privacy::{Hash, Mask, Pii};
pub use private_url::PrivateUrl;
pub(crate) use scratch::Scratch;
pub(crate) use tags::Entry;
pub use tags::Tags;
pub use value::Value;
pub use writer::ArrayEncoder;
pub(crate) use writer::{Encoded, ValueLimits, truncate};
