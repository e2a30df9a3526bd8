//! Which chunks the next request takes: deficit round robin between the tiers, inside the request.
//!
//! ```text
//! tier 0, weight 3 │ chunk │ chunk │ chunk │   ─► 3 quanta ─┐
//! tier 1, weight 1 │ chunk │ chunk │ …         ─► 1 quantum ─┼─► request
//! ```
//! The tiers take turns. In its turn a tier may send its weight times a quantum of spans. Chunks are split where the turn, or the
//! request, ends within one, so a tier's turn that a request cuts short goes on in the next request. The quantum is chosen so that a
//! round fills a request: then each request has spans of all tiers that wait, and few chunks are split. A tier that has nothing loses
//! its turn, and a tier that waits alone fills whole requests.

use std::collections::VecDeque;

use super::tier::{Tier, TierCounts};
use crate::recorder::EncodedSpans;

/// Receivers refuse requests of more than 4 MiB: this much of one may be spans, the rest is for resource and scopes.
const MAX_BYTES: usize = 4 * 1024 * 1024 - 64 * 1024;

/// The chunks that the export thread has taken and not sent yet.
#[derive(Debug)]
pub(super) struct Pending {
    tiers: Vec<TierQueue>,
    /// Spans of a request at most.
    max_spans: usize,
    /// The tier whose turn it is.
    turn: usize,
    /// Spans that this tier may still send in its turn.
    deficit: usize,
}

#[derive(Debug)]
struct TierQueue {
    chunks: VecDeque<EncodedSpans>,
    weight: usize,
    /// Spans that are worth a request.
    enough: usize,
    /// Spans in the chunks.
    spans: usize,
    /// How many of them the pass under way is to send.
    due: usize,
}

/// The chunks of one request.
#[derive(Debug, Default)]
pub(super) struct RequestChunks {
    pub(super) chunks: Vec<EncodedSpans>,
    pub(super) spans: TierCounts,
    pub(super) bytes: TierCounts,
}

impl RequestChunks {
    fn push(&mut self, tier: usize, chunk: EncodedSpans) {
        self.spans.add(tier, chunk.spans() as u64);
        self.bytes.add(tier, chunk.len() as u64);
        self.chunks.push(chunk);
    }
}

impl Pending {
    pub(super) fn new(tiers: &[Tier], max_spans: usize) -> Self {
        let queue = |tier: &Tier| TierQueue {
            chunks: VecDeque::new(),
            weight: tier.weight,
            enough: tier.enough,
            spans: 0,
            due: 0,
        };
        Self {
            tiers: tiers.iter().map(queue).collect(),
            max_spans,
            turn: 0,
            deficit: 0,
        }
    }

    pub(super) fn push(&mut self, tier: usize, chunk: EncodedSpans) {
        let tier = &mut self.tiers[tier];
        tier.spans += chunk.spans();
        tier.chunks.push_back(chunk);
    }

    pub(super) fn has_several_tiers(&self) -> bool {
        self.tiers.len() > 1
    }

    /// Begins a pass, which is to send all that is pending now.
    pub(super) fn begin_pass(&mut self) {
        self.tiers.iter_mut().for_each(|tier| tier.due = tier.spans);
    }

    /// Whether the pass has not sent all yet.
    pub(super) fn is_due(&self) -> bool {
        self.tiers.iter().any(|tier| tier.due > 0)
    }

    /// Whether it is worth a request.
    pub(super) fn is_enough(&self) -> bool {
        let spans = || self.tiers.iter().map(|tier| tier.spans).sum::<usize>();
        self.tiers.iter().any(|tier| tier.spans >= tier.enough) || spans() >= self.max_spans
    }

    /// Takes the chunks of the next request: as many spans as it may have at the most, one at the least.
    pub(super) fn take_request(&mut self) -> Option<RequestChunks> {
        let mut request = RequestChunks::default();
        let (mut room, mut bytes) = (self.max_spans, MAX_BYTES);
        let quantum = self.quantum();
        while room > 0
            && let Some(is_alone) = self.take_turn(quantum)
        {
            let Some(mut chunk) = self.tiers[self.turn].chunks.pop_front() else {
                break;
            };
            let is_first = request.chunks.is_empty();
            let most = if is_alone {
                room
            } else {
                room.min(self.deficit)
            };
            // To split a chunk is to copy it. Without tenants that is only done where no request takes the chunk.
            let may_split = is_first || self.tiers.len() > 1;
            let is_split = chunk.spans() > most && may_split || chunk.len() > MAX_BYTES && is_first;
            let tier = &mut self.tiers[self.turn];
            if is_split {
                tier.chunks.push_front(chunk.split_off(most, MAX_BYTES));
            }
            if !is_first && (chunk.spans() > room || chunk.len() > bytes) {
                tier.chunks.push_front(chunk);
                break;
            }
            room -= chunk.spans();
            bytes = bytes.saturating_sub(chunk.len());
            tier.spans -= chunk.spans();
            tier.due = tier.due.saturating_sub(chunk.spans());
            // What a tier does not use of its turn is lost.
            self.deficit = match tier.spans {
                0 => 0,
                _ => self.deficit.saturating_sub(chunk.spans()),
            };
            request.push(self.turn, chunk);
        }
        (!request.chunks.is_empty()).then_some(request)
    }

    fn waiting(&self) -> impl Iterator<Item = &TierQueue> {
        self.tiers.iter().filter(|tier| tier.spans > 0)
    }

    /// Spans by weight in each turn.
    fn quantum(&self) -> usize {
        let weights: usize = self.waiting().map(|tier| tier.weight).sum();
        (self.max_spans / weights.max(1)).max(1)
    }

    /// Gives the turn to the next tier that waits, unless the tier that has it may go on. Returns whether that tier waits alone, or `None`
    /// if none waits.
    fn take_turn(&mut self, quantum: usize) -> Option<bool> {
        let waiting = self.waiting().count();
        if waiting == 0 {
            return None;
        }
        if self.deficit == 0 {
            let number = self.tiers.len();
            let mut next = (1..=number).map(|step| (self.turn + step) % number);
            self.turn = next.find(|tier| self.tiers[*tier].spans > 0)?;
            self.deficit = quantum.saturating_mul(self.tiers[self.turn].weight);
        }
        Some(waiting == 1)
    }
}

#[cfg(test)]
mod tests;
