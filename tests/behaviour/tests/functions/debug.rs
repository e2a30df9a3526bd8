//! What `{:?}` shows of telemetry: no secrets, and nothing of the spans that wait.

use std::fmt::Debug;

use biztrace::Telemetry;
use biztrace::settings::{JaegerRemote, Otlp, Sampler};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};

const SECRET: &str = "S3cr3tKey0123456789";

#[track_caller]
fn shows_no_secret(value: &dyn Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        let line: String = shown.split_whitespace().collect();
        // As text, and as the bytes that it has in a span.
        let bytes = format!("{:?}", &SECRET.as_bytes()[..4]).replace(' ', "");
        let hidden = [&SECRET[..4], bytes.trim_matches(['[', ']'])];
        for secret in hidden {
            assert!(!line.contains(secret), "{shown}");
        }
    }
}

#[test]
fn debug_shows_neither_secrets_nor_waiting_spans() {
    let endpoint = format!("http://ada:{SECRET}@localhost:9/{SECRET}?key={SECRET}");
    let remote = JaegerRemote::new(&endpoint);
    shows_no_secret(&remote);
    let sampler = Sampler::from(remote).parent_based();
    shows_no_secret(&sampler);
    let builder = Telemetry::builder()
        .service("orders", SECRET)
        .otlp(Otlp::http("http://localhost:9").header("authorization", SECRET))
        .hash_key(SECRET)
        .default_tags([KeyValue::new("app.key", SECRET)])
        .sampler(Sampler::always_on());
    shows_no_secret(&builder);
    let telemetry = builder.build().unwrap();
    let provider = telemetry.tracer_provider();
    let tracer = provider.tracer("library");
    let record = |parent: &Context| {
        let mut span = tracer.start_with_context(SECRET, parent);
        span.set_attribute(KeyValue::new("user.password", SECRET));
        span.add_event(SECRET, vec![KeyValue::new("user.password", SECRET)]);
        span
    };
    let open = record(&Context::new());
    record(&Context::new()).end();
    shows_no_secret(&telemetry);
    shows_no_secret(&provider);
    shows_no_secret(&tracer);
    shows_no_secret(&open);
    let current = Context::new();
    let cx = opentelemetry::trace::TraceContextExt::with_span(&current, open);
    // An ended span waits for its open parent.
    record(&cx).end();
    let _attached = cx.attach();
    shows_no_secret(&biztrace::current());
    shows_no_secret(&telemetry);
}
