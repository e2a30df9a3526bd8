//! The export thread.

use std::cell::Cell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant as Moment};

use bytes::Bytes;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::loss_log::LossLog;
use super::report::{DropReason, ExporterReport};
use super::request::{frame, spans, take_batch};
use super::retry::deliver;
use super::shard::{CHUNK_BYTES, End, Shards};
use super::worker_state::{FlushRequest, InFlight, Shared};
use super::{Export, Failure, SendStarted, Setup, after, moment_after};
use crate::config::Batch;
use crate::diag;
use crate::error::Error;
use crate::recorder::{EncodedSpans, Recorder, Reservation, Sink, Waiting};
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
        } = setup;
        let mut reservation = Reservation::new(&memory);
        reservation.account(OWN_BYTES);
        let shared = Arc::new(Shared {
            exporter: name,
            shards: Shards::new(batch.clone(), memory),
            state: Mutex::default(),
            recorder: OnceLock::new(),
        });
        let worker_shared = Arc::clone(&shared);
        thread::spawn("biztrace-export", move || async move {
            let _ended = EndedOnDrop(Arc::clone(&worker_shared));
            let worker = Worker {
                shared: worker_shared,
                exporter: exporter(),
                resource,
                batch,
                pending: VecDeque::new(),
                reservation,
                spares: Vec::new(),
                buffer: Vec::new(),
                losses: LossLog::default(),
            };
            worker.run().await;
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

/// Counts what is left when the export thread ends, by a panic of its exporter too.
struct EndedOnDrop(Arc<Shared>);

impl Drop for EndedOnDrop {
    fn drop(&mut self) {
        let why = if std::thread::panicking() {
            End::Died
        } else {
            End::Shutdown
        };
        self.0.end(why);
    }
}

struct Worker<E> {
    shared: Arc<Shared>,
    exporter: E,
    resource: Vec<u8>,
    batch: Batch,
    pending: VecDeque<EncodedSpans>,
    /// What of the memory is in its hands: what is pending or under way, and what it keeps.
    reservation: Reservation,
    /// Emptied chunks for the threads to fill again.
    spares: Vec<EncodedSpans>,
    /// For the next request's body.
    buffer: Vec<u8>,
    losses: LossLog,
}

/// Emptied chunks that are kept.
const SPARES: usize = 8;

/// What is kept of a request's body: enough for 512 spans of 2 kB.
const BUFFER_BYTES: usize = 1024 * 1024;

/// What an export thread keeps when nothing is to be sent.
const OWN_BYTES: usize = SPARES * CHUNK_BYTES + BUFFER_BYTES;

/// With less memory for each pipeline hardly a span would be recorded: that, and chunks for a few threads.
pub(crate) const LEAST_BYTES: usize = OWN_BYTES + 8 * CHUNK_BYTES;

impl<E: Export> Worker<E> {
    async fn run(mut self) {
        let mut due = after(self.batch.schedule_delay);
        loop {
            tokio::select! {
                () = self.shared.shards.wake.notified() => {}
                () = sleep_until(due) => {}
            }
            let (flushes, close) = self.shared.state().asked();
            let partial = flushes > 0 || Instant::now() >= due;
            if partial {
                due = after(self.batch.schedule_delay);
                let which = match flushes {
                    _ if close => Waiting::All,
                    0 => Waiting::Overdue,
                    _ => Waiting::Decided,
                };
                self.send_waiting(which).await;
            }
            if close {
                self.shared.shards.close(End::Shutdown);
            }
            self.collect(partial);
            self.send_pending(partial).await;
            if flushes > 0 {
                self.settle_exporter(close).await;
            }
            self.losses.log(&self.shared, close);
            if close {
                // EndedOnDrop counts what the deadline left, and answers.
                return;
            }
            self.shared.state().served(flushes);
        }
    }

    /// Has the exporter flush, or close until the deadline.
    async fn settle_exporter(&mut self, close: bool) {
        let limit = after(self.batch.export_timeout);
        let limit = self.shared.state().deadline().unwrap_or(limit);
        let left = limit.saturating_duration_since(Instant::now());
        let settled = async {
            if close {
                self.exporter.close(left).await
            } else {
                self.exporter.flush().await
            }
        };
        match timeout_at(limit, settled).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => self.losses.trouble(failure.message),
            Err(_) => self.losses.trouble(format!(
                "it did not {} in time",
                if close { "shut down" } else { "flush" }
            )),
        }
    }

    /// Sends spans that have ended and wait for others of their traces, but for the last of them: no more at once than the queue
    /// takes.
    async fn send_waiting(&mut self, which: Waiting) {
        let enough = self.batch.max_queue_size / 2;
        while self.shared.look_for_waiting(which, enough) {
            let deadline = self.shared.state().deadline();
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return;
            }
            self.collect(true);
            self.send_pending(true).await;
        }
    }

    fn collect(&mut self, partial: bool) {
        let Self {
            shared,
            pending,
            reservation,
            spares,
            ..
        } = self;
        let mut state = shared.state();
        shared.shards.take(partial, spares, |chunk| {
            state.waiting += chunk.spans() as u64;
            reservation.absorb(chunk.len());
            pending.push_back(chunk);
        });
    }

    /// Sends what is pending, or only as much of it as fills requests, until the deadline if all is to be closed, as it may be
    /// meanwhile.
    async fn send_pending(&mut self, partial: bool) {
        let mut woken = false;
        while partial || spans(&self.pending) >= self.shared.shards.enough() {
            let mut deadline = self.shared.state().deadline();
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break;
            }
            let max_spans = self.batch.max_export_batch_size;
            let Some(batch) = take_batch(&mut self.pending, max_spans) else {
                break;
            };
            let request = frame(&self.resource, &batch, std::mem::take(&mut self.buffer));
            let (spans, body, sent) = (request.spans, request.body.clone(), request.sent.clone());
            self.shared
                .shards
                .queued
                .fetch_sub(spans as usize, Ordering::Relaxed);
            // The body has as many bytes as the chunks that it was framed of.
            let bytes: usize = batch.iter().map(EncodedSpans::len).sum();
            self.recycle(batch);
            self.shared.state().in_flight = Some(InFlight {
                spans,
                sent: sent.clone(),
            });

            let timeout = self.batch.export_timeout;
            let limit = after(timeout);
            let earlier = Cell::new(None);
            let result = {
                let retried = |failure: Failure| {
                    self.losses.retried(&self.shared, &failure, timeout);
                    earlier.set(Some(failure));
                };
                let export = deliver(&mut self.exporter, request, limit, retried);
                tokio::pin!(export);
                loop {
                    let limit = deadline.map_or(limit, |deadline| deadline.min(limit));
                    tokio::select! {
                        biased;
                        result = &mut export => break result,
                        () = sleep_until(limit) => {
                            let cause = match deadline {
                                Some(deadline) if deadline <= limit => "before the shutdown's deadline",
                                _ => "before the timeout of an export (OTEL_BSP_EXPORT_TIMEOUT)",
                            };
                            break Err(Failure::cut_short(&sent, earlier.take(), cause));
                        }
                        () = self.shared.shards.wake.notified() => {
                            woken = true;
                            deadline = self.shared.state().deadline();
                        }
                    }
                }
            };
            self.losses.result(&self.shared, &result);
            self.shared.state().settle(&result);
            self.recycle_body(body);
            self.reservation.release(bytes);
            self.losses.log(&self.shared, false);
        }
        if woken {
            // Full chunks, or a flush, came meanwhile: look again.
            self.shared.shards.wake.notify_one();
        }
    }
}

impl<E> Worker<E> {
    fn recycle(&mut self, batch: Vec<EncodedSpans>) {
        for mut chunk in batch.into_iter().take(SPARES - self.spares.len()) {
            chunk.reset(CHUNK_BYTES);
            self.spares.push(chunk);
        }
    }

    /// MemoryBudget of that size would be mapped, cleared and unmapped for each request, which stops the other threads as well.
    fn recycle_body(&mut self, body: Bytes) {
        if body.is_unique() {
            self.buffer = body.into();
            self.buffer.clear();
            self.buffer.shrink_to(BUFFER_BYTES);
        }
    }
}

impl Failure {
    /// Of a request that was given up after `earlier`, when `cause`.
    fn cut_short(sent: &SendStarted, earlier: Option<Self>, cause: &str) -> Self {
        let (reason, answer) = sent.unanswered();
        earlier
            .filter(|_| reason == DropReason::Unreachable)
            .unwrap_or_else(|| Self::permanent(reason, format!("{answer} {cause}")))
    }
}
