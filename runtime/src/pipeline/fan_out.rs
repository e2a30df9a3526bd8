//! Several pipelines behind one recorder: each has its own queue and thread, so that a slow receiver harms no other.

use std::sync::Arc;

use crate::recorder::{Refusal, Runs, Sink};

/// Hands each trace to all of its sinks.
#[derive(Debug)]
pub(crate) struct FanOut(pub(crate) Vec<Arc<dyn Sink>>);

impl Sink for FanOut {
    fn span_ended(&self, trace: Option<&Runs>) {
        self.0.iter().for_each(|sink| sink.span_ended(trace));
    }

    fn hand_over(&self, spans: &Runs) {
        self.0.iter().for_each(|sink| sink.hand_over(spans));
    }

    fn span_refused(&self, why: Refusal) {
        self.0.iter().for_each(|sink| sink.span_refused(why));
    }
}
