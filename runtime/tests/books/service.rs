//! A service that does all that it can do with spans, at random.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use biztrace::Telemetry;
use biztrace::otel::Tracer;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};

use crate::balance::assert_balanced;
use crate::rng::Rng;
use crate::sampling::{Sampling, TENANTS};

/// A span's name says where it belongs.
pub(crate) fn name_of(trace: TraceId, parent: SpanId) -> String {
    format!("{trace}/{parent}")
}

/// In a `Context`: its span was recorded, or a caller's.
#[derive(Debug, Clone, Copy)]
struct Recorded;

/// The service's threads share it.
pub(crate) struct Service<'a> {
    tracer: Tracer,
    sampling: &'a Sampling,
    /// Spans that were started, recorded or refused.
    pub(crate) started: AtomicU64,
    /// Spans that a thread holds at a time.
    most_held: usize,
    /// Spans that one thread hands another.
    shared: [Mutex<Context>; 16],
    begun: AtomicUsize,
    done: AtomicUsize,
}

impl<'a> Service<'a> {
    pub(crate) fn new(telemetry: &Telemetry, sampling: &'a Sampling, most_held: usize) -> Self {
        Self {
            most_held,
            sampling,
            tracer: telemetry.tracer_provider().tracer("service"),
            started: AtomicU64::new(0),
            shared: std::array::from_fn(|_| Mutex::default()),
            begun: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
        }
    }

    /// How many threads have begun.
    pub(crate) fn working(&self) -> usize {
        self.begun.load(Ordering::Acquire)
    }

    /// Whether all that have begun are done.
    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire) == self.working()
    }

    /// One thread's work.
    pub(crate) fn work(&self, telemetry: &Telemetry, mut rng: Rng, operations: usize) {
        /// A thread that panics is done, too.
        struct Done<'a>(&'a AtomicUsize);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Release);
            }
        }
        self.begun.fetch_add(1, Ordering::Release);
        let _done = Done(&self.done);
        let mut held = Vec::new();
        for _ in 0..operations {
            self.operate(telemetry, &mut rng, &mut held);
        }
    }

    fn operate(&self, telemetry: &Telemetry, rng: &mut Rng, held: &mut Vec<Context>) {
        match rng.below(1_000) {
            0..200 => held.push(self.start(&Context::new(), rng)),
            200..250 => held.push(self.start_below_caller(rng)),
            250..450 => {
                if let Some(parent) = choose(held, rng) {
                    held.push(self.start(&parent, rng));
                }
            }
            450..550 => drop(choose(held, rng).map(|parent| self.start(&parent, rng))),
            // A child of another thread's span, which has ended perhaps.
            550..650 => {
                let parent = self.slot(rng).lock().unwrap().clone();
                held.push(self.start(&parent, rng));
            }
            650..750 => {
                if let Some(mine) = held.last_mut() {
                    std::mem::swap(&mut *self.slot(rng).lock().unwrap(), mine);
                }
            }
            750..900 => drop(choose(held, rng).map(|cx| cx.span().end())),
            900..980 => {
                if let Some(cx) = choose(held, rng) {
                    change(&cx, rng);
                }
            }
            980..990 => {
                let mut rng = rng.fork();
                let short = || {
                    let mut own = Vec::new();
                    for _ in 0..20 {
                        self.operate_alone(&mut rng, &mut own);
                    }
                };
                thread::scope(|scope| {
                    scope.spawn(short);
                });
            }
            990..998 => assert_balanced(&telemetry.report()),
            998 => assert_balanced(&telemetry.force_flush_blocking()),
            _ => held.clear(),
        }
        if held.len() > self.most_held {
            let _ = held.swap_remove(rng.below(held.len()));
        }
    }

    /// What a thread does that soon ends, with spans of its own and others'.
    fn operate_alone(&self, rng: &mut Rng, own: &mut Vec<Context>) {
        match rng.below(4) {
            0 => own.push(self.start(&Context::new(), rng)),
            1 => {
                let parent = self.slot(rng).lock().unwrap().clone();
                own.push(self.start(&parent, rng));
            }
            2 => drop(choose(own, rng).map(|cx| cx.span().end())),
            _ => {
                if let Some(mine) = own.last_mut() {
                    std::mem::swap(&mut *self.slot(rng).lock().unwrap(), mine);
                }
            }
        }
    }

    fn start(&self, parent: &Context, rng: &mut Rng) -> Context {
        // Drawn first: the seed decides on what follows, whether the span is recorded or not.
        let ends_at_once = rng.below(8) == 0;
        let above = parent.span().span_context().clone();
        if above.is_valid() && parent.get::<Recorded>().is_none() {
            // Nothing below a span that was refused, or left out, is recorded or counted.
            return Context::new();
        }
        self.started.fetch_add(1, Ordering::Relaxed);
        let name = name_of(above.trace_id(), above.span_id());
        let mut span = self.tracer.start_with_context(name, parent);
        if !above.is_valid() {
            // Whether it is recording or not: it may be recorded, and another thread have begun the shutdown since.
            let trace = span.span_context().trace_id();
            span.update_name(name_of(trace, SpanId::INVALID));
        }
        let is_recorded = span.is_recording();
        if ends_at_once {
            span.end();
        }
        let cx = Context::new().with_span(span);
        if is_recorded {
            cx.with_value(Recorded)
        } else {
            cx
        }
    }

    /// Starts a trace's first span here, below one of a caller.
    fn start_below_caller(&self, rng: &mut Rng) -> Context {
        let is_sampled = rng.below(2) == 0;
        let state = [("", ""), ("ot", "th:c"), ("ot", "th:0")][rng.below(3)];
        let state = Some(state).filter(|(key, _)| !key.is_empty());
        let caller = SpanContext::new(
            TraceId::from(u128::from(rng.next()) << 64 | 1),
            SpanId::from(rng.next() | 1),
            TraceFlags::default().with_sampled(is_sampled),
            true,
            TraceState::from_key_value(state).unwrap(),
        );
        let cx = Context::new().with_remote_span_context(caller);
        if self.sampling.records(is_sampled) {
            return self.start(&cx.with_value(Recorded), rng);
        }
        let span = self.tracer.start_with_context("left out", &cx);
        assert!(!span.is_recording());
        Context::new().with_span(span)
    }

    fn slot(&self, rng: &mut Rng) -> &Mutex<Context> {
        &self.shared[rng.below(self.shared.len())]
    }
}

/// Changes a span, which may have ended.
fn change(cx: &Context, rng: &mut Rng) {
    let span = cx.span();
    match rng.below(8) {
        0 => span.set_status(Status::error("declined")),
        1 => span.set_attribute(KeyValue::new("order.express", rng.below(2) == 0)),
        2 => span.set_attribute(KeyValue::new("order.items", rng.below(1_000) as i64)),
        3 => span.set_attribute(KeyValue::new("tenant.id", rng.one_of(&TENANTS))),
        // Made-up ones.
        4 => span.set_attribute(KeyValue::new("tenant.id", rng.below(10_000) as i64)),
        _ => {
            let note = "x".repeat(rng.below(1_500));
            span.set_attribute(KeyValue::new("order.note", note));
        }
    }
}

fn choose(held: &[Context], rng: &mut Rng) -> Option<Context> {
    let at = rng.below(held.len().max(1));
    held.get(at).cloned()
}
