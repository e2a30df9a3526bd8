//! What a sampler is asked, and what it answers.

use std::fmt::{Debug, Display};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanKind, TraceId, TraceState};
use opentelemetry_sdk::trace::SamplingDecision;

use super::head::Head;
use super::late::Late;
use super::ot_entry::{randomness, threshold, with_threshold};
use super::threshold::Threshold;
use super::tier::TierId;
use crate::error::Error;
use crate::thread::Poller;

/// Decides on each trace when its first local span starts, before anything is recorded. Owns the state that it decides by. Its text
/// is what `describe` shows.
pub(crate) trait Sample: Debug + Display + Send + Sync {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision;

    /// Decides on a trace as if no caller had, for a sampler that asks this one below a caller.
    fn sample_anew(&self, trace: &NewTrace<'_>) -> Decision {
        self.sample(trace)
    }

    /// Decides on a trace whose head decision was not final, when it ends or its spans may wait no longer. The default has the head's
    /// decision stand.
    fn verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
        trace.head.upheld()
    }

    /// What brings a trace back later that its verdict drops now. Asked at the verdict, with what was known then.
    fn late(&self, _: &RecordedTrace<'_>) -> Late {
        Late::default()
    }

    /// Whether it writes the threshold that a trace is kept by to `tracestate`.
    fn tells_threshold(&self) -> bool {
        false
    }

    /// Whether each trace that has failed is kept beside the others, unless [`Keep`](super::Keep) says something else.
    fn keeps_errors(&self) -> bool {
        false
    }

    /// Whether every trace is kept: then `sampling.reason` says nothing.
    fn keeps_all(&self) -> bool {
        false
    }

    /// The samplers that it asks.
    fn parts(&self) -> Vec<&dyn Sample> {
        Vec::new()
    }

    /// Refuses settings that cannot work. Its parts are asked, too.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Starts what keeps the sampler of the service of that name up to date. Its parts are started, too.
    fn start(&self, _service: &str, _pollers: &mut Vec<Poller>) -> Result<(), Error> {
        Ok(())
    }
}

/// Told what of a sampler's argument in the environment cannot be taken, and what is expected.
pub(crate) type Refuse<'a> = dyn FnMut(&str, &str) + 'a;

/// A trace whose first local span is about to start.
pub(crate) struct NewTrace<'a> {
    pub(crate) id: TraceId,
    /// The name of that span.
    pub(crate) name: &'a str,
    pub(crate) kind: &'a SpanKind,
    /// The span around it: another process's, or one of another OpenTelemetry implementation here.
    pub(crate) parent: Option<&'a SpanContext>,
    /// Whether the caller has the trace sampled, `None` if no caller says so.
    pub(crate) caller: Option<bool>,
    /// The head of the request that begins it, if one does.
    pub(crate) request: Option<&'a dyn Head>,
    /// Its tenant, if the request says it and its word counts.
    pub(crate) tenant: Option<&'a str>,
    /// Reads a clock that never goes back.
    #[cfg_attr(
        not(feature = "otlp-grpc"),
        allow(dead_code, reason = "a rate needs it, which a server sets")
    )]
    pub(crate) now: &'a dyn Fn() -> Instant,
}

/// A trace that is recorded and waits for a verdict.
pub(crate) struct RecordedTrace<'a> {
    pub(crate) id: TraceId,
    pub(crate) head: &'a Decision,
    pub(crate) state: &'a TraceState,
    /// Its tenant, if somebody has said it.
    pub(crate) tenant: Option<&'a str>,
    /// Whether a span of it has the status Error.
    pub(crate) has_failed: bool,
    /// How long its first span here has taken: that of a request, to the response's head.
    pub(crate) latency: Duration,
    /// Spans of it that have ended, or are open.
    pub(crate) spans: u64,
    /// The tests of the watch that its spans have passed, a bit for each.
    pub(crate) hits: u64,
    /// Reads a clock that never goes back.
    pub(crate) now: &'a dyn Fn() -> Instant,
}

/// What is done with a trace, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) decision: SamplingDecision,
    /// Whether it is the last word, even if the trace is kept. A trace that is recorded only waits for a verdict in any case.
    pub(crate) is_final: bool,
    /// The value of `sampling.reason`. `None` if the sampler keeps every trace: then the attribute says nothing.
    pub(crate) reason: Option<&'static str>,
    /// How many traces a kept one stands for, if it was kept by a probability.
    pub(crate) adjusted_count: Option<f64>,
    /// The tier of the trace.
    pub(crate) tier: TierId,
    /// What the sampler adds to the first span of the trace here. Boxed: few do.
    pub(crate) added: Option<Box<Added>>,
    /// What the head has noted for the verdict. Boxed: few traces have any.
    pub(crate) notes: Option<Box<Notes>>,
}

/// What a verdict must know of a trace's beginning.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Notes {
    /// What the first rule that matched and did not wait for the route has said.
    pub(super) by_head: Option<ByHead>,
    /// The rules before it that wait for the route: a bit for each, in their order.
    pub(super) waiting: u64,
    /// The caller, if it samples the trace.
    pub(super) floor: Option<Floor>,
    /// Of a trace that was decided by the rate of a tier: what the sampler is to be asked if the trace turns out to be of a tier without one.
    pub(super) unasked: Option<Unasked>,
}

/// What a sampler has not been asked of a trace that begins: it may have a budget.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unasked {
    pub(super) name: Box<str>,
    pub(super) kind: SpanKind,
    pub(super) parent: Option<SpanContext>,
    pub(super) caller: Option<bool>,
}

impl Unasked {
    pub(super) fn of(trace: &NewTrace<'_>) -> Self {
        Self {
            name: trace.name.into(),
            kind: trace.kind.clone(),
            parent: trace.parent.cloned(),
            caller: trace.caller,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ByHead {
    /// No span may leave, whatever else happens.
    Never,
    Rate,
}

/// A caller that samples the trace, with the threshold that it has decided by, if that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Floor(pub(super) Option<Threshold>);

/// What a sampler says beside its decision.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Added {
    pub(crate) attributes: Vec<KeyValue>,
    /// `None` leaves the trace its own.
    pub(crate) trace_state: Option<TraceState>,
}

impl NewTrace<'_> {
    /// What the trace brings from its parent.
    pub(super) fn state(&self) -> &TraceState {
        self.parent.map_or(&TraceState::NONE, |it| it.trace_state())
    }

    /// Whether it brings something. Few do, and each request is asked.
    #[inline]
    fn has_state(&self) -> bool {
        (self.parent).is_some_and(|parent| parent.trace_state().into_iter().len() > 0)
    }

    /// The threshold that the caller has told.
    #[inline]
    pub(super) fn told_threshold(&self) -> Option<Threshold> {
        self.has_state().then(|| threshold(self.state()))?
    }

    /// The threshold that the caller has decided by: it may have told one by which it has not.
    #[inline]
    pub(super) fn callers_threshold(&self) -> Option<Threshold> {
        let threshold = self.told_threshold()?;
        let keeps = threshold.keeps(randomness(self.state(), self.id));
        (self.caller == Some(keeps)).then_some(threshold)
    }

    /// The caller, if it samples the trace.
    pub(super) fn floor(&self) -> Option<Floor> {
        let is_sampled = self.caller == Some(true);
        is_sampled.then(|| Floor(self.callers_threshold()))
    }
}

impl Decision {
    #[cfg(test)]
    pub(crate) const KEEP: Self = Self {
        decision: SamplingDecision::RecordAndSample,
        is_final: true,
        reason: None,
        adjusted_count: None,
        tier: TierId(0),
        added: None,
        notes: None,
    };

    pub(crate) fn new(keep: bool, reason: Option<&'static str>) -> Self {
        Self {
            decision: match keep {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::Drop,
            },
            is_final: true,
            reason,
            adjusted_count: None,
            tier: TierId(0),
            added: None,
            notes: None,
        }
    }

    /// Keeps a trace that is over, whatever its head has said, as one that was kept by that threshold.
    pub(super) fn keep_recorded(
        trace: &RecordedTrace<'_>,
        reason: &'static str,
        threshold: Option<Threshold>,
    ) -> Self {
        let is_upgraded = !trace.head.is_kept();
        let upgraded = is_upgraded.then(|| KeyValue::new("sampling.upgraded", true));
        Self {
            adjusted_count: threshold.map(Threshold::adjusted_count),
            added: Some(Box::new(Added {
                attributes: upgraded.into_iter().collect(),
                trace_state: with_threshold(trace.state, threshold),
            })),
            ..Self::new(true, Some(reason))
        }
    }

    /// On what follows in a trace that was dropped: a part of it, for which traces stand that were decided as a whole. `state` is the
    /// trace's.
    pub(crate) fn upgrade(reason: &'static str, state: &TraceState) -> Self {
        Self {
            adjusted_count: Some(0.0),
            added: Some(Box::new(Added {
                attributes: vec![KeyValue::new("sampling.upgraded", true)],
                trace_state: with_threshold(state, None),
            })),
            ..Self::new(true, Some(reason))
        }
    }

    /// What it comes to if nothing else is said when the trace is over.
    pub(super) fn upheld(&self) -> Self {
        Self {
            decision: match self.is_kept() {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::Drop,
            },
            is_final: true,
            ..self.clone()
        }
    }

    /// Whether a rule has said that no span of the trace may leave.
    pub(crate) fn is_never(&self) -> bool {
        let notes = self.notes.as_deref();
        notes.is_some_and(|notes| notes.by_head == Some(ByHead::Never))
    }

    /// The caller that samples the trace, if it was noted.
    pub(super) fn floor(&self) -> Option<Floor> {
        self.notes.as_deref().and_then(|notes| notes.floor)
    }

    /// What is noted for the verdict.
    pub(super) fn notes_mut(&mut self) -> &mut Notes {
        self.notes.get_or_insert_default()
    }

    /// With that threshold in the trace's state, or with none, since nobody knows by which it was decided.
    #[inline]
    pub(super) fn by_threshold(self, trace: &NewTrace<'_>, threshold: Option<Threshold>) -> Self {
        match threshold.is_none() && !trace.has_state() {
            true => self,
            false => self.with_state(trace, threshold),
        }
    }

    #[inline(never)]
    fn with_state(self, trace: &NewTrace<'_>, threshold: Option<Threshold>) -> Self {
        let Some(state) = with_threshold(trace.state(), threshold) else {
            return self;
        };
        Self {
            added: Some(Box::new(Added {
                attributes: Vec::new(),
                trace_state: Some(state),
            })),
            ..self
        }
    }

    /// With that threshold in the state of a trace that is over, in place of one that has not decided.
    pub(super) fn with_threshold_in(
        mut self,
        state: &TraceState,
        threshold: Option<Threshold>,
    ) -> Self {
        let added = self.added.as_ref().and_then(|it| it.trace_state.as_ref());
        if let Some(state) = with_threshold(added.unwrap_or(state), threshold) {
            self.added_mut().trace_state = Some(state);
        }
        self
    }

    /// With another attribute of the first span here.
    pub(super) fn adding(mut self, attribute: KeyValue) -> Self {
        self.added_mut().attributes.push(attribute);
        self
    }

    fn added_mut(&mut self) -> &mut Added {
        self.added.get_or_insert_default()
    }

    /// By that probability.
    pub(super) fn with_probability(self, probability: f64) -> Self {
        Self {
            adjusted_count: Some(1.0 / probability),
            ..self
        }
    }

    /// Whether the trace is kept.
    #[inline]
    pub(crate) fn is_kept(&self) -> bool {
        self.decision == SamplingDecision::RecordAndSample
    }

    /// Whether a verdict follows.
    #[inline]
    pub(crate) fn waits(&self) -> bool {
        !self.is_final || !self.is_kept()
    }

    /// Whether its spans are recorded.
    #[inline]
    pub(crate) fn is_recorded(&self) -> bool {
        self.decision != SamplingDecision::Drop
    }
}
