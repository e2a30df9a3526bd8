//! A service that does all that it can do with spans, at random.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use biztrace::Telemetry;
use biztrace::otel::Tracer;
use opentelemetry::trace::{
    Span as _, SpanId, TraceContextExt as _, TraceId, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};

use crate::assert_balanced;

/// SplitMix64: the same numbers for the same seed, anywhere.
#[derive(Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// A span's name says where it belongs.
pub(crate) fn name_of(trace: TraceId, parent: SpanId) -> String {
    format!("{trace}/{parent}")
}

/// The service's threads share it.
pub(crate) struct Service {
    tracer: Tracer,
    /// Spans that were started, recorded or not.
    pub(crate) started: AtomicU64,
    /// Spans that a thread holds at a time.
    most_held: usize,
    /// Spans that one thread hands another.
    shared: [Mutex<Context>; 16],
    begun: AtomicUsize,
    done: AtomicUsize,
}

impl Service {
    pub(crate) fn new(telemetry: &Telemetry, most_held: usize) -> Self {
        Self {
            most_held,
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
            0..250 => held.push(self.start(&Context::new(), rng)),
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
                    let note = "x".repeat(rng.below(1_500));
                    cx.span().set_attribute(KeyValue::new("order.note", note));
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
        if above.is_valid() && !above.is_sampled() {
            // Nothing below a span that was refused is recorded, or counted.
            return Context::new();
        }
        self.started.fetch_add(1, Ordering::Relaxed);
        let name = name_of(above.trace_id(), above.span_id());
        let mut span = self.tracer.start_with_context(name, parent);
        if !above.is_valid() {
            // Not asked whether it is recording: it may be recorded, and another thread have begun the shutdown since.
            let trace = span.span_context().trace_id();
            span.update_name(name_of(trace, SpanId::INVALID));
        }
        if ends_at_once {
            span.end();
        }
        Context::new().with_span(span)
    }

    fn slot(&self, rng: &mut Rng) -> &Mutex<Context> {
        &self.shared[rng.below(self.shared.len())]
    }
}

fn choose(held: &[Context], rng: &mut Rng) -> Option<Context> {
    let at = rng.below(held.len().max(1));
    held.get(at).cloned()
}
