//! The recorder of an instance: decides on traces, and hands over what has ended.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use super::cells::{Cell, Cells};
use super::clock::{Clock, SystemClock};
use super::memory::MemoryBudget;
use super::observer::Observer;
use super::open::{Parent, value_limits};
use super::phase::Phase;
use super::route_privacy::RoutePrivacy;
use super::sink::{Sink, Waiting};
use super::state::Taken;
use super::verdict::Verdict;
use crate::attribute::{Privacy, Tags};
use crate::config::{ExceptionSignal, Limits, Settings};
use crate::network::Hosts;
use crate::propagation::{ParentDecision, Propagators};
use crate::sampling::{Decision, Head, NewTrace, Plan, RANDOM, Sampler, Tenants, Watch};
use crate::semconv::{KnownMethods, Redaction};

/// What a recorder does with the traces that start in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Record,
    /// Nothing wants spans: sample and propagate only.
    Propagate,
    /// Disabled: propagate the caller's context unchanged.
    Disabled,
}

/// Starts traces, and holds what all of them share.
pub(crate) struct Recorder {
    pub(super) mode: Mode,
    pub(super) sampler: Sampler,
    /// The tags that a verdict asks for.
    pub(super) watch: Option<Arc<Watch>>,
    /// Whether a verdict counts a request until its response's body has ended.
    pub(super) counts_bodies: bool,
    /// Who the tenants are, if traces have any.
    pub(super) tenants: Option<Arc<Tenants>>,
    pub(super) limits: Limits,
    pub(super) privacy: Arc<Privacy>,
    /// Tags of the first local span of each trace, and of each SERVER span.
    pub(super) tags: Tags,
    pub(super) clock: Box<dyn Clock>,
    pub(super) ids: Box<dyn IdGenerator>,
    pub(super) sink: Arc<dyn Sink>,
    /// What its traces record in.
    pub(super) cells: Arc<Cells>,
    pub(super) propagators: Propagators,
    baggage_to: Hosts,
    pub(super) exceptions: ExceptionSignal,
    pub(super) known_methods: KnownMethods,
    pub(super) redaction: Redaction,
    pub(super) route_privacy: RoutePrivacy,
    pub(super) observer: Option<Arc<dyn Observer>>,
    /// After the shutdown no span starts.
    pub(super) phase: Phase,
    /// Traces that were not recorded, and that their callers had not sampled.
    unsampled_by_callers: AtomicU64,
}

/// Neither settings nor the spans that wait: whoever has a tracer shows this.
impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

/// What the sampler decides on a trace, before its first local span is described.
#[derive(Debug)]
pub(crate) enum Sampled {
    Record(NewSpan),
    /// Do not record; the context to propagate in the span's place.
    Drop(SpanContext),
}

/// The first local span of a trace that is recorded.
#[derive(Debug)]
pub(crate) struct NewSpan {
    pub(super) context: SpanContext,
    pub(super) parent: Option<Parent>,
    pub(super) decision: Decision,
    /// Its tenant, as the request names it.
    pub(super) tenant: Option<Arc<str>>,
}

impl Recorder {
    /// Assembles a recorder as `settings` say. Its traces share the budget `memory` with the pipelines.
    pub(crate) fn new(
        mode: Mode,
        settings: Settings,
        propagators: Propagators,
        memory: Arc<MemoryBudget>,
        sink: Arc<dyn Sink>,
    ) -> Self {
        let limits = settings.limits.limits;
        let limits = Limits {
            // Positions in a span's buffer are 32 bits wide; dead bytes, and a set of tags on its way in, may triple it.
            bytes_per_trace: limits.bytes_per_trace.min(1 << 30),
            ..limits
        };
        let (rules, keep) = (&settings.rules.value, settings.keep.value.as_ref());
        let plan = Plan::new(settings.sampler.value, rules, keep, settings.tenants.value);
        let mut tags = Tags::new();
        tags.limits = value_limits(&limits);
        for attribute in &settings.tags.value {
            tags.set(attribute.key.as_str(), &attribute.value);
        }
        Self {
            mode,
            sampler: plan.sampler,
            watch: plan.watch,
            counts_bodies: plan.counts_bodies,
            tenants: plan.tenants,
            limits,
            privacy: Arc::new(settings.privacy.privacy()),
            tags,
            clock: Box::new(SystemClock),
            ids: Box::new(RandomIdGenerator::default()),
            sink,
            cells: Arc::new(Cells::new(memory)),
            propagators,
            baggage_to: settings.baggage_to.value,
            exceptions: settings.exceptions.value,
            known_methods: settings.known_methods.value,
            redaction: settings.redact_query.value,
            route_privacy: RoutePrivacy::default(),
            observer: None,
            phase: Phase::default(),
            unsampled_by_callers: AtomicU64::new(0),
        }
    }

    /// With another clock, for simulated time.
    #[cfg(test)]
    pub(crate) fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// With another sampler.
    #[cfg(test)]
    pub(crate) fn with_sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// With another plan of what is kept.
    #[cfg(test)]
    pub(crate) fn with_plan(mut self, plan: Plan) -> Self {
        (self.sampler, self.watch) = (plan.sampler, plan.watch);
        self.counts_bodies = plan.counts_bodies;
        self.tenants = plan.tenants;
        self
    }

    /// With other ids.
    pub(crate) fn with_ids(mut self, ids: Box<dyn IdGenerator>) -> Self {
        self.ids = ids;
        self
    }

    /// Tells `observer` of each request.
    #[cfg(test)]
    pub(crate) fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    pub(crate) fn observer(&self) -> Option<&Arc<dyn Observer>> {
        self.observer.as_ref()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn known_methods(&self) -> &KnownMethods {
        &self.known_methods
    }

    /// What is redacted in queries.
    pub(crate) fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    /// What the URLs of routes show.
    pub(crate) fn route_privacy(&self) -> &RoutePrivacy {
        &self.route_privacy
    }

    /// Records no span that starts from now on.
    pub(crate) fn close(&self) {
        self.phase.close();
    }

    /// Has the next span that starts give a warning, since nobody can shut it down any more.
    pub(crate) fn leave_unattended(&self) {
        self.phase.leave_unattended();
    }

    /// Hands over spans that have ended and wait for open spans of their traces. Looks at every open trace. Stops when it has handed
    /// over `enough` spans, and returns whether more may wait.
    pub(crate) fn hand_over(&self, which: Waiting, enough: usize) -> bool {
        // One thread at a time: another one's flush must not miss what this one has taken and not handed over yet.
        let _sweep = self.cells.sweep();
        let mut handed = 0;
        for cell in self.cells.all() {
            if handed >= enough {
                return true;
            }
            let mut state = cell.lock();
            let left = state.take_waiting(which, &*self.clock, &self.limits);
            // No handler waits for the copy.
            drop(state);
            match left {
                Some(Taken::Sealed(spans)) => {
                    handed += spans.spans();
                    self.sink.kept(&spans, 0, None);
                }
                Some(Taken::Undecided(verdict)) => handed += self.decide(&cell, &verdict),
                None => {}
            }
        }
        false
    }

    /// Asks the sampler for the verdict, then hands over or drops the ended spans of the trace. The cell's lock must not be held. Returns
    /// the number of these spans.
    pub(super) fn decide(&self, cell: &Cell, verdict: &Arc<Verdict>) -> usize {
        let decided = verdict.decide(self.sampler.sample(), &*self.clock);
        let tier = Some(decided.decision.tier);
        let mut settled = 0;
        let mut are_left = true;
        while are_left {
            let mut state = cell.lock();
            let Some(spans) = state.settle(verdict, decided) else {
                break;
            };
            settled += spans;
            are_left = !state.unsealed.is_empty();
            let kept = state.ended().spans();
            if kept > 0 {
                self.sink.kept(state.ended(), 0, tier);
            }
            if kept < spans {
                self.sink.dropped((spans - kept) as u64, tier);
            }
            state.handed_over();
        }
        settled
    }

    /// Requests whose heads were not copied whole.
    pub(crate) fn incomplete_heads(&self) -> u64 {
        self.cells.heads.incomplete()
    }

    /// Traces that were not recorded, and that their callers in other processes had not sampled.
    pub(crate) fn unsampled_by_callers(&self) -> u64 {
        self.unsampled_by_callers.load(Ordering::Relaxed)
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.mode == Mode::Disabled
    }

    /// Whether it records no spans that start now.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase.is_closed()
    }

    pub(crate) fn propagators(&self) -> &Propagators {
        &self.propagators
    }

    /// The hosts that are sent baggage.
    #[cfg_attr(
        not(any(feature = "awc", feature = "reqwest")),
        allow(dead_code, reason = "clients ask")
    )]
    pub(crate) fn baggage_to(&self) -> &Hosts {
        &self.baggage_to
    }

    /// Who the tenants are, if traces have any.
    pub(crate) fn tenants(&self) -> Option<&Tenants> {
        self.tenants.as_deref()
    }

    /// Decides on a trace whose first local span stands below `parent`, if there is one, and is that of `request`, if it is one's.
    pub(crate) fn sample(
        &self,
        parent: Option<&SpanContext>,
        by_parent: ParentDecision,
        name: &str,
        kind: &SpanKind,
        request: Option<&dyn Head>,
    ) -> Sampled {
        let parent = parent.filter(|parent| parent.is_valid());
        if self.mode == Mode::Disabled {
            return Sampled::Drop(parent.cloned().unwrap_or(SpanContext::NONE));
        }
        let (trace_id, random, trace_state) = match parent {
            Some(parent) => (
                parent.trace_id(),
                parent.trace_flags() & RANDOM,
                parent.trace_state().clone(),
            ),
            None => (self.ids.new_trace_id(), RANDOM, TraceState::NONE),
        };
        let is_sampled = match by_parent {
            ParentDecision::FromFlags => parent.map(SpanContext::is_sampled),
            ParentDecision::Deferred => None,
            ParentDecision::Sampled(is_sampled) => Some(is_sampled),
        };
        let tenant = match self.tenants {
            Some(_) => request.and_then(|request| request.tenant()),
            None => None,
        };
        let decision = self.sampler.sample().sample(&NewTrace {
            id: trace_id,
            name,
            kind,
            parent,
            caller: is_sampled,
            request,
            tenant: tenant.as_deref(),
            now: &|| self.clock.monotonic(),
        });
        let flags = random.with_sampled(decision.is_kept());
        let added = decision.added.as_deref();
        let added = added.and_then(|added| added.trace_state.clone());
        let trace_state = added.unwrap_or(trace_state);
        let context = SpanContext::new(trace_id, self.new_span_id(), flags, false, trace_state);
        if !decision.is_recorded() {
            if is_sampled == Some(false) && parent.is_none_or(SpanContext::is_remote) {
                self.unsampled_by_callers.fetch_add(1, Ordering::Relaxed);
            }
            return Sampled::Drop(context);
        }
        if self.mode == Mode::Propagate {
            return Sampled::Drop(context);
        }
        let parent = parent.map(|parent| Parent {
            id: parent.span_id(),
            is_remote: parent.is_remote(),
        });
        Sampled::Record(NewSpan {
            context,
            parent,
            decision,
            tenant,
        })
    }

    /// The context of a span that is skipped, below `parent` if there is one.
    pub(crate) fn skip(&self, parent: Option<&SpanContext>) -> SpanContext {
        match parent {
            Some(parent) if self.mode == Mode::Disabled => parent.clone(),
            Some(parent) => self.silent_child(parent),
            None if self.mode == Mode::Disabled => SpanContext::NONE,
            None => {
                let (trace_id, id) = (self.ids.new_trace_id(), self.new_span_id());
                SpanContext::new(trace_id, id, RANDOM, false, TraceState::NONE)
            }
        }
    }

    pub(super) fn new_span_id(&self) -> SpanId {
        self.ids.new_span_id()
    }

    /// The context of a span that is not recorded, in the trace of `parent`.
    pub(super) fn silent_child(&self, parent: &SpanContext) -> SpanContext {
        let (id, flags) = (self.new_span_id(), parent.trace_flags().with_sampled(false));
        SpanContext::new(
            parent.trace_id(),
            id,
            flags,
            false,
            parent.trace_state().clone(),
        )
    }
}
