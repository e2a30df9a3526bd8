//! Ends some spans and shuts down, whatever its streams do, or who listens: `stuck console|stdout|URL FILE`. The file gets what
//! became of the spans. With `LISTENER=panics` there is a subscriber that does. `EXPORT_MS` is the time for a request,
//! `SHUTDOWN_MS` that for a flush and for the shutdown.

use std::time::Duration;
use std::{env, fs};

use biztrace::report::DropReason;
use biztrace::settings::Otlp;
use biztrace::{Telemetry, tag, traced};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanBuilder, Tracer as _, TracerProvider as _};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

struct Panics;

impl<S: Subscriber> Layer<S> for Panics {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        panic!("the listener panics, as a test wants it");
    }
}

/// Has something for the log twice: there is no key, and it fails.
#[traced(err)]
fn pay(user: u32) -> Result<(), String> {
    tag!(
        #[hash]
        user.id = user
    );
    Err("the bank says no".into())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [exporter, file] = env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "stuck EXPORTER FILE")?;
    if env::var_os("LISTENER").is_some() {
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Panics))?;
    }
    // Where nothing is stuck, a machine that is busy gets time.
    let millis = |name| -> Result<_, Box<dyn std::error::Error>> {
        Ok(Duration::from_millis(env::var(name)?.parse()?))
    };
    let builder = Telemetry::builder()
        .export_timeout(millis("EXPORT_MS")?)
        .shutdown_timeout(millis("SHUTDOWN_MS")?)
        .max_queue_size(100_000);
    let builder = match &*exporter {
        "console" => builder.console(),
        "stdout" => builder.json_stdout(),
        url => builder.otlp(Otlp::http(url)),
    };
    let telemetry = builder.install()?;
    let tracer = telemetry.tracer_provider().tracer("service");
    for _ in 0..1999 {
        let span = SpanBuilder::from_name("span")
            .with_attributes([KeyValue::new("order.note", "x".repeat(100))]);
        tracer.build(span).end();
    }
    let answer = pay(7);
    let flushed = telemetry.force_flush_blocking();
    let report = telemetry.shutdown_blocking();
    let dropped = |reason| report.dropped.get(reason);
    fs::write(
        file,
        format!(
            "recorded={} settled={} waiting={} failed={} flushed={} most={} unknown={} shutdown={}",
            report.recorded,
            report.delivered + report.dropped.total(),
            report.waiting,
            answer.is_err(),
            flushed.waiting == 0,
            report.delivered > 1900,
            dropped(DropReason::Unknown) > 0,
            dropped(DropReason::Shutdown) > 0,
        ),
    )?;
    Ok(())
}
