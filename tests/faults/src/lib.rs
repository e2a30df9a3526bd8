//! A receiver of OTLP over HTTP that can be told how to misbehave, with TLS if it is asked for, and links that do.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on fails"
)]

mod certificates;
mod link;
mod receiver;

pub use certificates::{Authority, Identity};
pub use link::{Link, black_hole, refusing};
pub use receiver::{Fault, Received, Receiver};

use std::time::Duration;

use biztrace::{Builder, Otlp, Report, Telemetry};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

/// Sends one span to the receiver of `otlp`, for half a second, and returns what became of it.
#[must_use]
pub fn send_span(otlp: Otlp) -> Report {
    send_span_by(Telemetry::builder().otlp(otlp))
}

/// The same to whatever receiver `settings` have.
#[must_use]
pub fn send_span_by(settings: Builder) -> Report {
    let telemetry = settings
        .export_timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    telemetry
        .tracer_provider()
        .tracer("service")
        .start("span")
        .end();
    telemetry.shutdown_blocking()
}
