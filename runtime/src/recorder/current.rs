//! Which span is current: the OpenTelemetry context is the truth about that.
//!
//! The API hides the span in a context behind its own type. To get at ours, a thread-local is armed and the API is asked
//! whether the span is recording: a span of ours, asked that, leaves its handle in the thread-local.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};

use super::Recorder;
use super::local::LocalSpan;

#[derive(Debug, Default)]
enum Probe {
    #[default]
    Idle,
    Armed,
    Answered(LocalSpan),
}

thread_local! {
    static PROBE: RefCell<Probe> = const { RefCell::new(Probe::Idle) };
}

/// Called by a span of ours when it is asked whether it is recording.
pub(super) fn answer(span: &LocalSpan) {
    let _ = PROBE.try_with(|probe| {
        let mut probe = probe.borrow_mut();
        if matches!(*probe, Probe::Armed) {
            *probe = Probe::Answered(span.clone());
        }
    });
}

/// The span of ours in `cx`.
pub(crate) fn local_span(cx: &Context) -> Option<LocalSpan> {
    if !cx.has_active_span() {
        return None;
    }
    PROBE.try_with(|probe| probe.replace(Probe::Armed)).ok()?;
    let _ = cx.span().is_recording();
    match PROBE.take() {
        Probe::Answered(span) => Some(span),
        Probe::Idle | Probe::Armed => None,
    }
}

/// What a new span of this crate's macros and middleware finds around it.
#[derive(Debug)]
pub(crate) enum Current {
    /// A span of ours, ended perhaps.
    Local(LocalSpan),
    /// Nothing is to be recorded here: the trace was dropped by its sampler, or telemetry is suppressed.
    Silent,
    /// A span of another process, or of another implementation.
    Foreign(SpanContext),
    Nothing,
}

impl Current {
    pub(crate) fn of(cx: &Context) -> Self {
        if cx.is_telemetry_suppressed() {
            return Self::Silent;
        }
        if let Some(span) = local_span(cx) {
            return Self::Local(span);
        }
        let span = cx.span();
        let context = span.span_context();
        if !context.is_valid() {
            Self::Nothing
        } else if !context.is_remote() && !context.is_sampled() {
            Self::Silent
        } else {
            Self::Foreign(context.clone())
        }
    }

    pub(crate) fn get() -> Self {
        Context::map_current(Self::of)
    }
}

/// The current context with a span of that context, which is not recorded; `None` where there is nothing to pass on.
pub(crate) fn silent_context(context: SpanContext) -> Option<Context> {
    context
        .is_valid()
        .then(|| Context::map_current(|cx| cx.with_remote_span_context(context)))
}

static INSTALLED: OnceLock<Arc<Recorder>> = OnceLock::new();

/// Makes `recorder` the process's one. Returns whether it was the first.
pub(crate) fn install(recorder: Arc<Recorder>) -> bool {
    INSTALLED.set(recorder).is_ok()
}

/// A recorder that serves instead of the installed one in the context that holds it: tests of their own use it.
#[derive(Debug)]
struct Override(Arc<Recorder>);

/// `cx` with `recorder` in place of the installed one.
#[cfg(feature = "testing")]
pub(crate) fn with_recorder(cx: &Context, recorder: Arc<Recorder>) -> Context {
    cx.with_value(Override(recorder))
}

/// The recorder for a span that has none around it.
pub(crate) fn recorder() -> Option<Arc<Recorder>> {
    Context::map_current(|cx| cx.get::<Override>().map(|o| Arc::clone(&o.0)))
        .or_else(|| INSTALLED.get().cloned())
}
