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
pub use link::{Link, black_hole};
pub use receiver::{Fault, Received, Receiver};

use std::time::Duration;

use biztrace::{Otlp, Report, Telemetry};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

/// Sends one span to the receiver of `otlp`, for half a second, and returns what became of it.
#[must_use]
pub fn send_span(otlp: Otlp) -> Report {
    let telemetry = Telemetry::builder()
        .otlp(otlp)
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
