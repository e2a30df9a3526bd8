//! The way of ended spans to an exporter: chunks by thread, an export thread of its own, and the books on every span.
//!
//! Above: the recorder, which hands over ended spans through its `Sink`. Below: the exporters, which implement [`Export`].

mod report;
mod request;
mod shard;
#[cfg(test)]
mod tests;
mod worker;

use std::future::Future;

use bytes::Bytes;

pub use self::report::{DropReason, Dropped, Report};
pub(crate) use self::worker::Pipeline;

/// Sends requests to one receiver. Runs on the export thread, one call at a time.
pub(crate) trait Export {
    fn export(&mut self, request: Request) -> impl Future<Output = Result<Delivery, Failure>>;
}

/// An encoded `ExportTraceServiceRequest`.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) body: Bytes,
    pub(crate) spans: u64,
}

/// A receiver's good answer.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// Spans that it refused all the same ("partial success").
    pub(crate) rejected: u64,
    /// What it said to that.
    pub(crate) message: String,
}

/// Why a request was not delivered.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: DropReason,
    pub(crate) message: String,
}
