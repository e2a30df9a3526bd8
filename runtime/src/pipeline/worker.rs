//! The export thread: a runtime of its own, whatever the host's, with telemetry suppressed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant as Moment};

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
    /// The request under way, whose spans are among them.
    sending: Option<Sending>,
    delivered: u64,
    dropped: Dropped,
}

struct Sending {
    spans: u64,
    sent: Sent,
}

/// A wish to see everything sent that has ended by now.
struct Order {
    /// Until when to try before all is closed, if it is to be.
    close_by: Option<Instant>,
    /// Nothing is ever sent: the order is served when this is gone.
    _done: mpsc::Sender<Infallible>,
}

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

    /// Closes the books: whatever has not been sent by now is dropped. Answers what is still asked.
    fn end(&self) {
        self.shards.close();
        let mut desk = self.desk();
        if desk.ended {
            return;
        }
        desk.ended = true;
        let mut unsent = std::mem::take(&mut desk.waiting);
        if let Some(Sending { spans, sent }) = desk.sending.take()
            && sent.unanswered().0 == DropReason::Unknown
        {
            desk.dropped.add(DropReason::Unknown, spans);
            unsent -= spans;
        }
        self.shards.take(true, &mut Vec::new(), |chunk| {
            unsent += chunk.spans() as u64;
            self.shards.memory.give_back(chunk.len());
        });
        desk.dropped.add(DropReason::Shutdown, unsent);
        if unsent > 0 {
            diag::warn(format_args!(
                "{}: {unsent} spans were not sent when the export thread ended",
                self.exporter
            ));
        }
        desk.orders.clear();
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

    /// Has the export thread send all that has ended.
    pub(crate) fn flush(&self, timeout: Duration) -> Flushing {
        self.order(None, after(timeout))
    }

    /// Has the export thread send all that has ended, until `timeout` is over, take nothing more and end.
    pub(crate) fn close(&self, timeout: Duration) -> Flushing {
        let close_by = after(timeout);
        self.order(Some(close_by), close_by + GRACE)
    }

    fn order(&self, close_by: Option<Instant>, until: Instant) -> Flushing {
        let (done, wait) = mpsc::channel();
        let mut desk = self.0.desk();
        if !desk.ended {
            desk.orders.push(Order {
                close_by,
                _done: done,
            });
        }
        drop(desk);
        self.0.shards.wake.notify_one();
        Flushing {
            shared: Arc::clone(&self.0),
            wait,
            until: until.into_std(),
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
    /// Blocks until it is done, or its time is over: an exporter may be stuck in a call that cannot be cut short, a write to the
    /// console for one. If all was to be closed, the books are closed without the export thread then.
    pub(crate) fn wait(self) {
        let left = self.until.saturating_duration_since(Moment::now());
        let is_late = self.wait.recv_timeout(left) == Err(RecvTimeoutError::Timeout);
        if is_late && self.close {
            self.shared.end();
        }
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.close(DROP_TIMEOUT);
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

/// Closes the books of an export thread that ends, by a panic of its exporter too.
struct EndedOnDrop(Arc<Shared>);

impl Drop for EndedOnDrop {
    fn drop(&mut self) {
        self.0.end();
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
            self.said.say(&self.shared, close);
            if close {
                // EndedOnDrop counts what the deadline left, and answers.
                return;
            }
            self.shared.desk().served(orders);
        }
    }

    /// Has the exporter flush, or close until the deadline.
    async fn settle_exporter(&mut self, close: bool) {
        let limit = after(self.batch.export_timeout);
        let limit = self.shared.desk().deadline().unwrap_or(limit);
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
            Ok(Err(failure)) => self.said.trouble(failure.message),
            Err(_) => self.said.trouble(format!(
                "it did not {} in time",
                if close { "shut down" } else { "flush" }
            )),
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

    /// Sends what is pending, or only as much of it as fills requests, until the deadline if all is to be closed, as it may be
    /// meanwhile.
    async fn send_pending(&mut self, partial: bool) {
        let mut woken = false;
        while partial || spans(&self.pending) >= self.shared.shards.enough() {
            let mut deadline = self.shared.desk().deadline();
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
            let bytes: usize = batch.iter().map(Runs::len).sum();
            self.recycle(batch);
            self.shared.desk().sending = Some(Sending {
                spans,
                sent: sent.clone(),
            });

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
                            let cause = match deadline {
                                Some(deadline) if deadline <= limit => "before the shutdown's deadline",
                                _ => "before the time of an export was over (OTEL_BSP_EXPORT_TIMEOUT)",
                            };
                            break Err(Failure::cut_short(&sent, earlier.take(), cause));
                        }
                        () = self.shared.shards.wake.notified() => {
                            woken = true;
                            deadline = self.shared.desk().deadline();
                        }
                    }
                }
            };
            self.shared.desk().settle(&result);
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
    /// Of a request that was given up after `earlier`, when `cause`.
    fn cut_short(sent: &Sent, earlier: Option<Self>, cause: &str) -> Self {
        let (reason, answer) = sent.unanswered();
        earlier
            .filter(|_| reason == DropReason::Unreachable)
            .unwrap_or_else(|| Self::permanent(reason, format!("{answer} {cause}")))
    }
}

impl Desk {
    /// How many orders there are, and whether it is time to close. They stay here until they are served, so that they are
    /// answered even if the exporter panics.
    fn asked(&self) -> (usize, bool) {
        (self.orders.len(), self.deadline().is_some())
    }

    /// Lets the first `orders` go, which are served.
    fn served(&mut self, orders: usize) {
        // There are none left if the books were closed meanwhile.
        let orders = orders.min(self.orders.len());
        self.orders.drain(..orders);
    }

    /// Until when to try, if all is to be closed; once the books are, nothing is to be done any more.
    fn deadline(&self) -> Option<Instant> {
        if self.ended {
            return Some(Instant::now());
        }
        self.orders.iter().filter_map(|order| order.close_by).min()
    }

    /// Books the request under way, unless the books were closed over it.
    fn settle(&mut self, result: &Result<Delivery, Failure>) {
        let Some(Sending { spans, .. }) = self.sending.take() else {
            return;
        };
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

/// What the log was told of lost spans and other trouble: once a minute at the most.
#[derive(Default)]
struct Said {
    at: Option<Instant>,
    dropped: u64,
    last_message: String,
    /// Whether that is news although it cost no spans.
    is_news: bool,
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

    /// The exporter itself could not flush or close.
    fn trouble(&mut self, message: String) {
        (self.last_message, self.is_news) = (message, true);
    }

    /// Says what is new. At the end that cannot wait.
    fn say(&mut self, shared: &Shared, is_last: bool) {
        let dropped = shared.report().dropped;
        if !self.is_due(dropped.total(), Instant::now(), is_last) {
            return;
        }
        let (exporter, message) = (shared.exporter, &self.last_message);
        match (dropped.total(), &**message) {
            (0, _) => diag::warn(format_args!("{exporter}: {message}")),
            (_, "") => diag::warn(format_args!("{exporter}: spans dropped so far: {dropped}")),
            _ => diag::warn(format_args!(
                "{exporter}: spans dropped so far: {dropped}; last trouble: {message}"
            )),
        }
    }

    /// Whether there is news, `dropped` spans in all for one, and it is time to say so.
    fn is_due(&mut self, dropped: u64, now: Instant, is_last: bool) -> bool {
        let is_soon = self.at.is_some_and(|at| now - at < SAY_EVERY);
        let is_news = self.is_news || dropped != self.dropped;
        if !is_news || (is_soon && !is_last) {
            return false;
        }
        (self.dropped, self.at, self.is_news) = (dropped, Some(now), false);
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
        for (seconds, dropped, is_last, is_due) in [
            (0, 0, false, false),
            (1, 5, false, true),
            (2, 9, false, false),
            (60, 9, false, false),
            (61, 9, false, true),
            (200, 9, false, false),
            (201, 10, false, true),
            (202, 10, true, false),
            (203, 11, true, true),
        ] {
            assert_eq!(
                said.is_due(dropped, at(seconds), is_last),
                is_due,
                "{dropped} after {seconds} s"
            );
        }
        said.trouble("no room".into());
        assert!(said.is_due(11, at(300), false), "no span was lost");
        assert!(!said.is_due(11, at(400), false), "it is said already");
    }
}
