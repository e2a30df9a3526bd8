//! Several pipelines behind one recorder: each has its own queue and thread, so that a slow receiver harms no other.

use std::sync::Arc;

use crate::recorder::{EncodedSpans, Refusal, Sink};
use crate::sampling::TierId;

/// Hands each trace to all of its sinks.
#[derive(Debug)]
pub(crate) struct FanOut(pub(crate) Vec<Arc<dyn Sink>>);

impl Sink for FanOut {
    fn ended(&self) {
        self.0.iter().for_each(|sink| sink.ended());
    }

    fn kept(&self, spans: &EncodedSpans, new: u64, tier: Option<TierId>) {
        self.0.iter().for_each(|sink| sink.kept(spans, new, tier));
    }

    fn dropped(&self, spans: u64, tier: Option<TierId>) {
        self.0.iter().for_each(|sink| sink.dropped(spans, tier));
    }

    fn refused(&self, why: Refusal) {
        self.0.iter().for_each(|sink| sink.refused(why));
    }
}
