//! Which span is current: the OpenTelemetry context is the truth about that.
//!
//! Code that runs under a span of this crate finds it in a thread-local, which holds as long as its id is that of the context's
//! span. Any other span is found by its id (see `known_spans`): nothing here asks a span that the API holds, which would take its lock.

use std::cell::RefCell;
use std::panic::catch_unwind;
use std::sync::{Arc, OnceLock};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt};

use super::instance::Recorder;
use super::known_spans;
use super::local::LocalSpan;

/// What a thread notes of the scope that it is in.
#[derive(Debug, Clone)]
pub(super) enum EnteredSpan {
    Span(LocalSpan),
    /// That this recorder records nothing here: below its span of that id, if the context has one.
    Silent(Arc<Recorder>, Option<SpanId>),
}

impl EnteredSpan {
    fn recorder(&self) -> &Arc<Recorder> {
        match self {
            Self::Span(span) => span.recorder(),
            Self::Silent(recorder, _) => recorder,
        }
    }
}

/// What a thread notes, as long as it has OpenTelemetry's context.
///
/// In a thread that ends the API panics where its thread-local is gone: a connection's drop that calls a traced function would end
/// the process. Thread-locals go in the reverse order of their beginnings, on Linux at least. This one begins after the API's, so
/// while it is there the API's is, too.
struct Entered {
    noted: RefCell<Option<EnteredSpan>>,
    has_context: bool,
}

impl Entered {
    fn new() -> Self {
        let has_context = catch_unwind(|| Context::map_current(|_| ())).is_ok();
        Self {
            noted: RefCell::new(None),
            has_context,
        }
    }
}

thread_local! {
    static ENTERED: Entered = Entered::new();
}

/// Runs `f` on what this thread notes. `None` on a thread that is ending, which has no context any more.
#[inline]
fn with_noted<R>(f: impl FnOnce(&RefCell<Option<EnteredSpan>>) -> R) -> Option<R> {
    ENTERED
        .try_with(|entered| entered.has_context.then(|| f(&entered.noted)))
        .ok()?
}

/// Runs `f` on the current context. `None` on a thread that is ending: nothing is recorded there.
pub(super) fn with_context<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    with_noted(|_| Context::map_current(f))
}

/// The span of ours in `cx`.
#[inline]
pub(crate) fn local_span(cx: &Context) -> Option<LocalSpan> {
    if !cx.has_active_span() {
        return None;
    }
    let span = cx.span();
    let context = span.span_context();
    let id = context.span_id();
    let noted = with_noted(|noted| match &*noted.borrow() {
        Some(EnteredSpan::Span(span)) if span.id() == id => Some(Some(span.clone())),
        Some(EnteredSpan::Silent(_, silent)) if *silent == Some(id) => Some(None),
        _ => None,
    });
    noted?.unwrap_or_else(|| known_spans::find(context))
}

/// Has `noted` change places with what this thread notes of the scope that it is in. `None` on a thread that is ending.
pub(super) fn swap_entered(noted: &mut Option<EnteredSpan>) -> Option<()> {
    with_noted(|mine| std::mem::swap(&mut *mine.borrow_mut(), noted))
}

/// What this thread notes of the scope that it is in.
pub(super) fn entered() -> Option<EnteredSpan> {
    with_noted(|noted| noted.borrow().clone())?
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
        with_context(Self::of).unwrap_or(Self::Silent)
    }

    /// Whether telemetry is suppressed here, or the thread is ending.
    pub(crate) fn is_suppressed() -> bool {
        with_context(Context::is_telemetry_suppressed) != Some(false)
    }

    /// The recorder whose scope this thread is in, recorded or not; else the one for a span that has none around it.
    pub(crate) fn recorder() -> Option<Arc<Recorder>> {
        let around = with_noted(|noted| {
            let noted = noted.borrow();
            noted.as_ref().map(|noted| Arc::clone(noted.recorder()))
        });
        around.flatten().or_else(recorder)
    }
}

static INSTALLED: OnceLock<Arc<Recorder>> = OnceLock::new();

/// Makes `recorder` the process's one, unless there is one already.
pub(crate) fn install(recorder: &Arc<Recorder>) {
    INSTALLED.get_or_init(|| Arc::clone(recorder));
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
    with_context(|cx| cx.get::<Override>().map(|o| Arc::clone(&o.0)))?
        .or_else(|| INSTALLED.get().cloned())
}
