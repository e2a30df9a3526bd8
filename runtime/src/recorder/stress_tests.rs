//! Threads that start, fail and end spans of shared traces at random, while another one sweeps, flushes and shuts down.
//!
//! A round is made from its seed alone; the threads' interleaving is the machine's. What must be true of each interleaving is checked
//! when the round is over: from what the threads know of their spans, and from what has arrived.
//!
//! It runs 400 rounds, or for so many seconds as `TEST_STRESS_SECONDS` says.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{fmt, thread};

use opentelemetry::trace::{SpanContext, SpanKind, Status};
use opentelemetry_proto::tonic::trace::v1::Span as Otlp;

use super::tests::doubles::{Received, number, text};
use super::{LocalSpan, Mode, Recorder, Start, Started, Waiting};
use crate::config::Limits;
use crate::sampling::{Decision, Keep, NewTrace, Plan, Sample, Sampler};
use crate::semconv::Outcome;

const THREADS: u64 = 3;
const OPERATIONS: usize = 150;

/// Numbers that follow from a seed (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Keeps one trace in four, by its id.
#[derive(Debug)]
struct Quarter;

impl Quarter {
    fn keeps(trace_id: &[u8]) -> bool {
        trace_id[15].is_multiple_of(4)
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("quarter")
    }
}

impl Sample for Quarter {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        Decision::new(Self::keeps(&trace.id.to_bytes()), Some("head"))
    }
}

/// What a thread knows of a span that it has ended.
struct Told {
    context: SpanContext,
    has_failed: bool,
    /// Numbers of this round's calls: one before the span was ended, and one after.
    ended: (usize, usize),
}

/// What the threads share.
struct Round {
    recorder: Arc<Recorder>,
    sink: Arc<Received>,
    /// Spans that are open. The thread that takes one ends it.
    open: Mutex<Vec<LocalSpan>>,
    /// Spans that were open, and may get children.
    parents: Mutex<Vec<LocalSpan>>,
    told: Mutex<Vec<Told>>,
    calls: AtomicUsize,
}

impl Round {
    fn new(random: &mut Random) -> Self {
        let limits = Limits {
            hold: random.one_of(&[
                Duration::ZERO,
                Duration::from_micros(50),
                Limits::default().hold,
            ]),
            spans_per_trace: random.one_of(&[3, 16, Limits::default().spans_per_trace]),
            memory: random.one_of(&[64 * 1024, Limits::default().memory]),
            ..Limits::default()
        };
        let plan = Plan::new(Sampler::of(Quarter), &[], Some(&Keep::errors()), None);
        let sink = Arc::new(Received::default());
        let recorder = Recorder::for_tests(Mode::Record, limits, sink.clone()).with_plan(plan);
        Self {
            recorder: Arc::new(recorder),
            sink,
            open: Mutex::default(),
            parents: Mutex::default(),
            told: Mutex::default(),
            calls: AtomicUsize::new(0),
        }
    }

    /// What a thread of the application does.
    fn run(&self, mut random: Random) {
        for _ in 0..OPERATIONS {
            match random.below(10) {
                0 => self.started(self.recorder.start(None, start())),
                1..5 => {
                    let parents = self.parents.lock().unwrap();
                    // Mostly one of the last few: traces end, and go on.
                    let last = parents.len().min(random.one_of(&[4, 4, 4, 64]));
                    let parent =
                        (last > 0).then(|| &parents[parents.len() - 1 - random.below(last)]);
                    let parent = parent.cloned();
                    drop(parents);
                    if let Some(parent) = parent {
                        self.started(parent.start_child(start()));
                    }
                }
                _ => {
                    let mut open = self.open.lock().unwrap();
                    let nth = random.below(open.len().max(1));
                    let taken = (!open.is_empty()).then(|| open.swap_remove(nth));
                    drop(open);
                    if let Some(span) = taken {
                        self.end(span, random.below(16) == 0);
                    }
                }
            }
        }
    }

    fn started(&self, started: Started) {
        let Started::Recording(span) = started else {
            return;
        };
        self.parents.lock().unwrap().push(span.clone());
        self.open.lock().unwrap().push(span);
    }

    fn end(&self, span: LocalSpan, has_failed: bool) {
        if has_failed {
            span.set_status(Status::error(""));
        }
        let call = || self.calls.fetch_add(1, Ordering::SeqCst);
        let before = call();
        if span.end_with(Outcome::Ok) {
            span.give_cell_back();
        }
        let ended = (before, call());
        // Only the first end counts.
        assert!(!span.end_with(Outcome::Panicked));
        self.told.lock().unwrap().push(Told {
            context: span.context(),
            has_failed,
            ended,
        });
    }

    /// What the export thread does.
    fn sweep(&self, is_over: &AtomicBool) {
        while !is_over.load(Ordering::Relaxed) {
            self.recorder.hand_over(Waiting::Overdue, usize::MAX);
            self.recorder.hand_over(Waiting::Decided, 8);
            thread::yield_now();
        }
    }

    fn check(&self) {
        let told = self.told.lock().unwrap();
        let spans = self.sink.spans();
        let [recorded, arrived, dropped] = self.sink.counts();
        assert_eq!(recorded, told.len(), "recorded");
        assert_eq!(arrived + dropped, recorded, "delivered or counted");
        let by_id: HashMap<_, _> = spans.iter().map(|span| (&*span.span_id, span)).collect();
        assert_eq!(by_id.len(), arrived, "each once");
        let mut traces: HashMap<_, Vec<_>> = HashMap::new();
        for told in told.iter() {
            let id = told.context.span_id().to_bytes();
            let spans = traces.entry(told.context.trace_id()).or_default();
            spans.push((told, by_id.get(&id[..]).copied()));
        }
        for (id, spans) in traces {
            check_trace(Quarter::keeps(&id.to_bytes()), &spans);
        }
    }
}

fn start() -> Start<'static> {
    Start::now("span", SpanKind::Internal)
}

/// Its verdict is one on all spans, but that a span which fails later brings back what follows.
fn check_trace(head_keeps: bool, spans: &[(&Told, Option<&Otlp>)]) {
    let arrived = || spans.iter().filter_map(|(_, arrived)| *arrived);
    for (told, arrived) in spans {
        assert!(arrived.is_some() || !told.has_failed, "an error is lost");
        assert_eq!(told.context.is_sampled(), head_keeps, "what leaves");
    }
    let is_upgrade = |span: &Otlp| text(span, "sampling.reason") == Some("late_error");
    let upgrades = || {
        let failed = spans.iter().filter(|(told, _)| told.has_failed);
        failed.filter(|(_, arrived)| arrived.is_some_and(is_upgrade))
    };
    for first in arrived().filter(|span| span.parent_span_id.is_empty()) {
        let count = number(first, "sampling.adjusted_count");
        let upgraded = is_upgrade(first).then_some(0.0);
        let expected = upgraded.or((!head_keeps || count.is_some()).then_some(1.0));
        assert_eq!(count, expected, "weight");
    }
    if upgrades().next().is_none() {
        let is_kept = head_keeps || spans.iter().any(|(told, _)| told.has_failed);
        let expected = if is_kept { spans.len() } else { 0 };
        assert_eq!(arrived().count(), expected, "verdicts are mixed");
        return;
    }
    assert!(!head_keeps, "a kept trace is not brought back");
    let since = upgrades().map(|(told, _)| told.ended.1).min();
    let later = spans.iter().filter(|(told, _)| Some(told.ended.0) > since);
    for (_, arrived) in later {
        assert!(arrived.is_some(), "what follows an error is lost");
    }
}

fn run(seed: u64) {
    let mut random = Random(seed);
    let round = Round::new(&mut random);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let sweeper = scope.spawn(|| round.sweep(&is_over));
        let threads = (0..THREADS).map(|nth| {
            let random = Random(seed.wrapping_add(nth << 32));
            let round = &round;
            scope.spawn(move || round.run(random))
        });
        let threads: Vec<_> = threads.collect();
        // A shutdown takes what waits, while spans still end.
        if random.below(2) == 0 {
            thread::yield_now();
            round.recorder.close();
            round.recorder.hand_over(Waiting::All, usize::MAX);
        }
        threads.into_iter().for_each(|it| it.join().unwrap());
        is_over.store(true, Ordering::Relaxed);
        sweeper.join().unwrap();
    });
    for span in round.open.lock().unwrap().drain(..) {
        round.end(span, random.below(16) == 0);
    }
    round.recorder.hand_over(Waiting::All, usize::MAX);
    round.check();
}

/// Prints the seed that fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("seed {}", self.0);
        }
    }
}

#[test]
fn any_interleaving_delivers_or_counts_each_span_once() {
    let seconds = std::env::var("TEST_STRESS_SECONDS").ok();
    let seconds = seconds.map(|seconds| seconds.parse().expect("a number of seconds"));
    let began = Instant::now();
    let mut rounds = 0;
    while match seconds {
        Some(seconds) => began.elapsed() < Duration::from_secs(seconds),
        None => rounds < 400,
    } {
        let seed = Seed(rounds);
        run(seed.0);
        rounds += 1;
    }
    println!("{rounds} rounds");
}
