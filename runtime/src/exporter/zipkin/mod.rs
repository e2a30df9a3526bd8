//! Zipkin's second format, in JSON over HTTP.

mod client;
mod settings;
mod span;

pub use self::settings::Zipkin;
