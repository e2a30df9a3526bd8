//! Recording: spans as their OTLP bytes, and the OpenTelemetry API's provider, tracer and span over them.
//!
//! Above: attributes, settings, sampling. Below: the pipeline, which takes what has ended through [`Sink`].

mod active;
mod annotated;
mod attributes;
mod baggage;
mod cells;
mod clock;
mod current;
mod current_span;
mod exception;
mod handler;
mod head_copy;
mod heads;
mod inherited;
mod key_index;
mod known_spans;
mod local;
mod memory;
#[cfg(test)]
mod model_tests;
mod observer;
mod open;
mod outcome;
mod request_reader;
mod run;
mod runs;
mod scope;
mod scoped;
mod seal;
mod site;
mod span;
mod state;
#[cfg(test)]
mod tests;
mod trace;
mod tracer;
mod turn;
mod verdict;

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

pub(crate) use self::active::{ActiveSpan, Entered, Under};
pub use self::annotated::{annotate, annotated, traced, traced_root};
#[cfg(feature = "testing")]
pub(crate) use self::current::with_recorder;
pub(crate) use self::current::{Current, install, recorder};
pub use self::current_span::{CurrentSpan, current};
pub use self::handler::{HandlerRequest, child_handler, handler};
pub(crate) use self::head_copy::HeadCopy;
pub(crate) use self::local::LocalSpan;
pub(crate) use self::memory::{Held, Memory};
pub(crate) use self::observer::{ObservedRequest, Observer};
pub(crate) use self::outcome::Outcome;
pub(crate) use self::request_reader::ReadHead;
pub use self::request_reader::{NoRequest, Recording, RequestReader, RequestSource};
pub use self::run::{BodySpan, ResultSpan, Traced, TracedStream};
pub(crate) use self::runs::Runs;
pub(crate) use self::scope::Scope;
pub(crate) use self::scoped::{Enter, Scoped};
pub use self::site::Site;
pub use self::span::Span;
#[cfg(test)]
pub(crate) use self::tests::Nowhere;
pub use self::tracer::{Tracer, TracerProvider};
pub(crate) use self::turn::Turn;

use self::cells::{Cell, Cells};
use self::clock::{Clock, SystemClock};
use self::open::Parent;
use self::state::Left;
use self::trace::TraceRef;
use self::verdict::Undecided;
use crate::attribute::{Privacy, Tags};
use crate::config::{ExceptionSignal, Limits, Settings};
use crate::propagation::{ParentDecision, Propagators};
use crate::sampling::{Decision, NewTrace, Sampler};
use crate::semconv::KnownMethods;

/// Where ended spans go.
pub(crate) trait Sink: Debug + Send + Sync {
    /// A span has ended, and waits in its trace.
    fn ended(&self);
    /// These spans are kept. So many of them are `new`: `ended` was not told of them.
    fn kept(&self, spans: &Runs, new: u64);
    /// So many ended spans are dropped, since their trace is not kept.
    fn dropped(&self, spans: u64);
    /// A span was not recorded.
    fn refused(&self, why: Refusal);
}

/// Which of the ended spans that wait in their traces are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Those that have waited for `Limits::hold`. A trace without a verdict is decided then.
    Overdue,
    /// Also those of traces that have a verdict.
    Decided,
    /// All of them. Traces without a verdict are decided.
    All,
}

/// Why a span is not recorded that the sampler wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Its trace has had its share.
    Trace,
    /// All telemetry has.
    Memory,
}

/// What a recorder does with the traces that start in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Record,
    /// Nothing wants spans: sample and propagate only.
    Propagate,
    /// The off switch: pass on what comes in.
    Disabled,
}

/// Starts traces, and holds what all of them share.
#[derive(Debug)]
pub(crate) struct Recorder {
    mode: Mode,
    sampler: Sampler,
    limits: Limits,
    privacy: Arc<Privacy>,
    /// What each first span of a trace here and each SERVER span has.
    tags: Tags,
    clock: Box<dyn Clock>,
    ids: Box<dyn IdGenerator>,
    sink: Arc<dyn Sink>,
    /// What its traces record in.
    cells: Arc<Cells>,
    propagators: Propagators,
    exceptions: ExceptionSignal,
    known_methods: KnownMethods,
    observer: Option<Arc<dyn Observer>>,
    /// After the shutdown no span starts.
    is_closed: AtomicBool,
}

/// A span about to start.
pub(crate) struct Start<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: SpanKind,
    pub(crate) scope: Scope,
    /// When it started, if not now.
    pub(crate) time: Option<SystemTime>,
    /// Sets the attributes that it has from the start. Not called for a span that is not recorded.
    pub(crate) tags: Option<&'a dyn Fn(&mut Tags)>,
    /// Copies the head of the request whose SERVER span this is.
    pub(crate) head: Option<&'a dyn Fn(&mut HeadCopy)>,
}

impl<'a> Start<'a> {
    /// A span of this crate's own that starts now.
    pub(crate) fn now(name: &'a str, kind: SpanKind) -> Self {
        Self {
            name,
            kind,
            scope: Scope::Biztrace,
            time: None,
            tags: None,
            head: None,
        }
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
    context: SpanContext,
    parent: Option<Parent>,
    decision: Decision,
}

/// A span that was asked for.
#[derive(Debug)]
pub(crate) enum Started {
    Recording(LocalSpan),
    /// Not recorded; the context to propagate in its place.
    Dropped(SpanContext),
}

/// W3C Trace Context Level 2: the trace id's right half is random.
const RANDOM: TraceFlags = TraceFlags::new(0x02);

impl Recorder {
    /// Assembles a recorder as `settings` say. Its traces count in `memory` what they hold, beside what others count there.
    pub(crate) fn new(
        mode: Mode,
        settings: Settings,
        propagators: Propagators,
        memory: Arc<Memory>,
        sink: Arc<dyn Sink>,
    ) -> Self {
        let limits = settings.limits.limits;
        let limits = Limits {
            // Positions in a span's buffer are 32 bits wide; dead bytes, and a set of tags on its way in, may triple it.
            bytes_per_trace: limits.bytes_per_trace.min(1 << 30),
            ..limits
        };
        let mut tags = Tags::new();
        tags.limits = open::value_limits(&limits);
        for attribute in &settings.tags.value {
            tags.set(attribute.key.as_str(), &attribute.value);
        }
        Self {
            mode,
            sampler: settings.sampler.value,
            limits,
            privacy: Arc::new(settings.privacy.privacy()),
            tags,
            clock: Box::new(SystemClock),
            ids: Box::new(RandomIdGenerator::default()),
            sink,
            cells: Arc::new(Cells::new(memory)),
            propagators,
            exceptions: settings.exceptions.value,
            known_methods: settings.known_methods.value,
            observer: None,
            is_closed: AtomicBool::new(false),
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

    /// Records no span that starts from now on.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    /// Hands over spans that have ended and wait for open spans of their traces. Looks at every open trace. Stops when it has handed
    /// over `enough` spans, and returns whether more may wait.
    pub(crate) fn hand_over(&self, which: Waiting, enough: usize) -> bool {
        // One thread at a time: another one's flush must not miss what this one has taken and not handed over yet.
        let _turn = self.cells.sweep();
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
                Some(Left::Sealed(spans)) => {
                    handed += spans.spans();
                    self.sink.kept(&spans, 0);
                }
                Some(Left::Undecided(trace)) => handed += self.decide(&cell, &trace),
                None => {}
            }
        }
        false
    }

    /// Has the sampler decide on a trace, and hands over what has ended of it, or drops it. The cell's lock must not be held. Returns how
    /// many spans that were.
    fn decide(&self, cell: &Cell, trace: &Arc<Undecided>) -> usize {
        let verdict = trace.decide(self.sampler.sample());
        let mut settled = 0;
        loop {
            let mut state = cell.lock();
            let Some(spans) = state.settle(trace, verdict) else {
                return settled;
            };
            settled += spans;
            if verdict.is_kept() {
                self.sink.kept(state.ended(), 0);
            } else {
                self.sink.dropped(spans as u64);
            }
            state.handed_over();
        }
    }

    /// Requests whose heads were not copied whole.
    pub(crate) fn incomplete_heads(&self) -> u64 {
        self.cells.heads.incomplete()
    }

    fn is_disabled(&self) -> bool {
        self.mode == Mode::Disabled
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    pub(crate) fn propagators(&self) -> &Propagators {
        &self.propagators
    }

    /// Starts the first local span of a trace, below `parent` if there is one.
    pub(crate) fn start(
        self: &Arc<Self>,
        parent: Option<&SpanContext>,
        start: Start<'_>,
    ) -> Started {
        match self.sample(parent, ParentDecision::FromFlags, start.name, &start.kind) {
            Sampled::Record(new) => self.record(new, start),
            Sampled::Drop(context) => Started::Dropped(context),
        }
    }

    /// Decides on a trace whose first local span stands below `parent`, if there is one.
    pub(crate) fn sample(
        &self,
        parent: Option<&SpanContext>,
        by_parent: ParentDecision,
        name: &str,
        kind: &SpanKind,
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
        let decision = self.sampler.sample().sample(&NewTrace {
            id: trace_id,
            name,
            kind,
            parent,
            caller: is_sampled,
            now: &|| self.clock.monotonic(),
        });
        let flags = random.with_sampled(decision.is_kept());
        let trace_state = match &decision.added {
            Some(added) => added.trace_state.clone(),
            None => trace_state,
        };
        let context = SpanContext::new(trace_id, self.new_span_id(), flags, false, trace_state);
        if !decision.is_recorded() || self.mode == Mode::Propagate {
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
        })
    }

    /// Starts the first local span of a trace that is recorded.
    pub(crate) fn record(self: &Arc<Self>, new: NewSpan, start: Start<'_>) -> Started {
        let NewSpan {
            context,
            parent,
            mut decision,
        } = new;
        let id = context.span_id();
        let added = decision.added.take();
        let trace = TraceRef::new(self, context, decision);
        match LocalSpan::open(trace, id, parent, None, start) {
            Ok(span) => {
                if let Some(added) = added {
                    span.tag(|tags| {
                        for attribute in &added.attributes {
                            tags.set_any(attribute.key.as_str(), &attribute.value);
                        }
                    });
                }
                Started::Recording(span)
            }
            Err(trace) => Started::Dropped(self.silent_child(&trace.context)),
        }
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

    fn new_span_id(&self) -> SpanId {
        self.ids.new_span_id()
    }

    /// The context of a span that is not recorded, in the trace of `parent`.
    fn silent_child(&self, parent: &SpanContext) -> SpanContext {
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
