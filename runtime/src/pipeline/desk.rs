//! What an export thread shares with those who ask of it: orders, and its books.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak, mpsc};
use std::time::Instant as Moment;

use tokio::time::Instant;

use super::report::{DropReason, Dropped, ExporterReport};
use super::shard::{End, Shards};
use super::{Delivery, Failure, Sent};
use crate::diag;
use crate::recorder::{Recorder, Waiting};

#[derive(Debug)]
pub(super) struct Shared {
    /// Its name.
    pub(super) exporter: &'static str,
    pub(super) shards: Arc<Shards>,
    pub(super) desk: Mutex<Desk>,
    /// Whose traces it looks at for spans that have ended and wait.
    pub(super) recorder: OnceLock<Weak<Recorder>>,
}

/// What the export thread shares with those who ask of it.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) orders: Vec<Order>,
    pub(super) ended: bool,
    /// Spans in the export thread's hands.
    pub(super) waiting: u64,
    /// The request under way, whose spans are among them.
    pub(super) sending: Option<Sending>,
    delivered: u64,
    dropped: Dropped,
}

pub(super) struct Sending {
    pub(super) spans: u64,
    pub(super) sent: Sent,
}

/// A wish to see everything sent that has ended by now.
pub(super) struct Order {
    /// Until when to try before all is closed, if it is to be. By the system's clock: that of the caller's runtime may be paused.
    pub(super) close_by: Option<Moment>,
    /// Nothing is ever sent: the order is served when this is gone.
    pub(super) _done: mpsc::Sender<Infallible>,
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
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the recorder hand over spans that wait for others of their traces. Returns whether more may wait than it is to hand over at
    /// once.
    pub(super) fn look_for_waiting(&self, which: Waiting, enough: usize) -> bool {
        let recorder = self.recorder.get().and_then(Weak::upgrade);
        recorder.is_some_and(|recorder| recorder.hand_over(which, enough))
    }

    /// Closes the books: whatever has not been sent by now is dropped. Answers what is still asked.
    pub(super) fn end(&self, why: End) {
        // Spans that have ended are lost for the same reason, whatever they wait for. Only a shutdown decides what is open: other
        // exporters of the recorder may want it.
        let which = match why {
            End::Shutdown => Waiting::All,
            End::Died => Waiting::Decided,
        };
        self.look_for_waiting(which, usize::MAX);
        self.shards.close(why);
        let mut desk = self.desk();
        if desk.ended {
            return;
        }
        desk.ended = true;
        let exporter = self.exporter;
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
        // Whoever waits for an answer has the last word said, too.
        match (why, unsent) {
            (End::Died, _) => diag::warn(format_args!(
                "{exporter}: the export thread has panicked: {unsent} spans were not sent, nor will any be from now on"
            )),
            (End::Shutdown, 0) => {}
            (End::Shutdown, _) => diag::warn(format_args!(
                "{exporter}: {unsent} spans were not sent when the export thread ended"
            )),
        }
        desk.orders.clear();
    }

    pub(super) fn report(&self) -> ExporterReport {
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

impl Desk {
    /// How many orders there are, and whether it is time to close. They stay here until they are served, so that they are
    /// answered even if the exporter panics.
    pub(super) fn asked(&self) -> (usize, bool) {
        (self.orders.len(), self.deadline().is_some())
    }

    /// Lets the first `orders` go, which are served.
    pub(super) fn served(&mut self, orders: usize) {
        // There are none left if the books were closed meanwhile.
        let orders = orders.min(self.orders.len());
        self.orders.drain(..orders);
    }

    /// Until when to try, if all is to be closed; once the books are, nothing is to be done any more.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.ended {
            return Some(Instant::now());
        }
        let first = self.orders.iter().filter_map(|order| order.close_by).min();
        first.map(Instant::from_std)
    }

    /// Books the request under way, unless the books were closed over it.
    pub(super) fn settle(&mut self, result: &Result<Delivery, Failure>) {
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
