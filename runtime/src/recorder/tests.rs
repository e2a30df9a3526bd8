//! What comes out of the recorder, decoded with prost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt,
    TraceFlags, TraceId, TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Span as Otlp};
use opentelemetry_sdk::trace::IdGenerator;
use proptest::prelude::*;
use prost::Message;

use super::clock::Clock;
use super::outcome::Outcome;
use super::span;
use super::{
    Current, EncodedSpans, HeadCopy, LocalSpan, MemoryBudget, Mode, Recorder, Refusal, RunScope,
    Sink, Start, Started, Tracer, TracerProvider, Waiting,
};
use crate::config::{Limits, Settings};
use crate::propagation::Propagators;
use crate::sampling::Sampler;

/// Keeps each trace as it is handed over.
#[derive(Debug, Default)]
struct Handed {
    traces: Mutex<Vec<Vec<Otlp>>>,
    /// The runs of spans, each with the name of its scope and its schema URL.
    runs: Mutex<Vec<(String, String, usize)>>,
    refused: Mutex<usize>,
    dropped: Mutex<u64>,
}

impl Handed {
    /// The number of spans that were handed over.
    fn spans(&self) -> usize {
        self.traces.lock().unwrap().iter().map(Vec::len).sum()
    }
}

impl Sink for Handed {
    fn ended(&self) {}

    fn kept(&self, spans: &EncodedSpans, _: u64) {
        let mut decoded_spans = Vec::new();
        for (run, bytes) in spans.iter() {
            let decoded = ScopeSpans::decode(&*[run.scope.fields(), bytes].concat()).unwrap();
            assert_eq!(decoded.spans.len(), run.spans);
            let scope = decoded.scope.unwrap().name;
            self.runs
                .lock()
                .unwrap()
                .push((scope, decoded.schema_url, run.spans));
            decoded_spans.extend(decoded.spans);
        }
        self.traces.lock().unwrap().push(decoded_spans);
    }

    fn dropped(&self, spans: u64) {
        *self.dropped.lock().unwrap() += spans;
    }

    fn refused(&self, _: Refusal) {
        *self.refused.lock().unwrap() += 1;
    }
}

/// Takes what is handed over nowhere.
#[derive(Debug)]
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    fn ended(&self) {}
    fn kept(&self, _: &EncodedSpans, _: u64) {}
    fn dropped(&self, _: u64) {}
    fn refused(&self, _: Refusal) {}
}

impl Recorder {
    /// Records every trace, with a memory of its own.
    pub(crate) fn for_tests(mode: Mode, limits: Limits, sink: Arc<dyn Sink>) -> Self {
        let memory = Arc::new(MemoryBudget::new(limits.memory));
        Self::with_memory(mode, limits, memory, sink)
    }

    /// The same over a memory in which others count, too.
    pub(crate) fn with_memory(
        mode: Mode,
        limits: Limits,
        memory: Arc<MemoryBudget>,
        sink: Arc<dyn Sink>,
    ) -> Self {
        let mut settings = Settings::default();
        settings.limits.change(|own| *own = limits);
        let propagators = Propagators::new(settings.propagators.value.clone(), Vec::new());
        settings.sampler.set(Sampler::always_on());
        Self::new(mode, settings, propagators, memory, sink)
    }
}

fn recorder(limits: Limits) -> (Tracer, Arc<Handed>) {
    let (recorder, sink) = recording(limits);
    (TracerProvider::new(recorder).tracer("test"), sink)
}

fn recording(limits: Limits) -> (Arc<Recorder>, Arc<Handed>) {
    let sink = Arc::new(Handed::default());
    let recorder = Recorder::for_tests(Mode::Record, limits, Arc::clone(&sink) as Arc<dyn Sink>);
    (Arc::new(recorder), sink)
}

/// Ends a span of which handles stay.
fn end(span: &LocalSpan) {
    if span::end(span, Outcome::Ok) {
        span.give_cell_back();
    }
}

/// The one span that `record` makes.
fn recorded(limits: Limits, record: impl FnOnce(&mut super::Span)) -> Otlp {
    let (tracer, sink) = recorder(limits);
    let mut span = tracer.start("span");
    record(&mut span);
    span.end();
    let mut traces = sink.traces.lock().unwrap();
    assert_eq!((traces.len(), traces[0].len()), (1, 1));
    let mut span = traces.remove(0).remove(0);
    span.attributes
        .retain(|attribute| !attribute.key.starts_with("sampling."));
    span
}

fn attributes(span: &Otlp) -> Vec<(&str, &AnyValue)> {
    span.attributes
        .iter()
        .map(|attribute| {
            let value = attribute
                .value
                .as_ref()
                .and_then(|value| value.value.as_ref());
            (
                attribute.key.as_str(),
                value.expect("each attribute has a value"),
            )
        })
        .collect()
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        prop::collection::vec(any::<bool>(), 0..5).prop_map(|v| Value::Array(Array::Bool(v))),
        prop::collection::vec(any::<i64>(), 0..5).prop_map(|v| Value::Array(Array::I64(v))),
        prop::collection::vec(any::<f64>(), 0..5).prop_map(|v| Value::Array(Array::F64(v))),
        prop::collection::vec(".*", 0..5).prop_map(|v| Value::Array(Array::String(
            v.into_iter().map(StringValue::from).collect()
        ))),
    ]
}

/// The value as OpenTelemetry's own encoder has it, as bytes so that NaN equals itself.
fn oracle(value: &Value) -> Vec<u8> {
    opentelemetry_proto::tonic::common::v1::AnyValue::from(value.clone()).encode_to_vec()
}

proptest! {
    /// Few keys, so that most are set again and dead bytes are squeezed out on the way.
    #[test]
    fn any_key_and_value_round_trips_and_the_last_value_wins(
        sets in prop::collection::vec(("[a-c]{1,2}|.{0,40}", any_value()), 0..60),
        long in prop::collection::vec(("[a-b]", "x{900,1100}"), 0..20),
    ) {
        let long = long.into_iter().map(|(key, value)| (key, Value::from(value)));
        let sets: Vec<_> = sets.into_iter().chain(long).collect();
        let span = recorded(Limits::default(), |span| {
            for (key, value) in &sets {
                span.set_attribute(KeyValue::new(key.clone(), value.clone()));
            }
        });
        let mut expected: Vec<(String, Vec<u8>)> = Vec::new();
        for (key, value) in &sets {
            expected.retain(|(other, _)| other != key);
            expected.push((key.clone(), oracle(value)));
        }
        let got: Vec<_> = span.attributes.iter()
            .map(|attribute| (attribute.key.clone(), attribute.value.clone().unwrap_or_default().encode_to_vec()))
            .collect();
        prop_assert_eq!(got, expected);
        prop_assert_eq!(span.dropped_attributes_count, 0);
    }
}

#[test]
fn a_span_carries_what_its_builder_was_given() {
    let (tracer, sink) = recorder(Limits::default());
    let linked = SpanContext::new(
        TraceId::from(7),
        SpanId::from(8),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("a", "b")]).unwrap(),
    );
    let start = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000);
    let mut builder = SpanBuilder::from_name("send")
        .with_kind(SpanKind::Producer)
        .with_start_time(start)
        .with_attributes([KeyValue::new("a", 1)])
        .with_links(vec![Link::new(linked, vec![KeyValue::new("l", true)], 3)]);
    builder.events = Some(vec![opentelemetry::trace::Event::new(
        "e",
        start,
        vec![KeyValue::new("n", 1.5)],
        2,
    )]);
    tracer
        .build_with_context(builder, &Context::new())
        .end_with_timestamp(start + Duration::from_nanos(5));

    let span = &sink.traces.lock().unwrap()[0][0];
    assert_eq!((span.name.as_str(), span.kind), ("send", 4));
    assert_eq!(span.start_time_unix_nano, 1_000_000_000_000_000);
    assert_eq!(span.end_time_unix_nano, 1_000_000_000_000_005);
    assert_eq!(
        attributes(span).last().unwrap(),
        &("a", &AnyValue::IntValue(1))
    );
    let event = &span.events[0];
    assert_eq!(
        (event.name.as_str(), event.time_unix_nano),
        ("e", span.start_time_unix_nano)
    );
    assert_eq!(
        (event.attributes.len(), event.dropped_attributes_count),
        (1, 2)
    );
    let link = &span.links[0];
    assert_eq!(link.trace_id, TraceId::from(7).to_bytes());
    assert_eq!(link.span_id, SpanId::from(8).to_bytes());
    assert_eq!(
        (
            link.trace_state.as_str(),
            link.flags,
            link.dropped_attributes_count
        ),
        ("a=b", 0x301, 3)
    );
    assert_eq!((span.flags, span.parent_span_id.len()), (0x103, 0));
}

#[test]
fn limits_are_kept_and_what_is_over_them_is_counted() {
    let limits = Limits {
        attributes: 2,
        attribute_value_length: Some(3),
        events: 1,
        links: 1,
        event_attributes: 1,
        link_attributes: 0,
        ..Limits::default()
    };
    let span = recorded(limits, |span| {
        span.set_attribute(KeyValue::new("a", "äöüß"));
        span.set_attribute(KeyValue::new(
            "b",
            Value::Array(vec![StringValue::from("12345"), "x".into()].into()),
        ));
        span.set_attribute(KeyValue::new("c", 1));
        span.set_attribute(KeyValue::new("a", "again"));
        for name in ["first", "second", "third"] {
            span.add_event(name, vec![KeyValue::new("x", 1), KeyValue::new("y", 2)]);
            let to = SpanContext::new(
                TraceId::from(1),
                SpanId::from(1),
                TraceFlags::default(),
                false,
                TraceState::NONE,
            );
            span.add_link(to, vec![KeyValue::new("x", 1)]);
        }
    });
    let attributes = attributes(&span);
    assert_eq!(
        attributes.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
        ["b", "a"]
    );
    assert_eq!(
        attributes[1].1,
        &AnyValue::StringValue("aga".into()),
        "an earlier key may be set again"
    );
    let AnyValue::ArrayValue(array) = attributes[0].1 else {
        panic!("{:?}", attributes[0])
    };
    assert_eq!(
        array.values[0].value,
        Some(AnyValue::StringValue("123".into()))
    );
    assert_eq!(span.dropped_attributes_count, 1);
    assert_eq!((span.events.len(), span.dropped_events_count), (1, 2));
    assert_eq!(
        (
            span.events[0].attributes.len(),
            span.events[0].dropped_attributes_count
        ),
        (1, 1)
    );
    assert_eq!((span.links.len(), span.dropped_links_count), (1, 2));
    assert_eq!(
        (
            span.links[0].attributes.len(),
            span.links[0].dropped_attributes_count
        ),
        (0, 1)
    );
}

#[test]
fn a_trace_takes_no_more_bytes_than_it_may() {
    let limits = Limits {
        bytes_per_trace: 1000,
        ..Limits::default()
    };
    let span = recorded(limits.clone(), |span| {
        span.set_attribute(KeyValue::new("fits", "x".repeat(500)));
        span.set_attribute(KeyValue::new("second", "x".repeat(500)));
        span.set_attribute(KeyValue::new("huge", "x".repeat(5000)));
        span.add_event("x".repeat(600), vec![]);
        span.set_attribute(KeyValue::new("small", 1));
    });
    assert_eq!(
        attributes(&span)
            .iter()
            .map(|(key, _)| *key)
            .collect::<Vec<_>>(),
        ["fits", "small"]
    );
    assert_eq!(
        (span.dropped_attributes_count, span.dropped_events_count),
        (2, 1)
    );

    let span = recorded(limits, |span| {
        for i in 0..100_000 {
            span.set_attribute(KeyValue::new("progress", i));
        }
    });
    assert_eq!(
        attributes(&span),
        [("progress", &AnyValue::IntValue(99_999))]
    );
    assert_eq!(
        span.dropped_attributes_count, 0,
        "a value that is replaced gives its room back"
    );
}

#[test]
fn trace_has_no_more_open_spans_than_it_may() {
    let (tracer, sink) = recorder(Limits {
        spans_per_trace: 3,
        ..Limits::default()
    });
    let root = tracer.start_with_context("root", &Context::new());
    let cx = Context::new().with_span(root);
    let children: Vec<_> = (0..5)
        .map(|_| tracer.start_with_context("child", &cx))
        .collect();
    assert_eq!(
        children.iter().filter(|child| child.is_recording()).count(),
        2
    );
    let trace_id = cx.span().span_context().trace_id();
    assert!(
        children
            .iter()
            .all(|child| child.span_context().trace_id() == trace_id)
    );
    drop(children);
    drop(cx);
    assert_eq!(sink.spans(), 3);
    assert_eq!(*sink.refused.lock().unwrap(), 3);
}

#[test]
fn ended_spans_keep_no_span_from_being_recorded() {
    let (tracer, sink) = recorder(Limits {
        spans_per_trace: 4,
        ..Limits::default()
    });
    let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    let open = tracer.start_with_context("open", &root);
    for _ in 0..1_000 {
        assert!(tracer.start_with_context("child", &root).is_recording());
    }
    drop((open, root));
    assert_eq!((sink.spans(), *sink.refused.lock().unwrap()), (1_002, 0));
}

/// Time and ids of a test's own.
#[derive(Debug, Clone, Default)]
struct Simulated {
    elapsed: Arc<Mutex<Duration>>,
    ids: Arc<AtomicU64>,
}

impl Simulated {
    fn pass(&self, time: Duration) {
        *self.elapsed.lock().unwrap() += time;
    }
}

impl Clock for Simulated {
    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + *self.elapsed.lock().unwrap()
    }

    fn monotonic(&self) -> Instant {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        *START + *self.elapsed.lock().unwrap()
    }
}

impl IdGenerator for Simulated {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(u128::from(self.ids.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn new_span_id(&self) -> SpanId {
        SpanId::from(self.ids.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

#[test]
fn ended_spans_wait_by_the_clock_of_the_recorder() {
    let (sink, simulated) = (Arc::<Handed>::default(), Simulated::default());
    let limits = Limits::default();
    let hold = limits.hold;
    let recorder = Recorder::for_tests(Mode::Record, limits, sink.clone());
    let recorder = recorder
        .with_clock(simulated.clone())
        .with_ids(Box::new(simulated.clone()));
    let recorder = Arc::new(recorder);
    let tracer = TracerProvider::new(Arc::clone(&recorder)).tracer("test");
    simulated.pass(Duration::from_secs(1));
    let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    simulated.pass(Duration::from_secs(1));
    drop(tracer.start_with_context("child", &root));
    simulated.pass(hold - Duration::from_nanos(1));
    recorder.hand_over(Waiting::Overdue, usize::MAX);
    assert_eq!(sink.spans(), 0, "it has not waited long enough");
    simulated.pass(Duration::from_nanos(1));
    recorder.hand_over(Waiting::Overdue, usize::MAX);
    let child = sink.traces.lock().unwrap().remove(0).remove(0);
    let second = 1_000_000_000;
    assert_eq!(
        (child.start_time_unix_nano, child.end_time_unix_nano),
        (2 * second, 2 * second)
    );
    assert_eq!(child.trace_id, TraceId::from(1).to_bytes());
    assert_eq!(child.parent_span_id, SpanId::from(2).to_bytes());
    assert_eq!(child.span_id, SpanId::from(3).to_bytes());
}

#[test]
fn given_end_times_do_not_hold_a_trace_back() {
    let hold = Duration::ZERO;
    let (tracer, sink) = recorder(Limits {
        hold,
        ..Limits::default()
    });
    let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    // By the clock of a device that is a day ahead.
    let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
    tracer
        .start_with_context("child", &root)
        .end_with_timestamp(tomorrow);
    drop(tracer.start_with_context("child", &root));
    assert_eq!(sink.spans(), 2, "each is handed over at once");
}

#[test]
fn kept_handles_hold_no_memory() {
    let limits = Limits {
        memory: 16 << 20,
        ..Limits::default()
    };
    let (tracer, sink) = recorder(limits);
    // Sessions that keep the context of their request.
    let kept: Vec<Context> = (0..20_000)
        .map(|_| {
            let cx = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
            drop(tracer.start_with_context("child", &cx));
            cx.span().end();
            cx
        })
        .collect();
    assert_eq!((sink.spans(), *sink.refused.lock().unwrap()), (40_000, 0));
    // Late children find their trace, each in buffers of its own.
    let late: Vec<_> = kept
        .iter()
        .take(100)
        .map(|cx| (cx, tracer.start_with_context("late", cx)))
        .collect();
    for (cx, late) in &late {
        assert!(late.is_recording());
        let (parent, child) = (cx.span().span_context().trace_id(), late.span_context());
        assert_eq!(child.trace_id(), parent);
    }
    drop(late);
    assert_eq!(sink.spans(), 40_100);
}

#[test]
fn heads_of_ended_requests_hold_no_memory() {
    let limits = Limits {
        memory: 4 << 20,
        ..Limits::default()
    };
    let (recorder, sink) = recording(limits);
    let start = || Start::now("job", SpanKind::Internal);
    let Started::Recording(job) = recorder.start(None, start()) else {
        panic!("the job is recorded")
    };
    let head = "x".repeat(4_000);
    let copy = |to: &mut HeadCopy| to.fill("", [("name", head.as_bytes())].into_iter());
    for _ in 0..5_000 {
        let request = Start {
            head: Some(&copy),
            ..Start::now("request", SpanKind::Server)
        };
        let Started::Recording(request) = job.clone().start_child(request) else {
            panic!("the request is recorded")
        };
        end(&request);
    }
    end(&job);
    assert_eq!(sink.spans(), 5_001);
}

#[test]
fn copies_of_heads_take_a_quarter_of_the_memory_and_cost_no_span() {
    let limits = Limits {
        memory: 16 << 20,
        ..Limits::default()
    };
    let (recorder, sink) = recording(limits);
    let head = "x".repeat(15_000);
    let copy = |to: &mut HeadCopy| to.fill("", [("name", head.as_bytes())].into_iter());
    let request = || {
        let start = Start {
            head: Some(&copy),
            ..Start::now("request", SpanKind::Server)
        };
        match recorder.start(None, start) {
            Started::Recording(request) => request,
            Started::Dropped(_) => panic!("the request is recorded"),
        }
    };
    let has_copy = |request: &LocalSpan| request.head().unwrap().headers("name").count() == 1;
    // As often, since what is kept for the next requests must not add up.
    for round in 1..=3 {
        let open: Vec<_> = (0..500).map(|_| request()).collect();
        let copied = open.iter().filter(|request| has_copy(request)).count();
        assert_eq!(copied, (4 << 20) / (15 << 10));
        let incomplete = recorder.incomplete_heads() as usize;
        assert_eq!(incomplete, round * (500 - copied));
        open.iter().for_each(end);
    }
    assert_eq!(sink.spans(), 1_500);
}

#[test]
fn the_last_status_counts_but_ok_is_final() {
    let code = |statuses: &[Status]| {
        let span = recorded(Limits::default(), |span| {
            statuses
                .iter()
                .for_each(|status| span.set_status(status.clone()))
        });
        let status = span.status.unwrap();
        (status.code, status.message)
    };
    let error = Status::error;
    assert_eq!(code(&[]), (0, String::new()));
    assert_eq!(code(&[error("a"), error("b")]), (2, "b".into()));
    assert_eq!(code(&[error("a"), Status::Unset]), (2, "a".into()));
    assert_eq!(
        code(&[error("a"), Status::Ok, error("b")]),
        (1, String::new())
    );
}

#[test]
fn a_child_that_outlives_its_root_lands_in_the_same_trace() {
    let (tracer, sink) = recorder(Limits::default());
    let cx = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    let child = tracer.start_with_context("child", &cx);
    cx.span().end();
    assert!(
        sink.traces.lock().unwrap().is_empty(),
        "a trace is whole when none of its spans is open"
    );
    std::thread::spawn(move || drop(child)).join().unwrap();

    // The trace has gone; its context is still around.
    let late = tracer.start_with_context("late", &cx);
    cx.span().set_attribute(KeyValue::new("too", "late"));
    drop(late);

    let traces = sink.traces.lock().unwrap();
    let names: Vec<Vec<_>> = traces
        .iter()
        .map(|spans| spans.iter().map(|span| span.name.as_str()).collect())
        .collect();
    assert_eq!(names, [vec!["root", "child"], vec!["late"]]);
    let spans: Vec<_> = traces.iter().flatten().collect();
    for child in &spans[1..] {
        assert_eq!(child.trace_id, spans[0].trace_id);
        assert_eq!(child.parent_span_id, spans[0].span_id);
        assert!(
            child.attributes.is_empty(),
            "an ended span's handle reaches no other span"
        );
    }
}

#[test]
fn a_context_that_outlives_its_trace_does_not_reach_the_next_one() {
    let (tracer, sink) = recorder(Limits::default());
    let old = Context::new().with_span(tracer.start_with_context("old", &Context::new()));
    old.span().end();
    let new = Context::new().with_span(tracer.start_with_context("new", &Context::new()));
    old.span().set_attribute(KeyValue::new("stray", true));
    old.span().end();
    assert!(new.span().is_recording() && !old.span().is_recording());
    drop((old, new));
    let traces = sink.traces.lock().unwrap();
    assert_eq!(traces.len(), 2);
    assert!(
        attributes(&traces[1][0])
            .iter()
            .all(|(key, _)| *key != "stray")
    );
}

#[test]
fn spans_keep_their_instrumentation_scopes() {
    let (tracer, sink) = recorder(Limits::default());
    let scope = InstrumentationScope::builder("db")
        .with_version("1")
        .with_schema_url("https://example.com/1")
        .build();
    let other = TracerProvider::new(Arc::clone(&tracer.recorder)).tracer_with_scope(scope);
    let cx = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    for _ in 0..2 {
        drop(other.start_with_context("query", &cx));
    }
    drop(cx);
    let run = |scope: &str, url: &str, spans| (scope.to_owned(), url.to_owned(), spans);
    let expected = [run("db", "https://example.com/1", 2), run("test", "", 1)];
    assert_eq!(*sink.runs.lock().unwrap(), expected);
}

#[test]
fn what_a_span_adds_when_it_ends_counts_too() {
    let (tracer, sink) = recorder(Limits {
        bytes_per_trace: 10_000,
        ..Limits::default()
    });
    let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    for _ in 0..100 {
        let mut child = tracer.start_with_context("child", &root);
        child.set_status(Status::error("x".repeat(100_000)));
    }
    drop(root);
    let handed = sink.traces.lock().unwrap();
    for spans in handed.iter() {
        let bytes: usize = spans.iter().map(Message::encoded_len).sum();
        assert!(bytes < 7_500, "{bytes} bytes wait for the root");
    }
    drop(handed);
    assert_eq!((sink.spans(), *sink.refused.lock().unwrap()), (101, 0));
}

#[test]
fn what_has_ended_does_not_wait_for_a_span_without_end() {
    let mut limits = Limits::default();
    (limits.hold, limits.spans_per_trace) = (Duration::ZERO, 3);
    let (tracer, sink) = recorder(limits);
    let cx = Context::new().with_span(tracer.start("stream"));
    for _ in 0..10 {
        tracer.start_with_context("message", &cx).end();
    }
    assert_eq!(
        sink.spans(),
        10,
        "each at once, of whom no more than two are open"
    );
    assert_eq!(*sink.refused.lock().unwrap(), 0);
    cx.span().end();
    assert_eq!(sink.spans(), 11);
}

#[test]
fn disabled_recorder_hides_no_span_of_another() {
    let (tracer, _sink) = recorder(Limits::default());
    let outer = Context::new().with_span(tracer.start("outer"));
    let sink = Arc::<Handed>::default();
    let disabled = Recorder::for_tests(Mode::Disabled, Limits::default(), sink);
    // It passes the caller's context on, with the caller's id.
    let caller = outer.span().span_context().clone();
    let mut under = RunScope::silent(caller, Some(Arc::new(disabled)));
    let _silent = under.enter();
    let _outer = outer.attach();
    assert!(matches!(Current::get(), Current::Local(_)));
}

#[test]
fn rejected_events_and_attributes_hold_no_memory() {
    let memory = Limits::default().memory;
    let (tracer, sink) = recorder(Limits::default());
    let megabyte: Arc<str> = "x".repeat(1 << 20).into();
    let large = || KeyValue::new("text", Value::String(Arc::clone(&megabyte).into()));
    let spans: Vec<_> = (0..20)
        .map(|_| {
            let builder = SpanBuilder::from_name("builder").with_attributes(vec![large(); 1_000]);
            let mut span = builder.start_with_context(&tracer, &Context::new());
            span.add_event("event", vec![large(); 100]);
            span
        })
        .collect();
    let held: usize = spans.iter().map(|span| span.buffer_capacity()).sum();
    assert!(held < memory / 4, "{held} bytes are held by 20 spans");
    drop(spans);
    for span in sink.traces.lock().unwrap().iter().flatten() {
        assert_eq!(
            span.dropped_attributes_count as usize + span.attributes.len(),
            1_000,
        );
        assert_eq!((span.events.len(), span.dropped_events_count), (0, 1));
    }
}

#[test]
fn long_message_of_an_error_is_cut() {
    #[derive(Debug)]
    struct Long;
    impl std::fmt::Display for Long {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            (0..400_000).try_for_each(|_| f.write_str("né ü"))
        }
    }
    impl std::error::Error for Long {}

    let (tracer, sink) = recorder(Limits::default());
    let cx = Context::new().with_span(tracer.start("fails"));
    {
        let _entered = cx.clone().attach();
        super::current().record_error(&Long);
    }
    drop(cx);
    let handed = sink.traces.lock().unwrap();
    let event = &handed[0][0].events[0];
    let message = event
        .attributes
        .iter()
        .find(|it| it.key == "exception.message");
    assert!(message.is_some() && event.encoded_len() > 900_000);
}

#[test]
fn many_replaced_attributes_take_no_time_squared() {
    let limits = Limits {
        attributes: 100_000,
        ..Limits::default()
    };
    let span = recorded(limits, |span| {
        for round in 0..2 {
            let number = |key: i64| KeyValue::new(format!("k{key}"), key + round);
            span.set_attributes((0..10_000).map(number));
        }
    });
    assert_eq!(span.attributes.len(), 10_000);
}

#[test]
fn children_start_while_a_spans_lock_is_held() {
    let (tracer, sink) = recorder(Limits::default());
    let (done, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let cx = Context::new().with_span(tracer.start("rows"));
        let entered = cx.clone().attach();
        // The API holds the span's lock while it takes the attributes.
        cx.span().set_attributes((0..3).map(|row| {
            drop(tracer.start("row"));
            assert!(matches!(Current::get(), Current::Local(_)));
            KeyValue::new(format!("row.{row}"), row)
        }));
        drop((entered, cx));
        let _ = done.send(());
    });
    let finished = finished.recv_timeout(Duration::from_secs(60));
    assert!(finished.is_ok(), "the thread hangs");
    let handed = sink.traces.lock().unwrap();
    assert_eq!(handed[0].len(), 4, "in one trace");
}

/// The bytes that `recorder` counts as held, once nothing is recorded any more.
fn held(recorder: &Recorder) -> usize {
    recorder.cells.memory.held()
}

#[test]
fn threads_that_end_leave_no_buffers_with_kept_handles() {
    let (recorder, _sink) = recording(Limits::default());
    let tracer = TracerProvider::new(Arc::clone(&recorder)).tracer("test");
    let kept: Vec<Context> = (0..50)
        .flat_map(|_| {
            let tracer = tracer.clone();
            let thread = std::thread::spawn(move || {
                let traces = (0..10).map(|_| {
                    let root = tracer.start_with_context("root", &Context::new());
                    let cx = Context::new().with_span(root);
                    cx.span().end();
                    cx
                });
                traces.collect::<Vec<_>>()
            });
            thread.join().unwrap()
        })
        .collect();
    assert_eq!((kept.len(), held(&recorder)), (500, 0));
    drop(kept);
    assert!(recorder.cells.all().is_empty());
}

#[test]
fn late_children_inherit_though_an_earlier_one_was_refused() {
    let limits = Limits {
        memory: 1 << 20,
        ..Limits::default()
    };
    let (recorder, sink) = recording(limits);
    let start = || Start::now("span", SpanKind::Internal);
    let Started::Recording(root) = recorder.start(None, start()) else {
        panic!("the root is recorded")
    };
    let mut tags = root.tags();
    tags.set_inherited("tenant.id", "acme");
    root.append(&tags);
    drop(tags);
    end(&root);
    let memory = &recorder.cells.memory;
    memory.count(1 << 20);
    // On a thread that has no cell to use again.
    let refused = std::thread::scope(|scope| {
        let late = scope.spawn(|| root.clone().start_child(start()));
        matches!(late.join().unwrap(), Started::Dropped(_))
    });
    assert!(refused);
    memory.give_back(1 << 20);
    let Started::Recording(late) = root.clone().start_child(start()) else {
        panic!("the child is recorded")
    };
    end(&late);
    let handed = sink.traces.lock().unwrap();
    let has_tenant = |span: &Otlp| span.attributes.iter().any(|it| it.key == "tenant.id");
    let tenants: Vec<bool> = handed.iter().flatten().map(has_tenant).collect();
    assert_eq!(tenants, [true, true]);
}
