//! What the tests of faults share: links that break, certificates, and a span that is sent.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on fails"
)]

mod certificates;
mod link;

pub use certificates::{Authority, Identity};
pub use link::{Link, black_hole};
pub use support::{Fault, Receiver, Reserved, rerun};

use std::time::Duration;

use biztrace::report::Report;
use biztrace::settings::Otlp;
use biztrace::{Telemetry, TelemetryBuilder};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

/// Sends one span to the receiver of `otlp`, for half a second, and returns what became of it.
#[must_use]
pub fn send_span(otlp: Otlp) -> Report {
    send_span_by(Telemetry::builder().otlp(otlp))
}

/// Sends one span to the receiver that `settings` have, for half a second, and returns what became of it.
#[must_use]
pub fn send_span_by(settings: TelemetryBuilder) -> Report {
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
