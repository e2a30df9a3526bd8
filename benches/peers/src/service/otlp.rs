//! OpenTelemetry's own export, for the variants that use it.

use std::io;

use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;

use super::SERVICE_NAME;

/// By HTTP with its default client, the blocking one of reqwest.
pub(super) fn exporter(sink: &str) -> io::Result<SpanExporter> {
    SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{sink}/v1/traces"))
        .build()
        .map_err(io::Error::other)
}

pub(super) fn resource() -> Resource {
    Resource::builder().with_service_name(SERVICE_NAME).build()
}

/// Flushes an SDK, of whatever version. One call gives up waiting after 5 s, though the export goes on.
pub(crate) fn flush<E>(force_flush: impl Fn() -> Result<(), E>) -> io::Result<()>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut flushed = force_flush();
    for _ in 0..10 {
        if flushed.is_ok() {
            break;
        }
        flushed = force_flush();
    }
    flushed.map_err(io::Error::other)
}
