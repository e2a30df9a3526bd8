//! OTLP: sends the recorded bytes as they are.

mod answer;
#[cfg(feature = "otlp-grpc")]
mod grpc;
#[cfg(feature = "otlp-http")]
mod http;
#[cfg(feature = "otlp-http")]
mod json_answer;
mod receiver;
mod settings;
mod spec;

pub use self::settings::Otlp;
