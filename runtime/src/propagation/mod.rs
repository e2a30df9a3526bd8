//! Carries a trace between processes, in the formats that [`Propagator`] names, by parsers of its own: what a caller sends is
//! untrusted, and opentelemetry's are too lenient. Knows nothing of spans being recorded. The middleware reads requests with
//! [`Propagators::extract`], clients write them with the propagator that is registered globally.

mod b3;
mod baggage;
mod carrier;
mod ids;
mod jaeger;
#[cfg(test)]
mod tests;
mod trace_context;
mod traceparent;
mod tracestate;
mod x_trace;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt};

pub(crate) use self::carrier::Carrier;
use self::carrier::Lines;
use crate::config::Propagator;

/// What a request brings.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    /// The caller's span, marked as remote. Without one a new trace begins.
    pub(crate) caller: Option<SpanContext>,
    pub(crate) decision: ParentDecision,
    baggage: Option<Baggage>,
    is_debug: bool,
    /// What propagators of others made of it all.
    foreign: Option<Context>,
}

/// Whether the caller samples the trace.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParentDecision {
    /// The flags of its span say so, if it names a span.
    #[default]
    FromFlags,
    /// It leaves the decision to this service.
    Deferred,
    Sampled(bool),
}

/// That the caller debugs, for whom it calls in turn.
#[derive(Debug)]
struct Debug;

impl Inbound {
    /// Whether it is more than a caller.
    pub(crate) fn has_more(&self) -> bool {
        self.foreign.is_some() || self.baggage.is_some() || self.is_debug
    }

    /// `cx` with what the request brings beside its caller.
    pub(crate) fn over(self, cx: &Context) -> Context {
        let mut cx = self.foreign.unwrap_or_else(|| cx.clone());
        if let Some(baggage) = self.baggage {
            cx = cx.with_baggage(baggage);
        }
        if self.is_debug {
            cx = cx.with_value(Debug);
        }
        cx
    }

    /// `cx` with all that it brings.
    fn whole(mut self, cx: &Context) -> Context {
        let caller = self.caller.take();
        let cx = self.over(cx);
        match caller {
            Some(caller) => cx.with_remote_span_context(caller),
            None => cx,
        }
    }
}

/// The formats that are read and written. Each is read in turn: of several that name a caller the last counts, as OpenTelemetry
/// has it.
#[derive(Debug, Clone)]
pub(crate) struct Propagators {
    own: Vec<Propagator>,
    foreign: Vec<Foreign>,
    fields: Vec<String>,
}

/// A propagator of another crate.
pub(crate) type Foreign = Arc<dyn TextMapPropagator + Send + Sync>;

impl Propagators {
    pub(crate) fn new(own: Vec<Propagator>, foreign: Vec<Foreign>) -> Self {
        let of_own = own.iter().flat_map(TextMapPropagator::fields);
        let of_foreign = foreign.iter().flat_map(|it| it.fields());
        let fields = of_own.chain(of_foreign).map(String::from).collect();
        Self {
            own,
            foreign,
            fields,
        }
    }

    /// What our own formats make of the headers.
    fn read(&self, carrier: &impl Carrier) -> Inbound {
        let mut inbound = Inbound::default();
        for propagator in &self.own {
            propagator.read(carrier, &mut inbound);
        }
        inbound
    }

    /// What those of others make of them, over `cx`.
    fn read_foreign(&self, cx: Context, headers: &dyn Extractor) -> Context {
        let foreign = self.foreign.iter();
        foreign.fold(cx, |cx, it| it.extract_with_context(&cx, headers))
    }

    /// What a request brings.
    #[inline]
    pub(crate) fn extract(&self, carrier: &(impl Carrier + Extractor)) -> Inbound {
        let mut inbound = self.read(carrier);
        if !self.foreign.is_empty() {
            inbound = self.extract_foreign(inbound, carrier);
        }
        inbound
    }

    /// What a request brings of which our own formats have read `inbound`.
    fn extract_foreign(&self, inbound: Inbound, headers: &dyn Extractor) -> Inbound {
        let cx = self.read_foreign(inbound.whole(&Context::current()), headers);
        let caller = cx.span().span_context().clone();
        Inbound {
            caller: (caller.is_valid() && caller.is_remote()).then_some(caller),
            foreign: Some(cx),
            ..Inbound::default()
        }
    }
}

/// As it is registered globally.
impl TextMapPropagator for Propagators {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        for propagator in &self.own {
            propagator.inject_context(cx, injector);
        }
        for propagator in &self.foreign {
            propagator.inject_context(cx, injector);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let inbound = self.read(&Lines(extractor));
        self.read_foreign(inbound.whole(cx), extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

impl Propagator {
    /// Its headers.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::TraceContext => &[trace_context::TRACEPARENT, trace_context::TRACESTATE],
            Self::Baggage => &[baggage::HEADER],
            Self::B3 => &[b3::SINGLE],
            Self::B3Multi => &[b3::TRACE_ID, b3::SPAN_ID, b3::SAMPLED, b3::FLAGS],
            Self::Jaeger => &[jaeger::HEADER],
            Self::XTrace => &[x_trace::TRACE_ID, x_trace::SPAN_ID],
        }
    }

    /// Adds what the headers say to `inbound`; if they are malformed or not there, that is nothing.
    fn read(self, carrier: &impl Carrier, inbound: &mut Inbound) {
        use ParentDecision::{Deferred, FromFlags, Sampled};
        let (caller, decision, is_debug) = match self {
            Self::TraceContext => (trace_context::extract(carrier), FromFlags, false),
            Self::XTrace => (x_trace::extract(carrier), FromFlags, false),
            Self::Jaeger => {
                let (caller, is_debug) = jaeger::extract(carrier).unzip();
                (caller, FromFlags, is_debug == Some(true))
            }
            Self::B3 | Self::B3Multi => {
                let Some((caller, decision)) = b3::extract(carrier) else {
                    return;
                };
                let is_debug = decision == b3::SamplingState::Debug;
                let decision = match decision {
                    b3::SamplingState::Defer => Deferred,
                    _ if caller.is_some() => FromFlags,
                    decision => Sampled(decision != b3::SamplingState::Deny),
                };
                (caller, decision, is_debug)
            }
            Self::Baggage => {
                inbound.baggage = baggage::extract(carrier).or(inbound.baggage.take());
                return;
            }
        };
        // A decision alone is nothing beside a caller in another format.
        if caller.is_some() || (decision != FromFlags && inbound.caller.is_none()) {
            (inbound.caller, inbound.decision, inbound.is_debug) = (caller, decision, is_debug);
        }
    }
}

impl TextMapPropagator for Propagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        if *self == Self::Baggage {
            return baggage::inject(cx.baggage(), injector);
        }
        let span = cx.span();
        let span = span.span_context();
        if !span.is_valid() {
            return;
        }
        let is_debug = cx.get::<Debug>().is_some();
        match self {
            Self::TraceContext => trace_context::inject(span, injector),
            Self::B3 => b3::inject_single(span, is_debug, injector),
            Self::B3Multi => b3::inject_multi(span, is_debug, injector),
            Self::Jaeger => jaeger::inject(span, is_debug, injector),
            Self::XTrace => x_trace::inject(span, injector),
            Self::Baggage => {}
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let mut inbound = Inbound::default();
        self.read(&Lines(extractor), &mut inbound);
        inbound.whole(cx)
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<HashMap<Propagator, Vec<String>>> = LazyLock::new(|| {
            let owned = |it: Propagator| it.names().iter().map(|name| (*name).to_owned()).collect();
            Propagator::ALL.map(|it| (it, owned(it))).into()
        });
        FieldIter::new(&FIELDS[self])
    }
}
