//! The export thread.

use std::cell::Cell;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::chunks::CHUNK_BYTES;
use super::deficit::Pending;
use super::loss_log::LossLog;
use super::report::DropReason;
use super::request::frame;
use super::retry::deliver;
use super::shard::{End, Shards};
use super::tier::TierCounts;
use super::worker_state::{InFlight, Shared};
use super::{Delivery, Export, Failure, Request, SendStarted, after};
use crate::config::Batch;
use crate::recorder::{EncodedSpans, Reservation, Waiting};

/// Runs the export thread, until the pipeline is closed.
pub(super) async fn run<E: Export>(
    shared: Arc<Shared>,
    exporter: impl FnOnce() -> E,
    resource: Vec<u8>,
    batch: Batch,
    reservation: Reservation,
) {
    let _ended = EndedOnDrop(Arc::clone(&shared));
    let worker = Worker {
        exporter: exporter(),
        resource,
        pending: Pending::new(&shared.shards.tiers, batch.max_export_batch_size),
        batch,
        held: Held {
            shards: Arc::clone(&shared.shards),
            bytes: TierCounts::default(),
        },
        _reservation: reservation,
        spares: Vec::new(),
        buffer: Vec::new(),
        losses: LossLog::default(),
        shared,
    };
    worker.run().await;
}

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
    pending: Pending,
    held: Held,
    /// For what it keeps when nothing is to be sent.
    _reservation: Reservation,
    /// Emptied chunks for the threads to fill again.
    spares: Vec<EncodedSpans>,
    /// For the next request's body.
    buffer: Vec<u8>,
    losses: LossLog,
}

/// What the pending chunks, and those under way, hold of the tiers' memory. It goes back when this is dropped.
struct Held {
    shards: Arc<Shards>,
    bytes: TierCounts,
}

impl Held {
    fn give_back(&mut self, bytes: TierCounts) {
        for (tier, bytes) in bytes.iter() {
            self.shards.tiers[tier].memory.give_back(bytes as usize);
        }
        self.bytes = self.bytes.since(&bytes);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

/// Emptied chunks that are kept.
const SPARES: usize = 8;

/// What is kept of a request's body: enough for 512 spans of 2 kB.
const BUFFER_BYTES: usize = 1024 * 1024;

/// What an export thread keeps when nothing is to be sent.
pub(super) const OWN_BYTES: usize = SPARES * CHUNK_BYTES + BUFFER_BYTES;

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
        let enough = self.shared.shards.at_once();
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
            held,
            spares,
            ..
        } = self;
        let mut state = shared.state();
        shared.shards.take(partial, spares, |tier, chunk| {
            state.tiers[tier].waiting += chunk.spans() as u64;
            held.bytes.add(tier, chunk.len() as u64);
            pending.push(tier, chunk);
        });
    }

    /// Sends what is pending, or only as much of it as fills requests, until the deadline if all is to be closed, as it may be
    /// meanwhile.
    async fn send_pending(&mut self, partial: bool) {
        let mut woken = false;
        self.pending.begin_pass();
        while self.pending.is_due() && (partial || self.pending.is_enough()) {
            let deadline = self.shared.state().deadline();
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                break;
            }
            let Some(next) = self.pending.take_request() else {
                break;
            };
            let (spans, bytes) = (next.spans, next.bytes);
            let body = std::mem::take(&mut self.buffer);
            let request = frame(&self.resource, &next.chunks, body);
            let (body, sent) = (request.body.clone(), request.sent.clone());
            self.shared.shards.unqueue(&spans);
            self.recycle(next.chunks);
            self.shared.state().in_flight = Some(InFlight { spans, sent });
            let result = self.send(request, deadline, &mut woken).await;
            self.losses.result(&self.shared, &result);
            self.shared.state().settle(&result);
            self.recycle_body(body);
            // The body had as many bytes as the chunks that it was framed of.
            self.held.give_back(bytes);
            self.losses.log(&self.shared, false);
            if self.pending.has_several_tiers() {
                // What one tier has pending must not hold up what another has queued meanwhile.
                self.collect(false);
            }
        }
        if woken {
            // Full chunks, or a flush, came meanwhile: look again.
            self.shared.shards.wake.notify_one();
        }
    }

    /// Sends a request, until `deadline` if all is to be closed. Notes in `woken` whether the thread was woken meanwhile, which may bring
    /// another deadline.
    async fn send(
        &mut self,
        request: Request,
        mut deadline: Option<Instant>,
        woken: &mut bool,
    ) -> Result<Delivery, Failure> {
        let sent = request.sent.clone();
        let timeout = self.batch.export_timeout;
        let limit = after(timeout);
        let earlier = Cell::new(None);
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
                result = &mut export => return result,
                () = sleep_until(limit) => {
                    let cause = match deadline {
                        Some(deadline) if deadline <= limit => "before the shutdown's deadline",
                        _ => "before the timeout of an export (OTEL_BSP_EXPORT_TIMEOUT)",
                    };
                    return Err(Failure::cut_short(&sent, earlier.take(), cause));
                }
                () = self.shared.shards.wake.notified() => {
                    *woken = true;
                    deadline = self.shared.state().deadline();
                }
            }
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
    fn cut_short(sent: &SendStarted, earlier: Option<Self>, cause: &str) -> Self {
        let (reason, answer) = sent.unanswered();
        earlier
            .filter(|_| reason == DropReason::Unreachable)
            .unwrap_or_else(|| Self::permanent(reason, format!("{answer} {cause}")))
    }
}
