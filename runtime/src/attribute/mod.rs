//! Attributes as their OTLP bytes: keys, values and the protobuf they become.
//!
//! Bottom layer: knows nothing of spans. [`tags`] collects what a macro names, the recorder appends it.

mod api;
mod key;
mod tags;
mod value;
pub(crate) mod wire;

pub use key::Key;
pub use tags::Tags;
pub(crate) use tags::{Entry, Scratch};
pub use value::{ArrayEncoder, Encoder, Value};
pub(crate) use value::{ValueLimits, key_of, truncate};
