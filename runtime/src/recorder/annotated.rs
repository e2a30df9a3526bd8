//! Opens the spans of annotated functions, and tags them.

use std::sync::Arc;

use opentelemetry::baggage::Baggage;
use opentelemetry::trace::SpanContext;

use super::baggage::{baggage, warn_baggage_unused};
use super::current::{self, Current};
use super::instance::Recorder;
use super::instrument::BodySpan;
use super::local::LocalSpan;
use super::request_reader::{Recording, RequestReader, RequestSource};
use super::run_scope::{ActiveSpan, RunScope};
use super::site::Site;
use super::start::{Start, Started};
use crate::attribute::Tags;

/// The tags of any function: what takes them is compiled once, and not again for each function.
///
/// A trait of its own: the vtable of a `dyn Fn` has the code of a closure twice, the second time for `call_once`.
pub(super) trait FunctionTags {
    fn set(&self, tags: &mut Tags, request: &RequestReader<'_>);
}

/// `Fn`, so that the compiler refuses a value that changes or moves what it names: it is evaluated only where it is recorded.
impl<F: Fn(&mut Tags, &RequestReader<'_>)> FunctionTags for F {
    fn set(&self, tags: &mut Tags, request: &RequestReader<'_>) {
        self(tags, request);
    }
}

/// Opens the span of `#[traced]`.
pub fn traced<R: RequestSource>(
    site: &'static Site,
    request: R,
    tags: impl Fn(&mut Tags, &RequestReader<'_>),
) -> BodySpan {
    open(site, &request, &tags)
}

pub(super) fn open(
    site: &'static Site,
    request: &dyn RequestSource,
    tags: &dyn FunctionTags,
) -> BodySpan {
    let start = || Start::now(site.name, site.kind.clone());
    match Current::get() {
        Current::Local(parent) => body_span(parent.start_child(start()), None, None, request, tags),
        Current::Silent => BodySpan(RunScope::Nothing),
        Current::Foreign(parent) => {
            let recorder = current::recorder();
            begin(recorder, Some(&parent), start(), None, request, tags)
        }
        Current::Nothing => begin(current::recorder(), None, start(), None, request, tags),
    }
}

/// Opens the span of `#[traced(parent = none)]`: the first of a trace of its own, whatever is around it.
pub fn traced_root<R: RequestSource>(
    site: &'static Site,
    request: R,
    tags: impl Fn(&mut Tags, &RequestReader<'_>),
) -> BodySpan {
    open_root(site, &request, &tags)
}

fn open_root(
    site: &'static Site,
    request: &dyn RequestSource,
    tags: &dyn FunctionTags,
) -> BodySpan {
    if Current::is_suppressed() {
        return BodySpan(RunScope::Nothing);
    }
    let around = match Current::get() {
        Current::Local(around) => Some(around),
        Current::Silent | Current::Foreign(_) | Current::Nothing => None,
    };
    let recorder = match &around {
        Some(around) => Some(Arc::clone(around.recorder())),
        None => Current::recorder(),
    };
    let start = Start::now(site.name, site.kind.clone());
    // The request that tags may read is that of the code around.
    begin(recorder, None, start, around.as_ref(), request, tags)
}

/// Opens the first span of a trace here, if there is a recorder for it.
fn begin(
    recorder: Option<Arc<Recorder>>,
    parent: Option<&SpanContext>,
    start: Start<'_>,
    around: Option<&LocalSpan>,
    request: &dyn RequestSource,
    tags: &dyn FunctionTags,
) -> BodySpan {
    match recorder {
        Some(recorder) => {
            let started = recorder.start(parent, start);
            body_span(started, Some(recorder), around, request, tags)
        }
        None => BodySpan(RunScope::Nothing),
    }
}

/// Tags a span that has started, for a body to run under it: the tags read the request of `around`, or the span's own. One that
/// was dropped is so by `recorder`, or by the one around.
fn body_span(
    started: Started,
    recorder: Option<Arc<Recorder>>,
    around: Option<&LocalSpan>,
    request: &dyn RequestSource,
    tags: &dyn FunctionTags,
) -> BodySpan {
    match started {
        Started::Recording(span) => {
            let mut active = ActiveSpan::new(span);
            let around = Recording(around.unwrap_or(active.span()));
            let baggage = record(active.span(), &around, &request.head(&around), tags);
            if let Some(baggage) = baggage {
                active.carry(baggage);
            }
            BodySpan(RunScope::Span(active))
        }
        Started::Dropped(context) => {
            let recorder = recorder.or_else(Current::recorder);
            BodySpan(RunScope::silent(context, recorder))
        }
    }
}

/// Tags the current span, for `#[biz_attrs]` alone and `tag!`.
pub fn annotate<R: RequestSource>(request: R, tags: impl Fn(&mut Tags, &RequestReader<'_>)) {
    if let RunScope::Carrying(..) = annotated(request, tags).0 {
        warn_baggage_unused();
    }
}

/// Tags the current span, for `#[biz_attrs]` alone where it has entries on the result, or such as travel.
pub fn annotated<R: RequestSource>(
    request: R,
    tags: impl Fn(&mut Tags, &RequestReader<'_>),
) -> BodySpan {
    tag_current(&request, &tags)
}

fn tag_current(request: &dyn RequestSource, tags: &dyn FunctionTags) -> BodySpan {
    match Current::get() {
        Current::Local(span) if span.is_recording() => {
            let around = Recording(&span);
            let baggage = record(&span, &around, &request.head(&around), tags);
            BodySpan(RunScope::around(span, baggage))
        }
        _ => BodySpan(RunScope::Nothing),
    }
}

/// Evaluates tags, outside any lock, and adds them to `span`. Returns the baggage for what runs below, if some of them travel. The
/// request of `around` hides what protected tags are made of.
pub(super) fn record(
    span: &LocalSpan,
    around: &Recording<'_>,
    request: &RequestReader<'_>,
    tags: &dyn FunctionTags,
) -> Option<Baggage> {
    let mut set = span.tags();
    let evaluated = Evaluated {
        set: &mut set,
        around: around.0,
    };
    tags.set(evaluated.set, request);
    drop(evaluated);
    if !set.is_empty() {
        span.append(&set);
    }
    baggage(&set)
}

/// Tags that are evaluated below `around`, whose request hides what they are made of: also if a value panics.
struct Evaluated<'a> {
    set: &'a mut Tags,
    around: &'a LocalSpan,
}

impl Drop for Evaluated<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.set.private_url.is_any() {
            self.around.hide_url(self.set.private_url);
        }
    }
}
