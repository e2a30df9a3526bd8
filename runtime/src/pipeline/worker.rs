//! The export thread: a runtime of its own, whatever the host's, with telemetry suppressed.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use opentelemetry::Context;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::report::{DropReason, Dropped, ExporterReport};
use super::request::{frame, spans, take_batch};
use super::retry::{Earlier, deliver};
use super::shard::{CHUNK_BYTES, Shards};
use super::{Delivery, Export, Failure, Sent, Setup};
use crate::config::Batch;
use crate::diag;
use crate::error::Error;
use crate::recorder::{Held, Runs, Sink};

/// The near end of an export thread. The thread flushes and ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Pipeline(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Its name.
    exporter: &'static str,
    shards: Arc<Shards>,
    desk: Mutex<Desk>,
}

/// What the export thread shares with those who ask of it.
#[derive(Default)]
struct Desk {
    orders: Vec<Order>,
    ended: bool,
    /// Spans in the export thread's hands.
    waiting: u64,
    delivered: u64,
    dropped: Dropped,
}

/// A wish to see everything sent that has ended by now.
struct Order {
    deadline: Instant,
    /// Take nothing more afterwards.
    close: bool,
    done: Done,
}

type Done = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk")
            .field("waiting", &self.waiting)
            .field("delivered", &self.delivered)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) -> ExporterReport {
        // The desk first, as when the export thread takes chunks: no span changes hands while both are held.
        let desk = self.desk();
        self.shards.at_rest(|all| {
            let mut dropped = desk.dropped;
            let (mut recorded, mut settled, mut waiting) = (0, 0, desk.waiting);
            for books in all {
                recorded += books.recorded;
                settled += books.settled;
                waiting += books.waiting();
                dropped.merge(&books.dropped);
            }
            ExporterReport {
                exporter: self.exporter,
                recorded,
                delivered: desk.delivered,
                dropped,
                waiting: waiting + (recorded - settled),
            }
        })
    }
}

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
        let mut held = Held::new(&memory);
        held.cover(OWN_BYTES);
        let shared = Arc::new(Shared {
            exporter: name,
            shards: Arc::new(Shards::new(batch.clone(), memory)),
            desk: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let worker_shared = Arc::clone(&shared);
        thread::Builder::new()
            .name("biztrace-export".into())
            .spawn(move || {
                let _suppressed = Context::enter_telemetry_suppressed_scope();
                let _ended = EndedOnDrop(Arc::clone(&worker_shared));
                runtime.block_on(async {
                    let worker = Worker {
                        shared: worker_shared,
                        exporter: exporter(),
                        resource,
                        batch,
                        pending: VecDeque::new(),
                        held,
                        spares: Vec::new(),
                        buffer: Vec::new(),
                        said: Said::default(),
                    };
                    worker.run().await;
                });
            })
            .map_err(Error::Thread)?;
        Ok(Self(shared))
    }

    pub(crate) fn sink(&self) -> Arc<dyn Sink> {
        Arc::clone(&self.0.shards) as Arc<dyn Sink>
    }

    pub(crate) fn report(&self) -> ExporterReport {
        self.0.report()
    }

    /// Has the export thread send all that has ended, until `timeout` is over, then calls `done`; with `close` it takes
    /// nothing more and ends. Calls `done` at once where it has ended before.
    pub(crate) fn flush(
        &self,
        timeout: Duration,
        close: bool,
        done: impl FnOnce() + Send + 'static,
    ) {
        let mut desk = self.0.desk();
        if desk.ended {
            drop(desk);
            done();
            return;
        }
        desk.orders.push(Order {
            deadline: after(timeout),
            close,
            done: Box::new(done),
        });
        drop(desk);
        self.0.shards.wake.notify_one();
    }

    /// Like [`flush`](Self::flush), to be waited for.
    pub(crate) fn flush_waiting(&self, timeout: Duration, close: bool) -> Flushing {
        let (done, wait) = mpsc::sync_channel(1);
        self.flush(timeout, close, move || {
            let _ = done.send(());
        });
        Flushing { wait, timeout }
    }
}

/// A flush under way.
#[must_use]
pub(crate) struct Flushing {
    wait: mpsc::Receiver<()>,
    timeout: Duration,
}

impl Flushing {
    /// Blocks until it is done, or has overrun its time: an exporter may be stuck in a call that cannot be cut short, a write
    /// to the console for one.
    pub(crate) fn wait(self) {
        let _ = self.wait.recv_timeout(self.timeout.saturating_add(GRACE));
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.flush(DROP_TIMEOUT, true, || {});
    }
}

/// How much later than its deadline an answer of the export thread may come.
const GRACE: Duration = Duration::from_secs(1);

/// How long the export thread of an instance that was not shut down tries to send the rest.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// The moment that is `duration` from now; of one that a clock cannot hold, one that nobody lives to see.
fn after(duration: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    Instant::now() + duration.min(CENTURY)
}

/// Answers what is still asked of an export thread that ends, by a panic of its exporter too.
struct EndedOnDrop(Arc<Shared>);

impl Drop for EndedOnDrop {
    fn drop(&mut self) {
        self.0.shards.close();
        let mut desk = self.0.desk();
        desk.ended = true;
        let mut lost = std::mem::take(&mut desk.waiting);
        let shards = &self.0.shards;
        shards.take(true, &mut Vec::new(), |chunk| {
            lost += chunk.spans() as u64;
            shards.memory.give_back(chunk.len());
        });
        desk.dropped.add(DropReason::Shutdown, lost);
        if lost > 0 {
            diag::warn(format_args!(
                "{}: {lost} spans were not sent when the export thread ended",
                self.0.exporter
            ));
        }
        let orders = std::mem::take(&mut desk.orders);
        drop(desk);
        orders.into_iter().for_each(|order| (order.done)());
    }
}

struct Worker<E> {
    shared: Arc<Shared>,
    exporter: E,
    resource: Vec<u8>,
    batch: Batch,
    pending: VecDeque<Runs>,
    /// What of the memory is in its hands: what is pending or under way, and what it keeps.
    held: Held,
    /// Emptied chunks for the threads to fill again.
    spares: Vec<Runs>,
    /// For the next request's body.
    buffer: Vec<u8>,
    said: Said,
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
            let (orders, close) = self.shared.desk().asked();
            if close {
                self.shared.shards.close();
            }
            let partial = orders > 0 || Instant::now() >= due;
            if partial {
                due = after(self.batch.schedule_delay);
            }
            self.collect(partial);
            self.send_pending(partial).await;
            if orders > 0 {
                self.settle_exporter(close).await;
            }
            self.said.say(&self.shared);
            if close {
                // EndedOnDrop counts what the deadline left, and answers.
                return;
            }
            let served: Vec<_> = self.shared.desk().orders.drain(..orders).collect();
            served.into_iter().for_each(|order| (order.done)());
        }
    }

    /// Has the exporter flush, or close, within the orders' deadline.
    async fn settle_exporter(&mut self, close: bool) {
        let deadline = self.shared.desk().deadline().unwrap_or_else(Instant::now);
        let left = deadline.saturating_duration_since(Instant::now());
        let settled = async {
            if close {
                self.exporter.close(left).await
            } else {
                self.exporter.flush().await
            }
        };
        if let Ok(Err(failure)) = timeout_at(deadline, settled).await {
            self.said.last_message = failure.message;
        }
    }

    fn collect(&mut self, partial: bool) {
        let Self {
            shared,
            pending,
            held,
            spares,
            ..
        } = self;
        let mut desk = shared.desk();
        shared.shards.take(partial, spares, |chunk| {
            desk.waiting += chunk.spans() as u64;
            held.adopt(chunk.len());
            pending.push_back(chunk);
        });
    }

    /// Sends what is pending, or only as much of it as fills requests, until the orders' deadline. An order that comes
    /// meanwhile brings its own.
    async fn send_pending(&mut self, partial: bool) {
        let mut deadline = self.shared.desk().deadline();
        let mut woken = false;
        while (partial || spans(&self.pending) >= self.shared.shards.enough())
            && deadline.is_none_or(|deadline| Instant::now() < deadline)
            && let Some(batch) = take_batch(&mut self.pending, self.batch.max_export_batch_size)
        {
            let request = frame(&self.resource, &batch, std::mem::take(&mut self.buffer));
            let (spans, body, sent) = (request.spans, request.body.clone(), request.sent.clone());
            self.shared
                .shards
                .queued
                .fetch_sub(spans as usize, Ordering::Relaxed);
            // The body has as many bytes as the chunks that it was framed of.
            let bytes: usize = batch.iter().map(Runs::len).sum();
            self.recycle(batch);

            let limit = after(self.batch.export_timeout);
            let earlier = Earlier::default();
            let result = {
                let export = deliver(&mut self.exporter, request, limit, &earlier);
                tokio::pin!(export);
                loop {
                    let limit = deadline.map_or(limit, |deadline| deadline.min(limit));
                    tokio::select! {
                        biased;
                        result = &mut export => break result,
                        () = sleep_until(limit) => {
                            break Err(Failure::cut_short(&sent, earlier.take()));
                        }
                        () = self.shared.shards.wake.notified() => {
                            woken = true;
                            deadline = self.shared.desk().deadline();
                        }
                    }
                }
            };
            self.shared.desk().settle(spans, &result);
            self.said.result(&result);
            self.recycle_body(body);
            self.held.release(bytes);
        }
        if woken {
            // Full chunks, or an order, came meanwhile: look again.
            self.shared.shards.wake.notify_one();
        }
    }
}

impl<E> Worker<E> {
    fn recycle(&mut self, batch: Vec<Runs>) {
        for mut chunk in batch.into_iter().take(SPARES - self.spares.len()) {
            chunk.reset(CHUNK_BYTES);
            self.spares.push(chunk);
        }
    }

    /// Memory of that size would be mapped, cleared and unmapped for each request, which stops the other threads as well.
    fn recycle_body(&mut self, body: Bytes) {
        if body.is_unique() {
            self.buffer = body.into();
            self.buffer.clear();
            self.buffer.shrink_to(BUFFER_BYTES);
        }
    }
}

impl Failure {
    /// Of a request that was given up after `earlier`.
    fn cut_short(sent: &Sent, earlier: Option<Self>) -> Self {
        let (reason, problem) = sent.unanswered();
        earlier
            .filter(|_| reason == DropReason::Unreachable)
            .unwrap_or_else(|| Self::permanent(reason, problem))
    }
}

impl Desk {
    /// How many orders there are, and whether one of them is to close. They stay here until they are served, so that they
    /// are answered even if the exporter panics.
    fn asked(&self) -> (usize, bool) {
        (
            self.orders.len(),
            self.orders.iter().any(|order| order.close),
        )
    }

    /// When the first order wants to be served.
    fn deadline(&self) -> Option<Instant> {
        self.orders.iter().map(|order| order.deadline).min()
    }

    fn settle(&mut self, spans: u64, result: &Result<Delivery, Failure>) {
        self.waiting -= spans;
        match result {
            Ok(delivery) => {
                let rejected = delivery.rejected.min(spans);
                self.delivered += spans - rejected;
                self.dropped.add(DropReason::Rejected, rejected);
            }
            Err(failure) => self.dropped.add(failure.reason, spans),
        }
    }
}

/// What the log was told of lost spans: once a minute at the most.
#[derive(Default)]
struct Said {
    at: Option<Instant>,
    dropped: u64,
    last_message: String,
}

const SAY_EVERY: Duration = Duration::from_secs(60);

impl Said {
    fn result(&mut self, result: &Result<Delivery, Failure>) {
        match result {
            Ok(delivery) if delivery.rejected > 0 => {
                self.last_message.clone_from(&delivery.message)
            }
            Ok(_) => {}
            Err(failure) => self.last_message.clone_from(&failure.message),
        }
    }

    fn say(&mut self, shared: &Shared) {
        let dropped = shared.report().dropped;
        if !self.is_due(dropped.total(), Instant::now()) {
            return;
        }
        let trouble = if self.last_message.is_empty() {
            ""
        } else {
            "; last trouble: "
        };
        diag::warn(format_args!(
            "{}: spans dropped so far: {dropped}{trouble}{}",
            shared.exporter, self.last_message
        ));
    }

    /// Whether `dropped` spans in all are news, and some time has gone since the last.
    fn is_due(&mut self, dropped: u64, now: Instant) -> bool {
        let is_soon = self.at.is_some_and(|at| now - at < SAY_EVERY);
        if is_soon || dropped == self.dropped {
            return false;
        }
        (self.dropped, self.at) = (dropped, Some(now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_said_once_a_minute_at_most() {
        let (mut said, start) = (Said::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        for (seconds, dropped, is_due) in [
            (0, 0, false),
            (1, 5, true),
            (2, 9, false),
            (60, 9, false),
            (61, 9, true),
            (200, 9, false),
            (201, 10, true),
        ] {
            assert_eq!(
                said.is_due(dropped, at(seconds)),
                is_due,
                "{dropped} after {seconds} s"
            );
        }
    }
}
