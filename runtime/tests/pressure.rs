//! All telemetry keeps to its limit of memory, whatever the service does and the receiver does not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::TcpListener;
use std::time::Duration;

use biztrace::Telemetry;
use biztrace::report::DropReason;
use biztrace::settings::Limits;
use opentelemetry::trace::{Span, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const LIMIT: usize = 8 * 1024 * 1024;

#[test]
fn past_the_limit_spans_are_dropped_at_the_door() {
    // Connections stand, and nobody reads from them.
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut limits = Limits::default();
    limits.memory = LIMIT;
    let telemetry = Telemetry::builder()
        .otlp(format!("http://{}", receiver.local_addr().unwrap()))
        .limits(move |it| it.clone_from(&limits))
        .max_queue_size(1_000_000)
        .shutdown_timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    let span = |bytes| {
        let mut span = tracer.start("span");
        span.set_attribute(KeyValue::new("order.note", "x".repeat(bytes)));
        span
    };
    let profiler = dhat::Profiler::builder().testing().build();

    // Many traces at once, of which some find no room.
    let open: Vec<_> = (0..10_000).map(|_| span(1000)).collect();
    let recorded = open.iter().filter(|span| span.is_recording()).count();
    assert!((500..5_000).contains(&recorded), "{recorded} of 10,000");
    let report = telemetry.report();
    let refused = report.dropped.get(DropReason::MemoryLimit);
    assert_eq!(refused as usize, 10_000 - recorded, "{report}");
    let is_sampled = |span: &biztrace::otel::Span| span.span_context().is_sampled();
    assert_eq!(
        open.iter().filter(|span| is_sampled(span)).count(),
        recorded
    );
    drop(open);

    // Few traces, of many spans with long names.
    let name = "n".repeat(1000);
    let roots = (0..20).map(|_| Context::new().with_span(tracer.start("root")));
    let open: Vec<_> = roots
        .flat_map(|root| {
            (0..500)
                .map(|_| tracer.start_with_context(name.clone(), &root))
                .collect::<Vec<_>>()
        })
        .collect();
    let recorded = open.iter().filter(|span| span.is_recording()).count();
    assert!((1_000..7_000).contains(&recorded), "{recorded} of 10,000");
    drop(open);

    // And then 300 MB of spans, one after the other, for a queue that would take them all.
    (0..30_000).for_each(|_| drop(span(10_000)));
    let peak = dhat::HeapStats::get().max_bytes;
    drop(profiler);
    assert!(peak < 2 * LIMIT, "{peak} bytes of the heap, for {LIMIT}");
    let report = telemetry.shutdown_blocking();
    assert_eq!(report.waiting, 0, "{report}");
    assert_eq!(report.dropped.total(), report.recorded, "{report}");
    assert_eq!(report.dropped.get(DropReason::QueueFull), 0, "{report}");
}
