//! Exporters: what takes the pipeline's requests to a receiver. The pipeline knows them as `Export`, set-up as `ExporterSpec`.

mod body;
pub(crate) mod console;
#[cfg(feature = "testing")]
pub(crate) mod in_memory;
#[cfg(any(feature = "json", feature = "otlp-http"))]
mod json;
#[cfg(feature = "json")]
pub(crate) mod json_lines;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
pub(crate) mod otlp;
pub(crate) mod sdk;
mod span_data;
pub(crate) mod spec;
#[cfg(any(feature = "_http", feature = "otlp-grpc"))]
pub(crate) mod transport;
mod visible;
#[cfg(feature = "zipkin")]
pub(crate) mod zipkin;

#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
pub(crate) use self::visible::remote_text;
