//! The thread of an exporter of the SDK.
//!
//! The exporter is made and called on a plain thread of its own, one call at a time, with the export thread's runtime at hand: a client
//! that needs a runtime finds one, and a client that blocks blocks nothing else.

use std::error::Error;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use std::{fmt, thread};

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::exporter::body::decode;
use crate::exporter::span_data;
use crate::pipeline::{Delivery, DropReason, Export, Failure, Request, SendStarted};

/// The near end of an exporter's thread, which ends when this is dropped. One job waits at the most: an exporter that hangs is
/// handed no more.
pub(super) struct SdkExporter {
    jobs: mpsc::Sender<Job>,
}

/// What the exporter is asked to do, and where the answer goes.
struct Job {
    task: Task,
    done: oneshot::Sender<OTelSdkResult>,
}

enum Task {
    Export(Vec<SpanData>),
    Flush,
    Shutdown(Duration),
}

/// Why a constructor gave no exporter.
pub(super) type Unmade = Box<dyn Error + Send + Sync>;

impl SdkExporter {
    /// Starts a thread that makes an exporter; `made` is told how that went. Must be called within a runtime.
    pub(super) fn start<E, M>(
        make: M,
        resource: Resource,
        made: SyncSender<Result<(), Unmade>>,
    ) -> Self
    where
        E: SpanExporter + 'static,
        M: FnOnce() -> Result<E, Unmade> + Send + 'static,
    {
        let (jobs, mut queue) = mpsc::channel::<Job>(1);
        let runtime = Handle::current();
        let unstarted = made.clone();
        let thread = thread::Builder::new()
            .name("biztrace-exporter".into())
            .spawn(move || {
                let _runtime = runtime.enter();
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                let exporter = make().map(|mut exporter| {
                    exporter.set_resource(&resource);
                    exporter
                });
                let exporter = match exporter {
                    Ok(exporter) => exporter,
                    Err(error) => {
                        let _ = made.send(Err(error));
                        return;
                    }
                };
                let _ = made.send(Ok(()));
                while let Some(job) = queue.blocking_recv() {
                    // Who asked may have given up meanwhile.
                    if !job.done.is_closed() {
                        let _ = job.done.send(job.task.run(&exporter));
                    }
                }
            });
        if let Err(error) = thread {
            let _ = unstarted.send(Err(error.into()));
        }
        Self { jobs }
    }

    async fn run(&self, task: Task, sent: &SendStarted) -> OTelSdkResult {
        let ended = || OTelSdkError::InternalFailure("its thread has ended: did it panic?".into());
        let place = self.jobs.reserve().await.map_err(|_| ended())?;
        sent.set();
        let (done, answer) = oneshot::channel();
        place.send(Job { task, done });
        answer.await.unwrap_or_else(|_| Err(ended()))
    }
}

impl Task {
    fn run(self, exporter: &impl SpanExporter) -> OTelSdkResult {
        match self {
            Self::Export(spans) => futures_executor::block_on(exporter.export(spans)),
            Self::Flush => exporter.force_flush(),
            Self::Shutdown(timeout) => exporter.shutdown_with_timeout(timeout),
        }
    }
}

impl Export for SdkExporter {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let spans = span_data::of(decode(&request)?);
        match self.run(Task::Export(spans), &request.sent).await {
            Ok(()) => Ok(Delivery::default()),
            Err(error) => Err(failure(&error)),
        }
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        let flushed = self.run(Task::Flush, &SendStarted::default()).await;
        flushed.map_err(|error| failure(&error))
    }

    async fn close(&mut self, timeout: Duration) -> Result<(), Failure> {
        let closed = self
            .run(Task::Shutdown(timeout), &SendStarted::default())
            .await;
        closed.map_err(|error| failure(&error))
    }
}

/// An exporter repeats what is worth repeating itself.
fn failure(error: &OTelSdkError) -> Failure {
    let reason = match error {
        OTelSdkError::Timeout(_) => DropReason::Unknown,
        OTelSdkError::AlreadyShutdown | OTelSdkError::InternalFailure(_) => DropReason::Refused,
    };
    Failure::permanent(reason, error.to_string())
}

impl fmt::Debug for SdkExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SdkExporter").finish_non_exhaustive()
    }
}
