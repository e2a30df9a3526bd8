//! What must be true of a recorder after some operations.

use super::{Op, Place, Plan, SPANS, Style, TRACES};

/// What is to be true of a recorder.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) spans: Vec<Span>,
    pub(super) traces: usize,
    pub(super) is_closed: bool,
    pub(super) is_starved: bool,
    /// Whether a thread may have pooled something.
    pub(super) has_pooled: [bool; 2],
}

#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) trace: usize,
    pub(super) parent: Option<usize>,
    /// Not, if memory was short.
    pub(super) is_recorded: bool,
    pub(super) is_held: bool,
    pub(super) is_kept: bool,
    pub(super) is_open: bool,
    pub(super) has_arrived: bool,
}

impl Span {
    /// Whether the span has ended and waits for others.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_recorded && !self.is_open && !self.has_arrived
    }
}

impl Model {
    /// The operations that may come next, but those that do the same as others.
    pub(super) fn next(&self, plan: Plan, mut add: impl FnMut(Op)) {
        // Only the first span of a trace takes from a thread's pools, and only the last one gives to them.
        let places = |touches_pools: bool| -> &[Place] {
            if touches_pools || plan.real {
                &[Place::A, Place::B]
            } else {
                &[Place::A]
            }
        };
        // A `Context` is its own clone.
        let keeps: &[bool] = match plan.style {
            Style::Context => &[false],
            Style::Span | Style::RunScope => &[false, true],
        };
        if !self.is_closed && self.spans.len() < SPANS {
            for &kept in keeps {
                // The threads are alike.
                let threads = if self.spans.is_empty() { 1 } else { 2 };
                let room = TRACES - self.traces;
                for &on in places(true).iter().take(threads.min(2 * room)) {
                    add(Op::Root { kept, on });
                }
                for (of, span) in self.spans.iter().enumerate() {
                    let is_late = self.open_in(span.trace) == 0;
                    let has_handle = span.is_held || span.is_kept;
                    for &on in places(is_late).iter().filter(|_| has_handle) {
                        add(Op::Child { of, kept, on });
                    }
                }
            }
        }
        for (i, span) in self.spans.iter().enumerate() {
            let is_last = span.is_open && self.open_in(span.trace) == 1;
            for &on in places(is_last) {
                if span.is_open {
                    add(Op::End(i, on));
                }
                if span.is_held {
                    add(Op::Drop(i, on));
                }
            }
            // While the first handle is there the second one makes no difference.
            if span.is_kept && !span.is_held {
                places(false).iter().for_each(|on| add(Op::Forget(i, *on)));
            }
        }
        if self.waiting() > 0 {
            add(Op::Sweep);
            add(Op::Flush);
        }
        if !self.is_closed && !self.spans.is_empty() {
            add(Op::Close);
        }
        for place in [Place::A, Place::B] {
            if self.has_pooled[place as usize] && !plan.real {
                add(Op::ThreadEnds(place));
            }
        }
        if plan.starves {
            add(if self.is_starved {
                Op::Relieve
            } else {
                Op::Starve
            });
        }
    }

    pub(super) fn apply(&mut self, plan: Plan, op: Op, is_recorded: bool) {
        match op {
            Op::Root { kept, .. } => {
                self.start(self.traces, None, kept, is_recorded);
                self.traces += 1;
            }
            Op::Child { of, kept, .. } => {
                self.start(self.spans[of].trace, Some(of), kept, is_recorded);
            }
            Op::End(span, on) => {
                self.spans[span].is_held &= plan.style != Style::RunScope;
                self.end(plan, span, on);
            }
            Op::Drop(span, on) => {
                self.spans[span].is_held = false;
                self.end(plan, span, on);
            }
            Op::Forget(span, _) => self.spans[span].is_kept = false,
            Op::Sweep | Op::Flush => self.arrive(|_| true),
            Op::Close => self.is_closed = true,
            Op::ThreadEnds(place) => self.has_pooled[place as usize] = false,
            Op::Starve => self.is_starved = true,
            Op::Relieve => self.is_starved = false,
        }
    }

    fn start(&mut self, trace: usize, parent: Option<usize>, is_kept: bool, is_recorded: bool) {
        assert!(is_recorded || self.is_starved, "the span is recorded");
        self.spans.push(Span {
            trace,
            parent,
            is_recorded,
            is_held: is_recorded,
            is_kept: is_kept && is_recorded,
            is_open: is_recorded,
            has_arrived: false,
        });
    }

    fn end(&mut self, plan: Plan, span: usize, on: Place) {
        let trace = self.spans[span].trace;
        if !std::mem::take(&mut self.spans[span].is_open) {
            return;
        }
        let is_last = self.open_in(trace) == 0;
        self.has_pooled[on as usize] |= is_last;
        // The verdict on a trace is that on all that comes later.
        let mut of_trace = self.spans.iter().filter(|span| span.trace == trace);
        let is_decided = plan.undecided && of_trace.any(|span| span.has_arrived);
        if is_last || is_decided {
            self.arrive(|span| span.trace == trace);
        }
    }

    /// What has ended arrives.
    fn arrive(&mut self, which: impl Fn(&Span) -> bool) {
        for span in &mut self.spans {
            span.has_arrived |= span.is_recorded && !span.is_open && which(span);
        }
    }

    /// All handles go.
    pub(super) fn finish(&mut self) {
        for span in &mut self.spans {
            (span.is_open, span.is_held, span.is_kept) = (false, false, false);
        }
        self.has_pooled = [false; 2];
        self.arrive(|_| true);
    }

    pub(super) fn open_in(&self, trace: usize) -> usize {
        let spans = self.spans.iter();
        spans
            .filter(|span| span.trace == trace && span.is_open)
            .count()
    }

    fn waiting(&self) -> usize {
        let spans = self.spans.iter();
        spans.filter(|span| span.is_waiting()).count()
    }
}
