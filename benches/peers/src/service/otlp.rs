//! OpenTelemetry's own export, for the variants that use it.

use std::io;
use std::sync::LazyLock;

use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use tokio::runtime::{self, Runtime};

use super::{Export, Protocol, SERVICE_NAME};

/// What tonic's connections run on: a thread beside the workers, as the export thread of an SDK is no runtime.
pub(super) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.expect("a thread can be started")
});

/// By HTTP with its default client, the blocking one of reqwest; by gRPC with tonic.
pub(super) fn exporter(export: &Export) -> io::Result<SpanExporter> {
    let sink = &export.sink;
    let exporter = match export.protocol {
        Protocol::Http => SpanExporter::builder()
            .with_http()
            .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
            .with_endpoint(format!("{sink}/v1/traces"))
            .build(),
        Protocol::Grpc => {
            let _within = RUNTIME.enter();
            SpanExporter::builder()
                .with_tonic()
                .with_endpoint(sink)
                .build()
        }
    };
    exporter.map_err(io::Error::other)
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
