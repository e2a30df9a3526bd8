//! OTLP: sends the recorded bytes as they are.

pub(crate) mod http;
