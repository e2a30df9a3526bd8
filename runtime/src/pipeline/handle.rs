//! What an instance has of a pipeline: its export thread is started, asked to flush and closed here.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant as Moment};

use super::report::ExporterReport;
use super::shard::{End, Shards};
use super::tier::Tier;
use super::worker::{self, OWN_BYTES};
use super::worker_state::{FlushRequest, Shared};
use super::{Export, Setup, moment_after};
use crate::diag;
use crate::error::Error;
use crate::recorder::{Recorder, Reservation, Sink};
use crate::thread;

/// The near end of an export thread. The thread flushes and ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Pipeline(Arc<Shared>);

impl Pipeline {
    /// Starts an export thread for the exporter that `exporter` makes there.
    pub(crate) fn start<E, F>(name: &'static str, setup: Setup, exporter: F) -> Result<Self, Error>
    where
        E: Export,
        F: FnOnce() -> E + Send + 'static,
    {
        let Setup {
            batch,
            resource,
            memory,
            tiers,
        } = setup;
        let mut reservation = Reservation::new(&memory);
        reservation.account(OWN_BYTES);
        let tiers = Tier::all(tiers, &batch, &memory);
        let shards = Shards::new(tiers, batch.max_export_batch_size);
        let shared = Arc::new(Shared::new(name, shards));
        let worker_shared = Arc::clone(&shared);
        thread::spawn("biztrace-export", move || async move {
            worker::run(worker_shared, exporter, resource, batch, reservation).await;
        })?;
        Ok(Self(shared))
    }

    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        Arc::clone(&self.0.shards) as Arc<dyn Sink>
    }

    /// Has the export thread look at the traces of `recorder`, for spans that have ended and wait for others.
    pub(crate) fn watch(&self, recorder: &Arc<Recorder>) {
        // Set once: a pipeline has one recorder.
        let _ = self.0.recorder.set(Arc::downgrade(recorder));
    }

    pub(crate) fn report(&self) -> ExporterReport {
        self.0.report()
    }

    /// Has the export thread send all that has ended.
    pub(crate) fn flush(&self, timeout: Duration) -> Flushing {
        self.ask(None, moment_after(timeout))
    }

    /// Has the export thread send all that has ended, until `timeout` is over, take nothing more and end.
    pub(crate) fn close(&self, timeout: Duration) -> Flushing {
        let close_by = moment_after(timeout);
        self.ask(Some(close_by), close_by + GRACE)
    }

    fn ask(&self, close_by: Option<Moment>, until: Moment) -> Flushing {
        let (done, wait) = mpsc::channel();
        let mut state = self.0.state();
        if !state.ended {
            state.flushes.push(FlushRequest {
                close_by,
                _done: done,
            });
        }
        drop(state);
        self.0.shards.wake.notify_one();
        Flushing {
            shared: Arc::clone(&self.0),
            wait,
            until,
            close: close_by.is_some(),
        }
    }
}

/// A flush under way.
pub(crate) struct Flushing {
    shared: Arc<Shared>,
    wait: mpsc::Receiver<Infallible>,
    until: Moment,
    close: bool,
}

impl Flushing {
    /// Blocks until it is done, or until `moment`. Returns whether it need not be waited for any more.
    pub(crate) fn is_over_by(&self, moment: Moment) -> bool {
        let moment = moment.min(self.until);
        let left = moment.saturating_duration_since(Moment::now());
        let is_late = self.wait.recv_timeout(left) == Err(RecvTimeoutError::Timeout);
        !is_late || moment == self.until
    }

    /// Says what it still waits for, and how long.
    pub(crate) fn tell(&self) {
        let report = self.shared.report();
        let what = if self.close { "shutdown" } else { "flush" };
        let left = self.until.saturating_duration_since(Moment::now());
        diag::warn(format_args!(
            "{}: the {what} waits: {} spans are not sent yet. It takes {} s more at most",
            report.exporter,
            report.waiting,
            left.as_secs() + 1
        ));
    }

    /// Blocks until it is done, or its time is over: an exporter may be stuck in a call that cannot be cut short, for
    /// example a write to the console. At a shutdown the spans that are left are counted as dropped then, without the export thread.
    pub(crate) fn wait(self) {
        let left = self.until.saturating_duration_since(Moment::now());
        let is_late = self.wait.recv_timeout(left) == Err(RecvTimeoutError::Timeout);
        if is_late && self.close {
            self.shared.end(End::Shutdown);
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.close(DROP_TIMEOUT);
    }
}

/// How much later than its deadline an answer of the export thread may come.
const GRACE: Duration = Duration::from_millis(500);

/// How long the export thread of an instance that was not shut down tries to send the rest.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);
