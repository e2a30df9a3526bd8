//! The pipeline with a recorder before it and an exporter of the test's behind it.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::trace::{Span as _, TraceContextExt, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::request::{frame, take_batch};
use super::{Delivery, DropReason, Export, ExporterReport, Failure, Pipeline, Request, Setup};
use crate::config::{Batch, Limits};
use crate::recorder::{EncodedSpans, MemoryBudget, Mode, Recorder, Scope, Tracer, TracerProvider};

/// Decodes what it is sent. While it is held it does not answer.
#[derive(Clone, Default)]
struct Receiver {
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    held: Arc<AtomicBool>,
    started: Arc<AtomicBool>,
}

impl Export for Receiver {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let decoded = ExportTraceServiceRequest::decode(request.body.clone()).unwrap();
        self.started.store(true, Ordering::Relaxed);
        request.sent.set();
        while self.held.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.requests.lock().unwrap().push(decoded);
        Ok(Delivery::default())
    }
}

impl Receiver {
    fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Relaxed);
    }

    fn sizes(&self) -> Vec<usize> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .map(|request| spans(request).len())
            .collect()
    }
}

fn spans(request: &ExportTraceServiceRequest) -> Vec<Vec<u8>> {
    let scopes = request
        .resource_spans
        .iter()
        .flat_map(|resource| &resource.scope_spans);
    scopes
        .flat_map(|scope| &scope.spans)
        .map(|span| span.span_id.clone())
        .collect()
}

fn setup(batch: Batch, memory: usize) -> Setup {
    Setup {
        batch,
        resource: Vec::new(),
        memory: Arc::new(MemoryBudget::new(memory)),
    }
}

fn start(batch: Batch) -> (Tracer, Pipeline, Receiver) {
    start_within(batch, usize::MAX)
}

fn start_within(batch: Batch, memory: usize) -> (Tracer, Pipeline, Receiver) {
    let receiver = Receiver::default();
    let exporter = receiver.clone();
    let setup = setup(batch, memory);
    let memory = Arc::clone(&setup.memory);
    let pipeline = Pipeline::start("test", setup, || exporter).unwrap();
    let limits = Limits {
        hold: HOLD,
        ..Limits::default()
    };
    let recorder = Recorder::with_memory(Mode::Record, limits, memory, pipeline.sink());
    let recorder = Arc::new(recorder);
    pipeline.watch(&recorder);
    (
        TracerProvider::new(recorder).tracer("test"),
        pipeline,
        receiver,
    )
}

/// How long ended spans wait for open ones.
const HOLD: Duration = Duration::from_millis(50);

fn batch(max_queue_size: usize, max_export_batch_size: usize) -> Batch {
    Batch {
        max_queue_size,
        max_export_batch_size,
        ..Batch::default()
    }
}

fn trace(tracer: &Tracer, children: usize) {
    let cx = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    for _ in 0..children {
        drop(tracer.start_with_context("child", &cx));
    }
}

#[track_caller]
fn assert_balanced(report: &ExporterReport) {
    assert_eq!(
        report.recorded,
        report.delivered + report.dropped.total() + report.waiting,
        "{report:?}"
    );
}

#[track_caller]
fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "not {what} in time"
        );
        thread::yield_now();
    }
}

#[test]
fn a_shutdown_delivers_all_that_has_ended() {
    let (tracer, pipeline, receiver) = start(Batch::default());
    trace(&tracer, 2);
    let open = Context::new().with_span(tracer.start_with_context("open", &Context::new()));
    drop(tracer.start_with_context("ended", &open));
    let report = pipeline.report();
    assert_eq!((report.recorded, report.waiting), (4, 4));

    pipeline.close(Duration::from_secs(5)).wait();
    let report = pipeline.report();
    assert_eq!(
        (report.recorded, report.delivered, report.waiting),
        (4, 4, 0)
    );
    assert_eq!(receiver.sizes(), [4]);

    drop(open);
    trace(&tracer, 1);
    pipeline.close(Duration::from_secs(5)).wait();
    assert_eq!(
        pipeline.report(),
        report,
        "nothing is recorded after a shutdown"
    );
}

#[test]
fn ended_spans_leave_after_the_hold_though_no_other_span_ends() {
    let (tracer, pipeline, receiver) = start(Batch {
        schedule_delay: Duration::from_millis(10),
        ..Batch::default()
    });
    let open = Context::new().with_span(tracer.start_with_context("hangs", &Context::new()));
    let started = Instant::now();
    drop(tracer.start_with_context("done", &open));
    until("delivered", || pipeline.report().delivered == 1);
    assert!(started.elapsed() >= HOLD);
    assert_eq!(receiver.sizes(), [1]);
    drop(open);
    pipeline.flush(Duration::from_secs(5)).wait();
    assert_eq!(receiver.sizes(), [1, 1]);
}

#[test]
fn a_flush_delivers_ended_children_of_open_spans() {
    let (tracer, pipeline, receiver) = start(Batch {
        schedule_delay: Duration::from_secs(3600),
        ..Batch::default()
    });
    let open = Context::new().with_span(tracer.start_with_context("job", &Context::new()));
    (0..10).for_each(|_| drop(tracer.start_with_context("step", &open)));
    pipeline.flush(Duration::from_secs(5)).wait();
    let report = pipeline.report();
    assert_eq!((report.recorded, report.delivered), (10, 10), "{report:?}");
    assert_eq!(receiver.sizes(), [10]);
    drop(open);
}

#[test]
fn more_spans_than_the_queue_takes_may_wait_for_open_ones() {
    let (tracer, pipeline, _receiver) = start(Batch {
        schedule_delay: Duration::from_secs(3600),
        ..Batch::default()
    });
    let jobs: Vec<_> = (0..20)
        .map(|_| Context::new().with_span(tracer.start_with_context("job", &Context::new())))
        .collect();
    for job in &jobs {
        (0..400).for_each(|_| drop(tracer.start_with_context("step", job)));
    }
    pipeline.flush(Duration::from_secs(60)).wait();
    let report = pipeline.report();
    assert_eq!((report.delivered, report.dropped.total()), (8_000, 0));
}

#[test]
fn deadlines_do_not_follow_the_callers_paused_clock() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    // Ahead of the system's clock.
    let (tracer, pipeline, receiver) = start(Batch::default());
    trace(&tracer, 1);
    receiver.hold(true);
    let started = Instant::now();
    runtime.block_on(async {
        tokio::time::advance(Duration::from_secs(60)).await;
        pipeline.close(Duration::from_millis(100)).wait();
    });
    assert!(started.elapsed() < Duration::from_secs(30));
    // Behind it.
    let (tracer, pipeline, receiver) = start(Batch::default());
    trace(&tracer, 1);
    runtime.block_on(async {
        thread::sleep(Duration::from_millis(600));
        pipeline.close(Duration::from_millis(500)).wait();
    });
    assert_eq!(receiver.sizes(), [2]);
}

#[test]
fn thousands_of_short_threads_lose_nothing() {
    const THREADS: u64 = 3_000;
    let batch = Batch {
        schedule_delay: Duration::from_secs(3600),
        max_queue_size: 10_000,
        ..Batch::default()
    };
    // An exporter that is stuck, and far less memory than a whole chunk for each thread.
    let (tracer, pipeline, receiver) = start_within(batch, 16 << 20);
    receiver.hold(true);
    for _ in 0..THREADS {
        let tracer = tracer.clone();
        thread::spawn(move || drop(tracer.start_with_context("work", &Context::new())))
            .join()
            .unwrap();
    }
    let report = pipeline.report();
    assert_eq!((report.recorded, report.dropped.total()), (THREADS, 0));
    receiver.hold(false);
    pipeline.close(Duration::from_secs(60)).wait();
    let report = pipeline.report();
    assert_eq!(report.delivered, THREADS, "{report:?}");
}

#[test]
fn a_full_batch_is_sent_without_waiting_and_none_is_too_large() {
    let batch = Batch {
        schedule_delay: Duration::from_secs(3600),
        ..batch(100, 10)
    };
    let (tracer, pipeline, receiver) = start(batch);
    (0..5).for_each(|_| trace(&tracer, 1));
    until("delivered", || pipeline.report().delivered == 10);
    trace(&tracer, 24);
    until("delivered", || pipeline.report().delivered == 30);
    pipeline.flush(Duration::from_secs(5)).wait();
    assert_eq!(receiver.sizes(), [10, 10, 10, 5]);
}

#[test]
fn what_is_left_is_sent_after_the_schedule_delay() {
    let (tracer, pipeline, _) = start(Batch {
        schedule_delay: Duration::from_millis(20),
        ..Batch::default()
    });
    trace(&tracer, 0);
    until("delivered", || pipeline.report().delivered == 1);
}

#[test]
fn a_full_queue_drops_and_counts() {
    let batch = Batch {
        schedule_delay: Duration::from_secs(3600),
        ..batch(20, 10)
    };
    let (tracer, pipeline, receiver) = start(batch);
    receiver.hold(true);
    // One batch in flight, two in the queue, and the rest has no place.
    trace(&tracer, 9);
    until("in flight", || receiver.started.load(Ordering::Relaxed));
    (0..5).for_each(|_| trace(&tracer, 9));
    let report = pipeline.report();
    assert_balanced(&report);
    assert_eq!(
        (report.waiting, report.dropped.get(DropReason::QueueFull)),
        (30, 30)
    );
    receiver.hold(false);
    pipeline.close(Duration::from_secs(5)).wait();
    let report = pipeline.report();
    assert_eq!((report.delivered, report.waiting), (30, 0));
}

#[test]
fn a_trace_larger_than_the_queue_is_delivered_all_the_same() {
    let (tracer, pipeline, receiver) = start(batch(20, 10));
    trace(&tracer, 24);
    pipeline.close(Duration::from_secs(5)).wait();
    assert_eq!(pipeline.report().delivered, 25);
    assert_eq!(receiver.sizes(), [10, 10, 5]);
}

#[test]
fn threads_that_come_after_a_shutdown_record_nothing() {
    let (tracer, pipeline, _) = start(Batch::default());
    let open = Context::new().with_span(tracer.start_with_context("open", &Context::new()));
    drop(tracer.start_with_context("ended", &open));
    pipeline.close(Duration::from_secs(5)).wait();
    let report = pipeline.report();
    let late = tracer.clone();
    thread::spawn(move || {
        trace(&late, 3);
        drop(open);
    })
    .join()
    .unwrap();
    assert_eq!(pipeline.report(), report);
    assert_balanced(&report);
}

#[test]
fn a_shutdown_keeps_its_deadline_while_the_receiver_hangs() {
    let (tracer, pipeline, receiver) = start(batch(100, 10));
    receiver.hold(true);
    trace(&tracer, 24);
    let start = Instant::now();
    pipeline.close(Duration::from_millis(100)).wait();
    assert!(start.elapsed() < Duration::from_secs(5));
    let report = pipeline.report();
    assert_balanced(&report);
    assert_eq!((report.recorded, report.waiting), (25, 0));
    assert_eq!(
        report.dropped.get(DropReason::Unknown),
        10,
        "sent, and not answered"
    );
    assert_eq!(
        report.dropped.get(DropReason::Shutdown),
        15,
        "not sent any more"
    );
}

#[test]
fn an_exporter_that_is_stuck_is_left_to_itself() {
    struct Stuck(Arc<Mutex<()>>);
    impl Export for Stuck {
        async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
            request.sent.set();
            drop(self.0.lock().unwrap());
            Ok(Delivery::default())
        }
    }
    let lock = Arc::<Mutex<()>>::default();
    let exporter = Stuck(Arc::clone(&lock));
    let setup = setup(batch(100, 10), usize::MAX);
    let pipeline = Pipeline::start("test", setup, || exporter).unwrap();
    let sink = pipeline.sink();
    let recorder = Recorder::for_tests(Mode::Record, Limits::default(), sink);
    let tracer = TracerProvider::new(Arc::new(recorder)).tracer("test");
    let held = lock.lock().unwrap();
    trace(&tracer, 24);
    pipeline.flush(Duration::from_millis(100)).wait();
    pipeline.close(Duration::ZERO).wait();
    let closed = pipeline.report();
    assert_balanced(&closed);
    assert_eq!((closed.recorded, closed.waiting), (25, 0));
    assert_eq!(closed.dropped.get(DropReason::Unknown), 10);
    assert_eq!(closed.dropped.get(DropReason::Shutdown), 15);
    // When it comes back, all is settled.
    drop(held);
    until("ended", || Arc::strong_count(&lock) == 1);
    assert_eq!(pipeline.report(), closed);
}

#[test]
fn a_flush_whose_time_is_over_loses_nothing() {
    let (tracer, pipeline, receiver) = start(batch(100, 10));
    receiver.hold(true);
    trace(&tracer, 24);
    pipeline.flush(Duration::from_millis(10)).wait();
    let report = pipeline.report();
    assert_eq!((report.waiting, report.dropped.total()), (25, 0));
    receiver.hold(false);
    pipeline.close(Duration::from_secs(5)).wait();
    assert_eq!(pipeline.report().delivered, 25);
}

#[test]
fn the_books_balance_at_any_moment() {
    let (tracer, pipeline, _) = start(Batch {
        schedule_delay: Duration::from_millis(1),
        ..batch(64, 16)
    });
    thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for i in 0..2000 {
                        let cx = Context::new()
                            .with_span(tracer.start_with_context("root", &Context::new()));
                        let child = tracer.start_with_context("child", &cx);
                        drop(cx);
                        // The last span of a trace may end on another thread than the first.
                        if i % 50 == 0 {
                            scope.spawn(|| drop(child));
                        } else {
                            drop(child)
                        }
                    }
                })
            })
            .collect();
        while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
            assert_balanced(&pipeline.report());
        }
    });
    pipeline.close(Duration::from_secs(5)).wait();
    let report = pipeline.report();
    assert_balanced(&report);
    assert_eq!((report.recorded, report.waiting), (12_000, 0));
}

#[test]
fn an_exporter_that_panics_closes_the_books() {
    struct Panics;
    impl Export for Panics {
        async fn export(&mut self, _: Request) -> Result<Delivery, Failure> {
            panic!("an exporter's bug, as this test wants it")
        }
    }
    let pipeline = Pipeline::start("test", setup(Batch::default(), usize::MAX), || Panics).unwrap();
    let recorder = Recorder::for_tests(Mode::Record, Limits::default(), pipeline.sink());
    let tracer = TracerProvider::new(Arc::new(recorder)).tracer("test");
    trace(&tracer, 3);
    pipeline.flush(Duration::from_secs(5)).wait();
    trace(&tracer, 3);
    let report = pipeline.report();
    assert_balanced(&report);
    let lost = report.dropped.get(DropReason::Shutdown);
    assert_eq!((report.recorded, lost, report.waiting), (8, 8, 0));
}

#[test]
fn memory_that_is_given_back_is_taken_again() {
    const LIMIT: usize = 4 * 1024 * 1024;
    let (tracer, pipeline, receiver) = start_within(batch(1_000_000, 100), LIMIT);
    let dropped = || pipeline.report().dropped.get(DropReason::MemoryLimit);
    for round in 1..=3 {
        let before = dropped();
        receiver.hold(true);
        for _ in 0..1000 {
            let mut span = tracer.start("span");
            span.set_attribute(KeyValue::new("note", "x".repeat(10_000)));
        }
        let lost = dropped() - before;
        assert!((500..1000).contains(&lost), "{lost} in round {round}");
        receiver.hold(false);
        pipeline.flush(Duration::from_secs(5)).wait();
        assert_balanced(&pipeline.report());
    }
    // A few more than there would be room for, had something not gone back.
    let before = dropped();
    for _ in 0..1000 {
        trace(&tracer, 1);
        pipeline.flush(Duration::from_secs(5)).wait();
    }
    assert_eq!(dropped(), before);
}

#[test]
fn what_is_kept_for_the_next_trace_leaves_memory_to_others() {
    let (tracer, pipeline, _) = start_within(batch(1_000_000, 100), 6 * 1024 * 1024);
    let wait = || pipeline.flush(Duration::from_secs(5)).wait();
    let dropped = || pipeline.report().dropped.get(DropReason::MemoryLimit);
    // Traces that are open at once take all that there is.
    let open: Vec<_> = (0..1000)
        .map(|_| {
            let mut span = tracer.start("span");
            span.set_attribute(KeyValue::new("note", "x".repeat(40_000)));
            span
        })
        .collect();
    drop(open);
    wait();
    let before = dropped();
    assert!(before > 0);
    let work = || (0..1000).for_each(|_| trace(&tracer, 1));
    thread::scope(|scope| scope.spawn(work).join()).unwrap();
    work();
    wait();
    assert_balanced(&pipeline.report());
    assert_eq!(dropped(), before);
}

#[test]
fn large_requests_are_split_between_spans() {
    let mut chunk = EncodedSpans::default();
    for i in 0..10_u8 {
        chunk.push(&Scope::Biztrace, |out| {
            crate::attribute::wire::message(out, 0x12, |span| {
                crate::attribute::wire::bytes(span, 0x12, &[i; 8]);
                crate::attribute::wire::bytes(span, 0x2a, &vec![b'x'; 1_000_000]);
            });
        });
    }
    let mut chunks = VecDeque::from([chunk]);
    let mut seen = HashSet::new();
    while let Some(batch) = take_batch(&mut chunks, 512) {
        let request = frame(&[], &batch, Vec::new());
        assert!(
            request.body.len() <= 4 * 1024 * 1024 + 100,
            "{} bytes",
            request.body.len()
        );
        seen.extend(spans(
            &ExportTraceServiceRequest::decode(request.body).unwrap(),
        ));
    }
    assert_eq!(seen.len(), 10);
}
