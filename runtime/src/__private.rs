//! All that an expansion of the macros may name. No part of the public API: it changes with the macros.

mod result;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

pub use biztrace_macros::tag;
use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::SpanContext;
pub use opentelemetry::trace::SpanKind;

pub use self::result::*;
pub use crate::attribute::{
    BizAttrs, BizValue, Debug, Display, Encoder, Hash, Key, Mask, MaxLen, Pii, Shown, Tags, Value,
};
use crate::diag;
use crate::recorder::{self, ActiveSpan, Current, LocalSpan, Recorder, Start, Started, Under};
pub use crate::recorder::{BodySpan, ResultSpan, Site, Traced, TracedStream};

#[cfg(feature = "actix")]
pub use crate::actix::handler::{HandlerRequest, child_handler, handler};

/// The head of the request that a tag may read.
#[derive(Debug)]
pub struct Head<'a>(pub(crate) Source<'a>);

#[derive(Debug)]
pub(crate) enum Source<'a> {
    #[cfg(feature = "actix")]
    Request(&'a actix_web::HttpRequest),
    /// What `RequestTracing` copied, if it is there: asked for when a tag reads it first.
    Copy {
        span: &'a LocalSpan,
        head: OnceCell<Option<Arc<recorder::Head>>>,
    },
}

impl Source<'_> {
    fn copy<'a>(
        span: &LocalSpan,
        head: &'a OnceCell<Option<Arc<recorder::Head>>>,
    ) -> Option<&'a recorder::Head> {
        head.get_or_init(|| span.head())
            .as_deref()
            .or_else(no_request)
    }
}

/// Where an annotated function has its request from.
pub trait RequestSource {
    #[doc(hidden)]
    fn head<'a>(&'a self, span: &'a Recording<'_>) -> Head<'a>;
}

/// The span that tags go to.
#[derive(Debug)]
pub struct Recording<'a>(pub(crate) &'a LocalSpan);

/// No argument is an `HttpRequest`.
#[derive(Debug, Clone, Copy)]
pub struct NoRequest;

impl RequestSource for NoRequest {
    fn head<'a>(&'a self, span: &'a Recording<'_>) -> Head<'a> {
        Head(Source::Copy {
            span: span.0,
            head: OnceCell::new(),
        })
    }
}

/// The tags of any function: what takes them is compiled once, and not again for each function.
///
/// `Fn`, so that the compiler refuses a value that changes or moves what it names: it is evaluated only where it is recorded.
pub(crate) type AnyTags<'a> = dyn Fn(&mut Tags, &Head<'_>) + 'a;

/// Opens the span of `#[traced]`.
pub fn traced<R: RequestSource>(
    site: &'static Site,
    request: R,
    tags: impl Fn(&mut Tags, &Head<'_>),
) -> BodySpan {
    open(site, &request, &tags)
}

pub(crate) fn open(
    site: &'static Site,
    request: &dyn RequestSource,
    tags: &AnyTags<'_>,
) -> BodySpan {
    let start = || Start::now(site.name, site.kind.clone());
    match Current::get() {
        Current::Local(parent) => body_span(parent.start_child(start()), None, None, request, tags),
        Current::Silent => BodySpan(Under::Nothing),
        Current::Foreign(parent) => {
            let recorder = recorder::recorder();
            begin(recorder, Some(&parent), start(), None, request, tags)
        }
        Current::Nothing => begin(recorder::recorder(), None, start(), None, request, tags),
    }
}

/// Opens the span of `#[traced(parent = none)]`: the first of a trace of its own, whatever is around it.
pub fn traced_root<R: RequestSource>(
    site: &'static Site,
    request: R,
    tags: impl Fn(&mut Tags, &Head<'_>),
) -> BodySpan {
    open_root(site, &request, &tags)
}

fn open_root(site: &'static Site, request: &dyn RequestSource, tags: &AnyTags<'_>) -> BodySpan {
    if recorder::with_context(Context::is_telemetry_suppressed) != Some(false) {
        return BodySpan(Under::Nothing);
    }
    let around = match Current::get() {
        Current::Local(around) => Some(around),
        Current::Silent | Current::Foreign(_) | Current::Nothing => None,
    };
    let recorder = match &around {
        Some(around) => Some(Arc::clone(around.recorder())),
        None => recorder::recorder_around(),
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
    tags: &AnyTags<'_>,
) -> BodySpan {
    match recorder {
        Some(recorder) => {
            let started = recorder.start(parent, start);
            body_span(started, Some(recorder), around, request, tags)
        }
        None => BodySpan(Under::Nothing),
    }
}

/// Tags a span that has started, for a body to run under it: the tags read the request of `around`, or the span's own. One that
/// was dropped is so by `recorder`, or by the one around.
fn body_span(
    started: Started,
    recorder: Option<Arc<Recorder>>,
    around: Option<&LocalSpan>,
    request: &dyn RequestSource,
    tags: &AnyTags<'_>,
) -> BodySpan {
    match started {
        Started::Recording(span) => {
            let mut active = ActiveSpan::new(span);
            let around = Recording(around.unwrap_or(active.span()));
            let baggage = record(active.span(), &request.head(&around), tags);
            if let Some(baggage) = baggage {
                active.carry(baggage);
            }
            BodySpan(Under::Span(active))
        }
        Started::Dropped(context) => {
            let recorder = recorder.or_else(recorder::recorder_around);
            BodySpan(Under::silent(context, recorder))
        }
    }
}

/// Tags the current span, for `#[biz_attrs]` alone and `tag!`.
pub fn annotate<R: RequestSource>(request: R, tags: impl Fn(&mut Tags, &Head<'_>)) {
    if let Under::Carrying(..) = annotated(request, tags).0 {
        recorder::warn_in_vain();
    }
}

/// Tags the current span, for `#[biz_attrs]` alone where it has entries on the result, or such as travel.
pub fn annotated<R: RequestSource>(request: R, tags: impl Fn(&mut Tags, &Head<'_>)) -> BodySpan {
    tag_current(&request, &tags)
}

fn tag_current(request: &dyn RequestSource, tags: &AnyTags<'_>) -> BodySpan {
    match Current::get() {
        Current::Local(span) if span.is_recording() => {
            let baggage = record(&span, &request.head(&Recording(&span)), tags);
            BodySpan(Under::around(span, baggage))
        }
        _ => BodySpan(Under::Nothing),
    }
}

/// Evaluates tags, outside any lock, and adds them to `span`. Returns the baggage for what runs below, if some of them travel.
pub(crate) fn record(span: &LocalSpan, head: &Head<'_>, tags: &AnyTags<'_>) -> Option<Baggage> {
    let mut set = span.tags();
    tags(&mut set, head);
    if !set.is_empty() {
        span.append(&set);
    }
    recorder::baggage(&set)
}

/// Has the type `T` known where a body's result is inferred. Never runs.
#[must_use]
pub fn returns<T>() -> T {
    unreachable!("the expansion calls this below `if false`")
}

impl Head<'_> {
    /// The first header of that name, if its value is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.find_header(name, Some)
    }

    /// What `f` finds in the lines of a header that are text.
    fn find_header<'s, T>(&'s self, name: &str, f: impl FnMut(&'s str) -> Option<T>) -> Option<T> {
        match &self.0 {
            #[cfg(feature = "actix")]
            Source::Request(request) => {
                let lines = request.headers().get_all(name);
                lines
                    .filter_map(|line| std::str::from_utf8(line.as_bytes()).ok())
                    .find_map(f)
            }
            Source::Copy { span, head } => Source::copy(span, head)?.headers(name).find_map(f),
        }
    }

    /// The first value of that name in the query string, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        let query = match &self.0 {
            #[cfg(feature = "actix")]
            Source::Request(request) => request.query_string(),
            Source::Copy { span, head } => Source::copy(span, head)?.query(),
        };
        form_urlencoded::parse(query.as_bytes())
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The value of the cookie of that name, as it was sent.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        // HTTP/2 may split them over several headers.
        self.find_header("cookie", |line| {
            line.split(';').find_map(|pair| {
                let (key, value) = pair.split_once('=')?;
                (key.trim() == name).then(|| value.trim().trim_matches('"'))
            })
        })
    }

    /// What travels under that key, whoever has set it: the context has it of callers that are trusted, and of tags further up.
    #[must_use]
    pub fn baggage(&self, key: &str) -> Option<String> {
        let owned = |cx: &Context| Some(cx.baggage().get(key)?.as_str().to_owned());
        Context::map_current(owned)
    }
}

fn no_request<'a>() -> Option<&'a recorder::Head> {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "a tag reads header(…), query(…) or cookie(…), but has no request: add `.wrap(RequestTracing::default())` to the \
         App, or an `HttpRequest` argument to the function. The tag is left out."
    ));
    None
}
