//! Ends some spans and shuts down, whatever its streams do: `stuck console|stdout|URL FILE`. The file gets what became of them.

use std::time::Duration;
use std::{env, fs};

use biztrace::{DropReason, Otlp, Telemetry};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanBuilder, Tracer as _, TracerProvider as _};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [exporter, file] = env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "stuck EXPORTER FILE")?;
    let builder = Telemetry::builder()
        .export_timeout(Duration::from_millis(200))
        .shutdown_timeout(Duration::from_millis(200))
        .max_queue_size(100_000);
    let builder = match &*exporter {
        "console" => builder.console(),
        "stdout" => builder.stdout(),
        url => builder.otlp(Otlp::http(url)),
    };
    let telemetry = builder.build()?;
    let tracer = telemetry.tracer_provider().tracer("service");
    for _ in 0..2000 {
        let span = SpanBuilder::from_name("span")
            .with_attributes([KeyValue::new("order.note", "x".repeat(100))]);
        tracer.build(span).end();
    }
    let flushed = telemetry.force_flush_blocking();
    let report = telemetry.shutdown_blocking();
    let dropped = |reason| report.dropped.get(reason);
    fs::write(
        file,
        format!(
            "recorded={} settled={} waiting={} flushed={} unknown={} shutdown={}",
            report.recorded,
            report.delivered + report.dropped.total(),
            report.waiting,
            flushed.waiting == 0,
            dropped(DropReason::Unknown) > 0,
            dropped(DropReason::Shutdown) > 0,
        ),
    )?;
    Ok(())
}
