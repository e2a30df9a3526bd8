//! What an export thread shares with the handles of its pipeline: flushes that are asked for, and its counters.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak, mpsc};
use std::time::Instant as Moment;

use tokio::time::Instant;

use super::report::{DropReason, Dropped, ExporterReport, TierReport};
use super::shard::{End, Shards};
use super::tier::TierCounts;
use super::{Delivery, Failure, SendStarted};
use crate::diag;
use crate::recorder::{Recorder, Waiting};

#[derive(Debug)]
pub(super) struct Shared {
    /// The name of the exporter.
    pub(super) exporter: &'static str,
    pub(super) shards: Arc<Shards>,
    pub(super) state: Mutex<WorkerState>,
    /// The recorder whose traces it searches for spans that have ended and wait.
    pub(super) recorder: OnceLock<Weak<Recorder>>,
}

/// The state of an export thread, under the lock.
#[derive(Default)]
pub(super) struct WorkerState {
    pub(super) flushes: Vec<FlushRequest>,
    pub(super) ended: bool,
    /// The request under way. Its spans count as `waiting`, too.
    pub(super) in_flight: Option<InFlight>,
    /// What became of each tier's spans that the export thread has taken.
    pub(super) tiers: Vec<Taken>,
}

/// Spans of a tier that the export thread has taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Taken {
    pub(super) waiting: u64,
    delivered: u64,
    dropped: Dropped,
}

/// A request that the exporter is sending.
pub(super) struct InFlight {
    pub(super) spans: TierCounts,
    pub(super) sent: SendStarted,
}

/// Asks for all spans to be sent that have ended by now.
pub(super) struct FlushRequest {
    /// The deadline of a shutdown; nothing for a flush. By the system's clock, since the clock of the caller's runtime may be paused.
    pub(super) close_by: Option<Moment>,
    /// Nothing is ever sent: the caller is answered when this is dropped.
    pub(super) _done: mpsc::Sender<Infallible>,
}

impl std::fmt::Debug for WorkerState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerState")
            .field("tiers", &self.tiers)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(exporter: &'static str, shards: Arc<Shards>) -> Self {
        let tiers = vec![Taken::default(); shards.tiers.len()];
        Self {
            exporter,
            shards,
            state: Mutex::new(WorkerState {
                tiers,
                ..WorkerState::default()
            }),
            recorder: OnceLock::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, WorkerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the recorder hand over spans that wait for others of their traces. Returns whether more may wait than it is to hand over at
    /// once.
    pub(super) fn look_for_waiting(&self, which: Waiting, enough: usize) -> bool {
        let recorder = self.recorder.get().and_then(Weak::upgrade);
        recorder.is_some_and(|recorder| recorder.hand_over(which, enough))
    }

    /// Counts all that has not been sent by now as dropped, takes nothing more, and answers all callers.
    pub(super) fn end(&self, why: End) {
        // Spans that have ended are lost for the same reason, whatever they wait for. Only a shutdown decides what is open: other
        // exporters of the recorder may want it.
        let which = match why {
            End::Shutdown => Waiting::All,
            End::Died => Waiting::Decided,
        };
        self.look_for_waiting(which, usize::MAX);
        self.shards.close(why);
        let mut state = self.state();
        if state.ended {
            return;
        }
        state.ended = true;
        let exporter = self.exporter;
        if let Some(InFlight { spans, sent }) = state.in_flight.take()
            && sent.unanswered().0 == DropReason::Unknown
        {
            state.drop_spans(&spans, DropReason::Unknown);
        }
        self.shards.take(true, &mut Vec::new(), |tier, chunk| {
            state.tiers[tier].waiting += chunk.spans() as u64;
            self.shards.tiers[tier].memory.give_back(chunk.len());
        });
        let mut unsent = 0;
        for tier in &mut state.tiers {
            let spans = std::mem::take(&mut tier.waiting);
            tier.dropped.add(DropReason::Shutdown, spans);
            unsent += spans;
        }
        // Before the callers are answered: the process may end after that.
        match (why, unsent) {
            (End::Died, _) => diag::warn(format_args!(
                "{exporter}: the export thread has panicked: {unsent} spans were not sent, nor will any be from now on"
            )),
            (End::Shutdown, 0) => {}
            (End::Shutdown, _) => diag::warn(format_args!(
                "{exporter}: {unsent} spans were not sent when the export thread ended"
            )),
        }
        state.flushes.clear();
    }

    pub(super) fn report(&self) -> ExporterReport {
        // The state is locked first, as when the export thread takes chunks: no span moves while both are locked.
        let state = self.state();
        self.shards.at_rest(|all| {
            let mut sum = ExporterReport::new(self.exporter);
            let mut settled = 0;
            for counters in &*all {
                sum.recorded += counters.recorded;
                sum.dropped.merge(&counters.dropped);
                settled += counters.settled();
            }
            sum.waiting = sum.recorded - settled;
            for (i, (tier, taken)) in self.shards.tiers.iter().zip(&state.tiers).enumerate() {
                let (mut kept, mut waiting, mut dropped) = (0, taken.waiting, taken.dropped);
                for counters in &*all {
                    let chunks = &counters.chunks[i];
                    kept += chunks.kept;
                    waiting += chunks.waiting();
                    dropped.merge(&chunks.dropped);
                }
                sum.delivered += taken.delivered;
                sum.dropped.merge(&dropped);
                sum.waiting += waiting;
                if let Some(name) = &tier.name {
                    sum.tiers.push(TierReport {
                        tier: Arc::clone(name),
                        kept,
                        delivered: taken.delivered,
                        dropped,
                        waiting,
                    });
                }
            }
            sum
        })
    }
}

impl WorkerState {
    /// How many flushes are asked for, and whether it is time to close. They stay here until they are served, so that they are
    /// answered even if the exporter panics.
    pub(super) fn asked(&self) -> (usize, bool) {
        (self.flushes.len(), self.deadline().is_some())
    }

    /// Answers the first `flushes`, which are done.
    pub(super) fn served(&mut self, flushes: usize) {
        // None are left if `end` has answered them meanwhile.
        let flushes = flushes.min(self.flushes.len());
        self.flushes.drain(..flushes);
    }

    /// The deadline of the shutdown, if one is asked for; now, after the end.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.ended {
            return Some(Instant::now());
        }
        let first = self.flushes.iter().filter_map(|flush| flush.close_by).min();
        first.map(Instant::from_std)
    }

    /// Counts the spans of the request under way, unless `end` has counted them.
    pub(super) fn settle(&mut self, result: &Result<Delivery, Failure>) {
        let Some(InFlight { spans, .. }) = self.in_flight.take() else {
            return;
        };
        match result {
            Ok(delivery) => {
                let rejected = spans.parts_of(delivery.rejected);
                self.drop_spans(&rejected, DropReason::Rejected);
                for (tier, spans) in spans.since(&rejected).iter() {
                    self.tiers[tier].waiting -= spans;
                    self.tiers[tier].delivered += spans;
                }
            }
            Err(failure) => self.drop_spans(&spans, failure.reason),
        }
    }

    /// Counts spans that the export thread has taken as dropped.
    fn drop_spans(&mut self, spans: &TierCounts, why: DropReason) {
        for (tier, spans) in spans.iter() {
            self.tiers[tier].waiting -= spans;
            self.tiers[tier].dropped.add(why, spans);
        }
    }
}
