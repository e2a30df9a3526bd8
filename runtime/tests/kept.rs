//! Handles of ended spans are small: 100,000 of them leave all memory to the spans that follow.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::convert::Infallible;

use biztrace::Telemetry;
use biztrace::otel::Tracer;
use biztrace::report::Report;
use opentelemetry::Context;
use opentelemetry::trace::{Span as _, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// Takes what it is sent.
#[derive(Debug)]
struct Takes;

impl SpanExporter for Takes {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

/// As many as the queue takes between two flushes.
const AT_ONCE: usize = 1_000;

#[track_caller]
fn assert_delivered(report: &Report, spans: usize) {
    let all = spans as u64;
    assert_eq!((report.recorded, report.delivered), (all, all), "{report}");
}

fn root(tracer: &Tracer) -> biztrace::otel::Span {
    tracer.start_with_context("root", &Context::new())
}

#[test]
fn a_hundred_thousand_kept_handles_leave_room_for_other_spans() {
    let telemetry = Telemetry::builder()
        .span_exporter("takes", || Ok::<_, Infallible>(Takes))
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");

    // Sessions keep the context of their request, or its span.
    let (mut contexts, mut spans) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        for _ in 0..AT_ONCE {
            let cx = Context::new().with_span(root(&tracer));
            cx.span().end();
            contexts.push(cx);
            let mut span = root(&tracer);
            span.end();
            spans.push(span);
        }
        telemetry.force_flush_blocking();
    }
    assert_delivered(&telemetry.report(), 100_000);

    // Many spans at a time, below the kept ones and of traces of their own.
    for kept in contexts.chunks(AT_ONCE).take(10) {
        let late = kept.iter().map(|cx| tracer.start_with_context("late", cx));
        let open: Vec<_> = late.chain(kept.iter().map(|_| root(&tracer))).collect();
        assert!(open.iter().all(|span| span.is_recording()));
        for (late, cx) in open.iter().zip(kept) {
            let trace = cx.span().span_context().trace_id();
            assert_eq!(late.span_context().trace_id(), trace);
        }
        drop(open);
        telemetry.force_flush_blocking();
    }
    assert_delivered(&telemetry.report(), 120_000);

    drop((contexts, spans));
    drop(root(&tracer));
    assert_delivered(&telemetry.shutdown_blocking(), 120_001);
}
