//! The formats of context between processes.

use std::fmt;

use super::format::{Format, list};

/// A format in which a trace, or baggage, travels in the headers of requests.
///
/// As a `TextMapPropagator` each reads and writes its own headers. A malformed header leaves the context as it was.
///
/// ```
/// use std::collections::HashMap;
///
/// use biztrace::settings::Propagator;
/// use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
///
/// let inbound = HashMap::from([(
///     "b3".to_owned(),
///     "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1".to_owned(),
/// )]);
/// let cx = Propagator::B3.extract_with_context(&Context::new(), &inbound);
/// assert!(cx.span().span_context().is_sampled());
///
/// let mut outbound = HashMap::new();
/// Propagator::TraceContext.inject_context(&cx, &mut outbound);
/// let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// assert_eq!(outbound["traceparent"], traceparent);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Propagator {
    /// [W3C Trace Context](https://www.w3.org/TR/trace-context-2/), Level 2: `traceparent` and `tracestate`.
    ///
    /// Of the flags, sampled and random are passed on. A malformed `tracestate` is dropped. Of one with more than 512 characters, members
    /// of more than 128 are left out, and then those at its end: each span of the trace has it. It is held in opentelemetry's type,
    /// whose keys have at most one `@` with at most 13 characters after it: a `tracestate` with another key is dropped as well.
    TraceContext,
    /// [W3C Baggage](https://www.w3.org/TR/baggage/): `baggage`. Of more than 64 members or 8192 bytes the rest is left out.
    Baggage,
    /// [B3](https://github.com/openzipkin/b3-propagation) in one header, `b3`. Reads several, too. A caller that leaves the
    /// decision to others leaves it to the sampler here. One that decides and names no span, `b3: 0`, decides for the trace that begins
    /// here.
    B3,
    /// B3 in several headers: `X-B3-TraceId` and its like. Reads one, too.
    B3Multi,
    /// Jaeger's own: `uber-trace-id`. Its baggage is not read.
    Jaeger,
    /// `X-Trace-ID` and `X-Span-ID`; reads `X-Parent-ID` where there is no `X-Span-ID`. A caller that names a trace is taken to
    /// sample it.
    XTrace,
}

impl Propagator {
    pub(crate) const ALL: [Self; 6] = [
        Self::TraceContext,
        Self::Baggage,
        Self::B3,
        Self::B3Multi,
        Self::Jaeger,
        Self::XTrace,
    ];

    /// What `OTEL_PROPAGATORS` is by default.
    pub(crate) const DEFAULT: [Self; 2] = [Self::TraceContext, Self::Baggage];
}

/// As `OTEL_PROPAGATORS` names them.
impl fmt::Display for Propagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TraceContext => "tracecontext",
            Self::Baggage => "baggage",
            Self::B3 => "b3",
            Self::B3Multi => "b3multi",
            Self::Jaeger => "jaeger",
            Self::XTrace => "xtrace",
        })
    }
}

/// Several formats, in the order in which they are read.
pub(super) const PROPAGATORS: Format<Vec<Propagator>> = Format {
    parse: |value, refused| {
        const EXPECTED: &str = "a comma-separated list of tracecontext, baggage, b3, b3multi, jaeger and xtrace, or `none` alone";
        list(value, EXPECTED, refused, |name| {
            let mut all = Propagator::ALL.into_iter();
            all.find(|it| it.to_string() == name)
        })
    },
    // Shown with the propagators of others.
    shown: |_| None,
    written: |propagators| {
        let names: Vec<_> = propagators.iter().map(ToString::to_string).collect();
        names.join(",")
    },
};
