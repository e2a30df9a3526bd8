//! The pipeline with a recorder before it and an exporter of the test's behind it.

mod memory;
mod queue;
mod shutdown;
mod tiers;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer as _, TracerProvider as _};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::{Delivery, Export, ExporterReport, Failure, Pipeline, Request, Setup, TierSetup};
use crate::config::{Batch, Limits};
use crate::recorder::{MemoryBudget, Mode, Recorder, Tracer, TracerProvider};

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
        tiers: TierSetup::only(batch.max_queue_size),
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
