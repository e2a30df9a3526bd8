//! A flood of the other tenants costs vip no span, at a receiver that takes twice what vip sends. What the flood loses is counted.
//!
//! It goes on for three seconds, or for as many as `TEST_STRESS_SECONDS` says, and until the flood has offered a hundred times its queue. Vip offers a
//! span for two that the receiver has taken, so its rate follows the machine's.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use behaviour::{Fault, Instance, Receiver, Span, assert_balanced, lost, stress_time};
use biztrace::otel::Tracer;
use biztrace::report::{DropReason, Report};
use biztrace::settings::{Keep, Otlp, Sampler, Tenants, Tier};
use opentelemetry::trace::{Span as _, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, Value};

/// Spans of each trace.
const SPANS: u64 = 2;

/// Spans of a request to the receiver.
const BATCH: usize = 64;

/// How long the receiver takes for it.
const DELAY: Duration = Duration::from_millis(20);

/// Spans of vip that may wait: it offers a batch at most at once, and as many are in the chunk being filled.
const VIP_QUEUE: usize = 8 * BATCH;

#[derive(Debug, Clone, Copy)]
struct Flood {
    /// Of the spans of the rest.
    queue: usize,
    /// `Limits::memory`.
    memory: usize,
    /// Bytes of a tag of each span.
    note: usize,
    /// Spans that the rest offers at least, of traces that fail.
    least: u64,
    /// Why it loses spans.
    loss: DropReason,
}

/// The traces that were offered: the id of each is less than its number.
#[derive(Debug, Default)]
struct Offered {
    vip: AtomicU64,
    /// Of the rest, those that fail, which are kept.
    failed: AtomicU64,
    /// Of the rest, those that are not kept.
    ordinary: AtomicU64,
}

/// Records a trace of a tenant, which only its second span names.
fn offer(tracer: &Tracer, tenant: &'static str, id: u64, fails: bool, note: &str) {
    let tags = || {
        let id = i64::try_from(id).unwrap();
        [
            KeyValue::new("load.id", id),
            KeyValue::new("order.note", note.to_owned()),
        ]
    };
    let request = tracer.start_with_context("request", &Context::new());
    let cx = Context::new().with_span(request);
    let mut query = tracer.start_with_context("query", &cx);
    query.set_attributes(tags());
    query.set_attribute(KeyValue::new("tenant.id", tenant));
    if fails {
        query.set_status(Status::error("declined"));
    }
    query.end();
    cx.span().set_attributes(tags());
    cx.span().end();
}

/// What has arrived, each span once.
#[derive(Debug, Default)]
struct Arrived {
    vip: HashSet<(u64, bool)>,
    rest: HashSet<(u64, bool)>,
}

impl Arrived {
    fn add(&mut self, span: &Span) {
        let Some(Value::I64(id)) = span.tag("load.id") else {
            panic!("{span:?} is of no trace");
        };
        let is_vip = span.tag("tenant.id") == Some("acme".into());
        let of = if is_vip {
            &mut self.vip
        } else {
            &mut self.rest
        };
        let key = (u64::try_from(id).unwrap(), span.name == "request");
        assert!(of.insert(key), "{span:?} came twice");
    }
}

fn instance(flood: Flood) -> Instance {
    let receiver = Receiver::new([Fault::Delays(DELAY)]);
    let url = receiver.url();
    let patience = Duration::from_secs(120);
    let settings = Instance::exporting(|builder| {
        builder
            // On a busy machine, too, no request is sent a second time.
            .otlp(Otlp::http(url).timeout(patience))
            .export_timeout(patience)
            .shutdown_timeout(patience)
            .schedule_delay(Duration::from_millis(20))
            .max_export_batch_size(BATCH)
            .limits(move |limits| limits.memory = flood.memory)
            .sampler(Sampler::probability(0.0))
            .keep(Keep::errors())
            .tenants(
                Tenants::from_tag()
                    .tier("vip", Tier::of(["acme"]).rate(1.0).queue(VIP_QUEUE))
                    .tier("default", Tier::rest().rate(0.0).queue(flood.queue)),
            )
    });
    Instance {
        receiver,
        ..settings
    }
}

/// Floods until it is told to stop. Half of the traces fail.
fn overflow(instance: &Instance, note: &str, offered: &Offered, stop: &AtomicBool) {
    let tracer = instance.tracer();
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..100 {
            let ordinary = offered.ordinary.fetch_add(1, Ordering::Relaxed);
            offer(&tracer, "initech", ordinary, false, note);
            let failed = offered.failed.fetch_add(1, Ordering::Relaxed);
            offer(&tracer, "initech", failed, true, note);
        }
        assert_balanced(&instance.telemetry.report());
        thread::sleep(Duration::from_millis(1));
    }
}

/// Has vip offer its traces during the flood, a span for two that arrive. Returns what has arrived.
fn keep_up(instance: &Instance, flood: Flood, note: &str, offered: &Offered) -> Arrived {
    let tracer = instance.tracer();
    let mut arrived = Arrived::default();
    let (start, time) = (Instant::now(), stress_time());
    let is_flooded = || SPANS * offered.failed.load(Ordering::Relaxed) >= flood.least;
    while start.elapsed() < time || !is_flooded() {
        let spans = instance.receiver.take_spans();
        spans.iter().for_each(|span| arrived.add(span));
        // Of what it could not offer while the machine was busy with others, it catches up on a batch.
        let traces = spans.len().min(2 * BATCH) as u64 / 2 / SPANS;
        for _ in 0..traces {
            let id = offered.vip.fetch_add(1, Ordering::Relaxed);
            offer(&tracer, "acme", id, false, note);
        }
        thread::sleep(Duration::from_millis(1));
    }
    arrived
}

/// Everything of vip has arrived, and everything of the rest that has not is counted as a loss of its own.
fn assert_outcome(report: &Report, flood: Flood, offered: &Offered, arrived: &Arrived) {
    let count = |traces: &AtomicU64| SPANS * traces.load(Ordering::Relaxed);
    let (of_vip, failed, ordinary) = (
        count(&offered.vip),
        count(&offered.failed),
        count(&offered.ordinary),
    );
    assert_balanced(report);
    assert_eq!(report.waiting, 0, "{report}");
    assert_eq!(report.recorded, of_vip + failed + ordinary, "{report}");
    let [vip, rest] = &*report.tiers else {
        panic!("{report}")
    };
    assert!(of_vip > 0, "the receiver has taken something");
    let kept = (vip.kept, vip.delivered, vip.dropped.total());
    assert_eq!(kept, (of_vip, of_vip, 0), "{report}");
    assert_eq!(arrived.vip.len() as u64, of_vip, "{report}");

    assert_eq!(rest.kept, failed, "{report}");
    assert_eq!(rest.dropped.get(DropReason::SampledOut), ordinary);
    assert_eq!(arrived.rest.len() as u64, rest.delivered, "{report}");
    let of_queue = [DropReason::QueueFull, DropReason::MemoryLimit];
    let of_queue: u64 = of_queue.iter().map(|why| rest.dropped.get(*why)).sum();
    assert_eq!(lost(&rest.dropped), of_queue, "{report}");
    assert_eq!(report.dropped, rest.dropped, "all losses have a tier");
    assert!(rest.dropped.get(flood.loss) > 0, "{report}");
}

fn run(flood: Flood) {
    let instance = instance(flood);
    let note = "x".repeat(flood.note);
    let (offered, stop) = (Offered::default(), AtomicBool::new(false));
    let mut arrived = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| overflow(&instance, &note, &offered, &stop));
        }
        /// Also if this thread panics.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _stop = Stop(&stop);
        keep_up(&instance, flood, &note, &offered)
    });
    let report = instance.telemetry.shutdown_blocking();
    let last = instance.receiver.take_spans();
    last.iter().for_each(|span| arrived.add(span));
    println!("{report}");
    assert_outcome(&report, flood, &offered, &arrived);
}

#[test]
fn vip_loses_nothing_while_the_rest_offers_a_hundred_times_its_queue() {
    run(Flood {
        queue: 256,
        memory: 256 << 20,
        note: 100,
        least: 100 * 256,
        loss: DropReason::QueueFull,
    });
}

/// The reserves are 1.5 MiB each, and the rest would fill all memory.
#[test]
fn vip_loses_nothing_while_the_rest_fills_the_memory() {
    run(Flood {
        queue: 1_000_000,
        memory: 8 << 20,
        note: 2_000,
        least: 10 * (8 << 20) / 2_000,
        loss: DropReason::MemoryLimit,
    });
}
