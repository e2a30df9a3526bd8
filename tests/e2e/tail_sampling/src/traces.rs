//! The traces: the same for whoever records them, below callers that do not sample, with a randomness of their own.

use std::time::{Duration, SystemTime};

use biztrace::Telemetry;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};

pub const NUMBER: usize = 2_000;

/// Xorshift: numbers that look random, and are the same each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, number: u64) -> u64 {
        // The upper bits are the better ones.
        (self.next() >> 32) % number
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

pub fn record(telemetry: &Telemetry) {
    let tracer = telemetry.tracer_provider().tracer("recording");
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..NUMBER {
        record_one(&tracer, &mut random);
    }
}

fn record_one(
    tracer: &impl opentelemetry::trace::Tracer<Span: Send + Sync + 'static>,
    random: &mut Random,
) {
    let id = u128::from(random.next()) << 64 | u128::from(random.next());
    let state = format!("ot=rv:{:014x}", random.next() >> 8);
    let caller = SpanContext::new(
        TraceId::from(id),
        SpanId::from(random.next() | 1),
        TraceFlags::default(),
        true,
        state.parse().expect("a valid state"),
    );
    let around = Context::new().with_remote_span_context(caller);
    // Never half a second, where versions of the Collector differ.
    let millis = Some(1 + random.below(2_000)).filter(|millis| *millis != 500);
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let end = start + Duration::from_millis(millis.unwrap_or(499));
    let root = SpanBuilder::from_name("root").with_start_time(start);
    let mut root = tracer.build_with_context(root, &around);
    tag(&mut root, random);
    let inside = around.with_span(root);
    for _ in 0..random.below(6) {
        let child = SpanBuilder::from_name("child").with_start_time(start);
        let mut child = tracer.build_with_context(child, &inside);
        tag(&mut child, random);
        child.end_with_timestamp(start + Duration::from_millis(1));
    }
    inside.span().end_with_timestamp(end);
}

fn tag(span: &mut impl opentelemetry::trace::Span, random: &mut Random) {
    match random.below(10) {
        0 => span.set_status(Status::error("it has failed")),
        1 => span.set_status(Status::Ok),
        _ => {}
    }
    match random.below(6) {
        0..2 => span.set_attribute(KeyValue::new(
            "plan",
            random.pick(&["gold", "trial", "free", "free"]),
        )),
        2 => span.set_attribute(KeyValue::new("plan", 7_i64)),
        _ => {}
    }
    match random.below(4) {
        0 => span.set_attribute(KeyValue::new("cart.total", random.below(2_000) as i64 + 1)),
        1 => span.set_attribute(KeyValue::new(
            "cart.total",
            random.pick(&[100_i64, 99, 1_000, 1_001, 500, 5_000]),
        )),
        _ => {}
    }
    match random.below(5) {
        0 => span.set_attribute(KeyValue::new(
            "risk.review",
            random.pick(&[true, false, false]),
        )),
        1 => span.set_attribute(KeyValue::new(
            "tenant.id",
            random.pick(&["globex-eu", "globex-us", "globex-7", "acme", "x-eu"]),
        )),
        _ => {}
    }
}
