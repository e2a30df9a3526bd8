//! A recorder, and all that an application holds of its spans: what the sequences run on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanContext, SpanKind, Status, TraceContextExt, TraceId};
use opentelemetry_proto::tonic::trace::v1::Span as Otlp;

use super::super::known_spans;
use super::super::tests::doubles::{
    CountedIds, DecidesLate, KeepsOne, Received, SimulatedClock, text,
};
use super::super::trace::Pools;
use super::super::{
    ActiveSpan, LocalSpan, Mode, Recorder, RunScope, Sink, Span, Start, Started, Waiting,
};
use super::model::Model;
use super::{Decides, Op, Place, Plan, Style};
use crate::config::Limits;
use crate::sampling::{Keep, Plan as Keeping, Sampler};
use crate::semconv::Outcome;

/// What all cells hold.
#[derive(Debug, Default, PartialEq, Eq)]
struct InCells {
    /// Cells with an open span.
    traces: usize,
    open: usize,
    waiting: usize,
}

fn in_cells(recorder: &Recorder) -> InCells {
    let mut sum = InCells::default();
    for cell in recorder.cells.all() {
        let state = cell.lock();
        sum.waiting += state.waiting();
        sum.traces += usize::from(state.open_spans() > 0);
        sum.open += state.open_spans();
    }
    sum
}

fn record(plan: Plan<'_>, clock: &SimulatedClock) -> (Arc<Recorder>, Arc<Received>) {
    let sink = Arc::new(Received::default());
    let to = Arc::clone(&sink) as Arc<dyn Sink>;
    let mut limits = Limits::default();
    if let Some(spans) = plan.spans_per_trace {
        limits.spans_per_trace = spans;
    }
    let recorder = Recorder::for_tests(Mode::Record, limits, to)
        .with_clock(clock.clone())
        .with_ids(Box::new(CountedIds));
    let recorder = match plan.decides {
        Decides::AtOnce => recorder,
        Decides::Late => recorder.with_sampler(Sampler::of(DecidesLate::keeping(1))),
        Decides::Failed { head } => {
            let head = Sampler::of(KeepsOne::new(head));
            recorder.with_plan(Keeping::new(head, &[], Some(&Keep::errors()), None))
        }
    };
    (Arc::new(recorder), sink)
}

/// The handle that ends a span when it is dropped.
enum Handle {
    Span(Span),
    Context(Context),
    RunScope(RunScope),
}

impl Handle {
    fn new(style: Style, local: LocalSpan) -> Self {
        match style {
            Style::Span => Self::Span(Span::recording(local)),
            Style::Context => Self::Context(Context::new().with_span(Span::recording(local))),
            Style::RunScope => Self::RunScope(RunScope::Span(ActiveSpan::new(local))),
        }
    }

    /// Returns whether the handle stays.
    fn end(&mut self) -> bool {
        match self {
            Self::Span(span) => span.end(),
            Self::Context(cx) => cx.span().end(),
            Self::RunScope(scope) => scope.end(Outcome::Ok),
        }
        !matches!(self, Self::RunScope(RunScope::Nothing))
    }
}

/// All that there is of a span.
struct Handles {
    context: SpanContext,
    held: Option<Handle>,
    kept: Option<LocalSpan>,
}

pub(super) struct World<'a> {
    plan: Plan<'a>,
    clock: SimulatedClock,
    recorders: Vec<(Arc<Recorder>, Arc<Received>)>,
    spans: Vec<Handles>,
    traces: usize,
    /// Of the threads that run the operations.
    pools: [Pools; 2],
    is_starved: bool,
}

impl<'a> World<'a> {
    pub(super) fn new(plan: Plan<'a>) -> Self {
        let clock = SimulatedClock::at(UNIX_EPOCH);
        Self {
            recorders: (0..plan.recorders).map(|_| record(plan, &clock)).collect(),
            plan,
            clock,
            spans: Vec::new(),
            traces: 0,
            pools: [const { Pools::new() }; 2],
            is_starved: false,
        }
    }

    /// Returns whether a span that the operation starts is recorded.
    pub(super) fn apply(&mut self, op: Op) -> bool {
        match op {
            Op::Root { on, .. } | Op::Child { on, .. } => self.on(on, |world| world.start(op)),
            Op::End(span, on) => self.on(on, |world| {
                let span = &mut world.spans[span];
                if !span.held.as_mut().is_some_and(Handle::end) {
                    span.held = None;
                }
            }),
            Op::Drop(span, on) => self.on(on, |world| world.spans[span].held = None),
            Op::Forget(span, on) => self.on(on, |world| world.spans[span].kept = None),
            Op::Fail(span) => self.local(span).set_status(Status::error("")),
            Op::Sweep => self.sweep(),
            Op::Flush => self.hand_over(Waiting::Decided),
            Op::TakeAll => self.hand_over(Waiting::All),
            Op::Close => self.close(),
            Op::ThreadEnds(place) => self.pools[place as usize] = Pools::new(),
            Op::Starve | Op::Relieve => self.starve(op == Op::Starve),
        }
        self.spans.last().is_some_and(|span| span.held.is_some())
    }

    /// Runs `f` on a thread.
    fn on(&mut self, place: Place, f: impl FnOnce(&mut Self) + Send) {
        if self.plan.real && place == Place::B {
            std::thread::scope(|scope| scope.spawn(|| f(self)).join()).unwrap();
            return;
        }
        self.pools[place as usize].swap();
        f(self);
        self.pools[place as usize].swap();
    }

    fn start(&mut self, op: Op) {
        let name = format!("span {}", self.spans.len());
        let start = Start::now(&name, SpanKind::Internal);
        let (kept, started) = match op {
            Op::Child { of, kept, .. } => (kept, self.local(of).start_child(start)),
            Op::Root { kept, .. } => {
                let (recorder, _) = &self.recorders[self.traces % self.plan.recorders];
                self.traces += 1;
                (kept, recorder.start(None, start))
            }
            _ => unreachable!("it starts a span"),
        };
        let handles = match started {
            Started::Dropped(context) => Handles {
                context,
                held: None,
                kept: None,
            },
            Started::Recording(local) => {
                if self.plan.tagged && matches!(op, Op::Root { .. }) {
                    let mut tags = local.tags();
                    tags.set_inherited("of.trace", &*format!("{}", local.trace_id()));
                    local.append(&tags);
                }
                Handles {
                    context: local.context(),
                    kept: kept.then(|| local.clone()),
                    held: Some(Handle::new(self.plan.style, local)),
                }
            }
        };
        self.spans.push(handles);
    }

    /// The span by which a child finds its trace.
    fn local(&self, span: usize) -> LocalSpan {
        let Handles { context, kept, .. } = &self.spans[span];
        let found = kept.clone().or_else(|| known_spans::find(context));
        found.expect("it has a handle")
    }

    fn sweep(&mut self) {
        for (recorder, arrived) in &self.recorders {
            let before = arrived.number();
            assert!(!recorder.hand_over(Waiting::Overdue, usize::MAX));
            let after = arrived.number();
            assert_eq!(before, after, "they have not waited for long");
        }
        self.clock.pass(Limits::default().hold);
        self.hand_over(Waiting::Overdue);
    }

    fn hand_over(&self, which: Waiting) {
        for (recorder, _) in &self.recorders {
            while recorder.hand_over(which, 1) {}
        }
    }

    /// From then on nothing is recorded, and nothing counts as refused.
    fn close(&mut self) {
        let start = || Start::now("after", SpanKind::Internal);
        for (recorder, _) in &self.recorders {
            recorder.close();
            assert!(matches!(recorder.start(None, start()), Started::Dropped(_)));
        }
        for span in 0..self.spans.len() {
            if self.spans[span].held.is_some() || self.spans[span].kept.is_some() {
                let late = self.local(span).start_child(start());
                assert!(matches!(late, Started::Dropped(_)));
            }
        }
    }

    fn starve(&mut self, is_starved: bool) {
        if std::mem::replace(&mut self.is_starved, is_starved) == is_starved {
            return;
        }
        for (recorder, _) in &self.recorders {
            let memory = &recorder.cells.memory;
            if is_starved {
                memory.count(recorder.limits.memory);
            } else {
                memory.give_back(recorder.limits.memory);
            }
        }
    }

    pub(super) fn assert_is_as(&self, model: &Model) {
        for (nth, (recorder, arrived)) in self.recorders.iter().enumerate() {
            let is_mine = |trace: usize| trace % self.plan.recorders == nth;
            let mine = || model.spans.iter().filter(|span| is_mine(span.trace));
            let open_traces = (0..model.traces).filter(|trace| model.open_in(*trace) > 0);
            let expected = InCells {
                traces: open_traces.filter(|trace| is_mine(*trace)).count(),
                open: mine().filter(|span| span.is_open).count(),
                waiting: mine().filter(|span| span.is_waiting()).count(),
            };
            assert_eq!(in_cells(recorder), expected);
            let refused = mine().filter(|span| !span.is_recorded).count();
            assert_eq!(arrived.refused(), refused, "refused");
            let ended = mine().filter(|span| span.is_recorded && !span.is_open);
            let dropped = mine().filter(|span| span.is_dropped).count();
            let [recorded, _, counted] = arrived.counts();
            assert_eq!(recorded, ended.count(), "recorded");
            assert_eq!(counted, dropped, "dropped");
            let has_arrived = mine().filter(|span| span.has_arrived).count();
            let spans = arrived.spans();
            assert_eq!(spans.len(), has_arrived, "spans that have arrived");
            self.assert_are(&spans, model);
            let holds_nothing = expected == InCells::default()
                && model.has_pooled == [false; 2]
                && !self.plan.tagged
                && !self.plan.real
                && !self.is_starved;
            if holds_nothing {
                assert_eq!(recorder.cells.memory.used(), 0, "though handles are kept");
            }
        }
        for (handles, span) in self.spans.iter().zip(&model.spans) {
            if let Some(kept) = &handles.kept {
                assert_eq!(kept.is_recording(), span.is_open && !model.is_closed);
            }
        }
    }

    /// Each span has arrived once, as it was recorded.
    fn assert_are(&self, spans: &[Otlp], model: &Model) {
        let ids: HashMap<_, _> = spans.iter().map(|span| (&*span.span_id, span)).collect();
        assert_eq!(ids.len(), spans.len(), "each once");
        for (i, (handles, expected)) in self.spans.iter().zip(&model.spans).enumerate() {
            let id = handles.context.span_id().to_bytes();
            let Some(span) = ids.get(&id[..]) else {
                continue;
            };
            assert!(expected.has_arrived, "span {i} arrives too early");
            assert_eq!(span.name, format!("span {i}"));
            let first = model.spans.iter().position(|it| it.trace == expected.trace);
            let root = &self.spans[first.expect("its root")].context;
            assert_eq!(span.trace_id, root.trace_id().to_bytes());
            let parent = expected.parent.map(|it| self.spans[it].context.span_id());
            let parent = parent.map_or(Vec::new(), |id| id.to_bytes().to_vec());
            assert_eq!(span.parent_span_id, parent);
            assert_eq!(text(span, "sampling.reason"), expected.reason, "span {i}");
            if self.plan.tagged {
                self.assert_inherits(span);
            }
        }
    }

    /// The tag of a trace is on its spans. Where memory was short it may be missing.
    fn assert_inherits(&self, span: &Otlp) {
        let tag = span.attributes.iter().find(|it| it.key == "of.trace");
        let Some(tag) = tag else {
            assert!(
                self.plan.starves,
                "{} lacks the tag of its trace",
                span.name
            );
            return;
        };
        let trace = TraceId::from(u128::from_be_bytes(
            span.trace_id.as_slice().try_into().unwrap(),
        ));
        let told = format!("{:?}", tag.value);
        assert!(told.contains(&trace.to_string()), "{told} in {trace}");
    }

    /// Drops all handles, and ends the threads.
    pub(super) fn finish(mut self, expected: &Model) {
        self.on(Place::A, |world| {
            for span in &mut world.spans {
                (span.held, span.kept) = (None, None);
            }
        });
        self.apply(Op::TakeAll);
        self.starve(false);
        self.pools = [const { Pools::new() }; 2];
        self.assert_is_as(expected);
        for (recorder, _) in &self.recorders {
            assert_eq!(recorder.cells.memory.used(), 0, "bytes held");
            assert!(recorder.cells.all().is_empty(), "cells are left");
            assert_eq!(Arc::strong_count(recorder), 1, "traces are left");
        }
    }
}
