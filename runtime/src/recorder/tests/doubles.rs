//! What the tests put in place of the pipeline, the time, the ids and the sampler.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span as Otlp};
use opentelemetry_sdk::trace::{IdGenerator, SamplingDecision};
use prost::Message;

use super::super::clock::Clock;
use super::super::{EncodedSpans, Refusal, Sink};
use crate::sampling::TierId;
use crate::sampling::{Decision, NewTrace, RecordedTrace, Sample};

/// Keeps what is handed over.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// An item for each call.
    handed_over: Mutex<Vec<EncodedSpans>>,
    recorded: AtomicUsize,
    dropped: AtomicUsize,
    refused: AtomicUsize,
}

impl Received {
    /// The number of spans that were handed over.
    pub(crate) fn number(&self) -> usize {
        let handed_over = self.handed_over.lock().unwrap();
        handed_over.iter().map(EncodedSpans::spans).sum()
    }

    /// What each call handed over.
    pub(crate) fn traces(&self) -> Vec<Vec<Otlp>> {
        let handed_over = self.handed_over.lock().unwrap();
        let spans = |trace| decode(trace).flat_map(|run| run.spans).collect();
        handed_over.iter().map(spans).collect()
    }

    pub(crate) fn spans(&self) -> Vec<Otlp> {
        self.traces().into_iter().flatten().collect()
    }

    /// The runs of spans, each with the name of its scope, its schema URL and its length.
    pub(crate) fn runs(&self) -> Vec<(String, String, usize)> {
        let handed_over = self.handed_over.lock().unwrap();
        let runs = handed_over.iter().flat_map(decode);
        runs.map(|run| {
            let spans = run.spans.len();
            (run.scope.unwrap().name, run.schema_url, spans)
        })
        .collect()
    }

    /// The numbers of spans that were recorded, handed over and dropped.
    pub(crate) fn counts(&self) -> [usize; 3] {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        [count(&self.recorded), self.number(), count(&self.dropped)]
    }

    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }
}

fn decode(spans: &EncodedSpans) -> impl Iterator<Item = ScopeSpans> {
    spans.iter().map(|(run, bytes)| {
        let decoded = ScopeSpans::decode(&*[run.scope.fields(), bytes].concat()).unwrap();
        assert_eq!(decoded.spans.len(), run.spans);
        decoded
    })
}

fn value<'s>(span: &'s Otlp, key: &str) -> Option<&'s Value> {
    let found = span.attributes.iter().find(|it| it.key == key)?;
    found.value.as_ref()?.value.as_ref()
}

/// The value of an attribute that is a string.
pub(crate) fn text<'s>(span: &'s Otlp, key: &str) -> Option<&'s str> {
    match value(span, key)? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// The value of an attribute that is a number.
pub(crate) fn number(span: &Otlp, key: &str) -> Option<f64> {
    match value(span, key)? {
        Value::DoubleValue(number) => Some(*number),
        _ => None,
    }
}

impl Sink for Received {
    fn ended(&self) {
        self.recorded.fetch_add(1, Ordering::Relaxed);
    }

    fn kept(&self, spans: &EncodedSpans, new: u64, _: Option<TierId>) {
        self.recorded.fetch_add(new as usize, Ordering::Relaxed);
        let mut copy = EncodedSpans::default();
        copy.append(spans);
        self.handed_over.lock().unwrap().push(copy);
    }

    fn dropped(&self, spans: u64, _: Option<TierId>) {
        self.dropped.fetch_add(spans as usize, Ordering::Relaxed);
    }

    fn refused(&self, _: Refusal) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// A clock that only the test moves.
#[derive(Debug, Clone)]
pub(crate) struct SimulatedClock(Arc<Mutex<(SystemTime, Instant)>>);

impl SimulatedClock {
    pub(crate) fn at(time_of_day: SystemTime) -> Self {
        Self(Arc::new(Mutex::new((time_of_day, Instant::now()))))
    }

    pub(crate) fn pass(&self, time: Duration) {
        let mut now = self.0.lock().unwrap();
        now.0 += time;
        now.1 += time;
    }

    /// Sets the time of day back.
    pub(crate) fn set_back(&self, time: Duration) {
        self.0.lock().unwrap().0 -= time;
    }
}

impl Clock for SimulatedClock {
    fn wall(&self) -> SystemTime {
        self.0.lock().unwrap().0
    }

    fn monotonic(&self) -> Instant {
        self.0.lock().unwrap().1
    }
}

/// Counts through all tests: the process's spans are found by their ids.
#[derive(Debug)]
pub(crate) struct CountedIds;

impl IdGenerator for CountedIds {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(u128::from(u64::from_be_bytes(
            self.new_span_id().to_bytes(),
        )))
    }

    fn new_span_id(&self) -> SpanId {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        SpanId::from(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Records each trace, and decides when it is asked for the verdict.
#[derive(Debug, Clone)]
pub(crate) struct DecidesLate {
    /// Every so-many-th trace is kept; none if this is 0.
    every: usize,
    asked: Arc<AtomicUsize>,
}

impl DecidesLate {
    pub(crate) fn keeping(every: usize) -> Self {
        Self {
            every,
            asked: Arc::default(),
        }
    }

    /// How often it was asked for a verdict.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Keeps one of the traces, by the order in which they start.
#[derive(Debug)]
pub(crate) struct KeepsOne {
    kept: usize,
    next: AtomicUsize,
}

impl KeepsOne {
    pub(crate) fn new(kept: usize) -> Self {
        Self {
            kept,
            next: AtomicUsize::new(0),
        }
    }
}

impl fmt::Display for KeepsOne {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keeps one")
    }
}

impl Sample for KeepsOne {
    fn sample(&self, _: &NewTrace<'_>) -> Decision {
        let is_kept = self.next.fetch_add(1, Ordering::Relaxed) == self.kept;
        Decision::new(is_kept, Some("head"))
    }
}

pub(crate) fn decision(decision: SamplingDecision, reason: &'static str) -> Decision {
    Decision {
        decision,
        ..Decision::new(false, Some(reason))
    }
}

impl fmt::Display for DecidesLate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("decides late")
    }
}

impl Sample for DecidesLate {
    fn sample(&self, _: &NewTrace<'_>) -> Decision {
        decision(SamplingDecision::RecordOnly, "head")
    }

    fn verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
        assert_eq!(trace.head.reason, Some("head"));
        let asked = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let is_kept = self.every > 0 && asked.is_multiple_of(self.every);
        let what = match is_kept {
            true => SamplingDecision::RecordAndSample,
            false => SamplingDecision::Drop,
        };
        decision(what, "verdict")
    }
}
