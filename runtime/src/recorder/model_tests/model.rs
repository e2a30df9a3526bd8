//! What must be true of a recorder after some operations.

use super::{Decides, Op, Place, Plan, SPANS, Style, TRACES};

/// What is to be true of a recorder.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    pub(super) spans: Vec<Span>,
    pub(super) traces: usize,
    verdicts: [Verdict; TRACES],
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
    has_failed: bool,
    pub(super) has_arrived: bool,
    /// The reason that it has arrived with.
    pub(super) reason: Option<&'static str>,
    pub(super) is_dropped: bool,
}

/// On a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Verdict {
    #[default]
    None,
    /// For that reason.
    Kept(Option<&'static str>),
    Dropped,
    /// Dropped, and then a span has failed.
    Upgraded,
}

impl Span {
    /// Whether the span has ended and waits for others.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_recorded && !self.is_open && !self.has_arrived && !self.is_dropped
    }
}

impl Model {
    /// The operations that may come next, but those that do the same as others.
    pub(super) fn next(&self, plan: Plan<'_>, mut add: impl FnMut(Op)) {
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
                if span.is_open
                    && !span.has_failed
                    && matches!(plan.decides, Decides::Failed { .. })
                {
                    add(Op::Fail(i));
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
            add(Op::TakeAll);
            if plan.decides != Decides::AtOnce {
                add(Op::Flush);
            }
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

    pub(super) fn apply(&mut self, plan: Plan<'_>, op: Op, is_recorded: bool) {
        match op {
            Op::Root { kept, .. } => {
                self.start(plan, self.traces, None, kept, is_recorded);
                self.traces += 1;
            }
            Op::Child { of, kept, .. } => {
                self.start(plan, self.spans[of].trace, Some(of), kept, is_recorded);
            }
            Op::Fail(span) => self.spans[span].has_failed = true,
            Op::End(span, on) => {
                self.spans[span].is_held &= plan.style != Style::RunScope;
                self.end(plan, span, on);
            }
            Op::Drop(span, on) => {
                self.spans[span].is_held = false;
                self.end(plan, span, on);
            }
            Op::Forget(span, _) => self.spans[span].is_kept = false,
            Op::Sweep | Op::TakeAll => self.settle_all(plan),
            // What is decided has gone already.
            Op::Flush => {}
            Op::Close => self.is_closed = true,
            Op::ThreadEnds(place) => self.has_pooled[place as usize] = false,
            Op::Starve => self.is_starved = true,
            Op::Relieve => self.is_starved = false,
        }
    }

    fn start(
        &mut self,
        plan: Plan<'_>,
        trace: usize,
        parent: Option<usize>,
        is_kept: bool,
        is_recorded: bool,
    ) {
        let is_full = (plan.spans_per_trace).is_some_and(|most| self.open_in(trace) == most);
        assert!(
            is_recorded != is_full || self.is_starved,
            "the span is recorded"
        );
        self.spans.push(Span {
            trace,
            parent,
            is_recorded,
            is_held: is_recorded,
            is_kept: is_kept && is_recorded,
            is_open: is_recorded,
            has_failed: false,
            has_arrived: false,
            reason: None,
            is_dropped: false,
        });
    }

    fn end(&mut self, plan: Plan<'_>, span: usize, on: Place) {
        let trace = self.spans[span].trace;
        if !std::mem::take(&mut self.spans[span].is_open) {
            return;
        }
        let is_last = self.open_in(trace) == 0;
        self.has_pooled[on as usize] |= is_last;
        // The verdict on a trace is that on all that comes later.
        let is_decided = self.verdicts[trace] != Verdict::None;
        let of_trace = self.spans.iter().filter(|span| span.trace == trace);
        let waiting = of_trace.filter(|span| span.is_waiting()).count();
        let is_half_full = (plan.spans_per_trace).is_some_and(|most| waiting > most / 2);
        if is_last || is_decided || is_half_full {
            self.settle(plan, trace);
        }
    }

    /// What has ended arrives, or is dropped.
    fn settle(&mut self, plan: Plan<'_>, trace: usize) {
        let mut verdict = match (self.verdicts[trace], plan.decides) {
            (Verdict::None, Decides::AtOnce) => Verdict::Kept(None),
            (Verdict::None, Decides::Late) => Verdict::Kept(Some("verdict")),
            (Verdict::None, Decides::Failed { head }) => {
                let mut of_trace = self.spans.iter().filter(|span| span.trace == trace);
                match of_trace.any(|span| span.has_failed) {
                    true => Verdict::Kept(Some("error")),
                    false if head == trace => Verdict::Kept(Some("head")),
                    false => Verdict::Dropped,
                }
            }
            (verdict, _) => verdict,
        };
        let waiting = self.spans.iter_mut().filter(|span| span.is_waiting());
        for span in waiting.filter(|span| span.trace == trace) {
            let is_first = span.parent.is_none();
            let upgrades = verdict == Verdict::Dropped && span.has_failed;
            if upgrades {
                verdict = Verdict::Upgraded;
            }
            match verdict {
                Verdict::None | Verdict::Dropped => span.is_dropped = true,
                Verdict::Kept(reason) => {
                    span.has_arrived = true;
                    span.reason = reason.filter(|_| is_first);
                }
                Verdict::Upgraded => {
                    span.has_arrived = true;
                    span.reason = (upgrades || is_first).then_some("late_error");
                }
            }
        }
        if plan.decides != Decides::AtOnce {
            self.verdicts[trace] = verdict;
        }
    }

    /// Settles the traces that have something waiting.
    fn settle_all(&mut self, plan: Plan<'_>) {
        for trace in 0..self.traces {
            let mut of_trace = self.spans.iter().filter(|span| span.trace == trace);
            if of_trace.any(Span::is_waiting) {
                self.settle(plan, trace);
            }
        }
    }

    /// All handles go, those of the first spans first.
    pub(super) fn finish(&mut self, plan: Plan<'_>) {
        for span in 0..self.spans.len() {
            self.end(plan, span, Place::A);
            let span = &mut self.spans[span];
            (span.is_held, span.is_kept) = (false, false);
        }
        self.has_pooled = [false; 2];
        self.settle_all(plan);
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
