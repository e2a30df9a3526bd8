//! OTLP: sends the recorded bytes as they are.

mod endpoint;
pub(crate) mod http;
mod json;
#[cfg(feature = "tls")]
mod tls;
