//! Flushes and shutdowns, with exporters that are slow, stuck or broken.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer as _, TracerProvider as _};

use super::super::{Delivery, DropReason, Export, Failure, Pipeline, Request};
use super::{assert_balanced, batch, setup, start, trace, until};
use crate::config::{Batch, Limits};
use crate::recorder::{Mode, Recorder, TracerProvider};

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
