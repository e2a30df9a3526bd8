//! What the headers of a request carry: the trace goes to every host, baggage only to one's own.

use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::{Injector, TextMapPropagator};
use opentelemetry::{Context, global};

use super::ClientTracing;
use crate::diag;
use crate::network::Hosts;
use crate::recorder::{Current, Recorder};

/// The headers of a request.
pub(super) trait HeaderInjector: Injector {
    fn remove(&mut self, name: &str);
}

/// What a request carries of the context that it is sent in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Payload {
    All,
    /// No baggage.
    Trace,
    Nothing,
}

impl Payload {
    /// What a request to `host` carries, as the instance of `recorder` and the client have it.
    pub(super) fn of(tracing: &ClientTracing, host: &str, recorder: Option<&Recorder>) -> Self {
        if tracing.without_context {
            return Self::Nothing;
        }
        if tracing.without_baggage {
            return Self::Trace;
        }
        let has_baggage =
            !Current::is_suppressed() && Context::map_current(|cx| !cx.baggage().is_empty());
        if !has_baggage || is_own(host, recorder) {
            return Self::All;
        }
        warn_withheld(host, recorder);
        Self::Trace
    }

    /// Writes it into the headers, in place of another context that they may have.
    pub(super) fn inject(
        self,
        propagator: &dyn TextMapPropagator,
        headers: &mut impl HeaderInjector,
    ) {
        propagator.fields().for_each(|name| headers.remove(name));
        // A clone, since propagators of others are called with it.
        let cx = match self {
            Self::All => Context::current(),
            Self::Trace => Context::map_current(BaggageExt::with_cleared_baggage),
            Self::Nothing => return,
        };
        propagator.inject_context(&cx, headers);
    }
}

/// Whether `host` may have baggage.
pub(super) fn is_own(host: &str, recorder: Option<&Recorder>) -> bool {
    match recorder {
        Some(recorder) => recorder.baggage_to().include(host),
        None => Hosts::default().include(host),
    }
}

/// Says so once, if there is a propagator that would have sent it.
#[cold]
fn warn_withheld(host: &str, recorder: Option<&Recorder>) {
    static ONCE: diag::Once = diag::Once::new();
    let sends = |propagator: &dyn TextMapPropagator| propagator.fields().any(|it| it == "baggage");
    let is_sent = match recorder {
        Some(recorder) => sends(recorder.propagators()),
        None => global::get_text_map_propagator(sends),
    };
    if is_sent {
        ONCE.warn(format_args!(
            "a request to {host:?} carries no baggage, since the host is not of a private network: others may read it there. List the host \
             by `TelemetryBuilder::baggage_to` or BIZTRACE_BAGGAGE_TO, or say `ClientTracing::without_baggage` for this client"
        ));
    }
}
