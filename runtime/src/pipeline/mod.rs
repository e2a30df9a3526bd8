//! The way of ended spans to an exporter: chunks by thread, an export thread of its own, and an account of every span.
//!
//! Above: the recorder, which hands over ended spans through its `Sink`. Below: the exporters, which implement [`Export`].

mod chunks;
mod deficit;
mod fan_out;
mod handle;
mod loss_log;
mod memory_shares;
mod report;
mod request;
mod retry;
mod shard;
#[cfg(test)]
mod tests;
mod tier;
mod tier_memory;
mod worker;
mod worker_state;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

pub(crate) use self::fan_out::FanOut;
pub(crate) use self::handle::{Flushing, Pipeline};
pub(crate) use self::memory_shares::memory;
pub use self::report::{DropReason, Dropped, ExporterReport, Report, TierReport};
pub(crate) use self::tier::TierSetup;
pub(crate) use self::worker::LEAST_BYTES;
use crate::config::Batch;
use crate::recorder::MemoryBudget;

/// What each pipeline of an instance starts with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) batch: Batch,
    /// The encoded fields of a `ResourceSpans` beside its spans.
    pub(crate) resource: Vec<u8>,
    pub(crate) memory: Arc<MemoryBudget>,
    /// One at least, in the order of their ids.
    pub(crate) tiers: Vec<TierSetup>,
}

/// Sends requests to one receiver. Runs on the export thread, one call at a time.
pub(crate) trait Export {
    fn export(&mut self, request: Request) -> impl Future<Output = Result<Delivery, Failure>>;

    /// Brings to its end what the exporter itself keeps back.
    async fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// The last call, to take no longer than `timeout`.
    async fn close(&mut self, _timeout: Duration) -> Result<(), Failure> {
        Ok(())
    }
}

/// An encoded `ExportTraceServiceRequest`.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) body: Bytes,
    pub(crate) sent: SendStarted,
}

/// Whether the attempt under way has begun to send the request: otherwise it cannot have arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct SendStarted(Arc<AtomicBool>);

impl SendStarted {
    /// The exporter calls this when it begins to send.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn reset(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Why an attempt failed that ran out of time.
    pub(crate) fn unanswered(&self) -> (DropReason, &'static str) {
        if self.0.load(Ordering::Relaxed) {
            (DropReason::Unknown, "no response")
        } else {
            (DropReason::Unreachable, "no connection")
        }
    }
}

/// A receiver's good answer.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// Spans that it refused all the same ("partial success").
    pub(crate) rejected: u64,
    /// Its explanation.
    pub(crate) message: String,
}

/// Why a request was not delivered.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: DropReason,
    pub(crate) message: String,
    pub(crate) retry: Retry,
}

/// Whether the same request may do better another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(any(feature = "otlp-grpc", feature = "otlp-http")),
    allow(dead_code, reason = "only receivers elsewhere do better later")
)]
pub(crate) enum Retry {
    Never,
    /// After a while, which grows from one attempt to the next.
    Later,
    /// After the time that the receiver asked for.
    After(Duration),
}

impl Failure {
    /// One that the same request would have again.
    pub(crate) fn permanent(reason: DropReason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            retry: Retry::Never,
        }
    }
}

/// The moment `duration` from now, a century at most: clocks do not hold all later moments.
pub(crate) fn moment_after(duration: Duration) -> std::time::Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    std::time::Instant::now() + duration.min(CENTURY)
}

/// That moment for the export thread's own runtime, whose clock is never paused.
pub(crate) fn after(duration: Duration) -> Instant {
    Instant::from_std(moment_after(duration))
}
