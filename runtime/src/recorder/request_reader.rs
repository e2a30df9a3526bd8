//! What tags read of a request: an argument of the handler, or the copy that the request's span has.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt::Debug;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;

use super::head_copy::HeadCopy;
use super::local::LocalSpan;
use crate::diag;

/// The head of a request among a handler's arguments.
pub(crate) trait ReadHead: Debug {
    fn query(&self) -> &str;
    /// What `find` finds first in the lines of the header of that name, in any case, that are text.
    fn find_line<'s>(
        &'s self,
        name: &str,
        find: &mut dyn FnMut(&'s str) -> Option<&'s str>,
    ) -> Option<&'s str>;
}

/// The head of the request that a tag may read.
#[derive(Debug)]
pub struct RequestReader<'a>(HeadSource<'a>);

#[derive(Debug)]
enum HeadSource<'a> {
    Argument(&'a dyn ReadHead),
    /// What the middleware copied, if it is there: asked for when a tag reads it first.
    Copy {
        span: &'a LocalSpan,
        head: OnceCell<Option<Arc<HeadCopy>>>,
    },
}

/// Where an annotated function has its request from.
pub trait RequestSource {
    #[doc(hidden)]
    fn head<'a>(&'a self, span: &'a Recording<'_>) -> RequestReader<'a>;
}

/// The span that tags go to.
#[derive(Debug)]
pub struct Recording<'a>(pub(crate) &'a LocalSpan);

/// No argument is a request.
#[derive(Debug, Clone, Copy)]
pub struct NoRequest;

impl RequestSource for NoRequest {
    fn head<'a>(&'a self, span: &'a Recording<'_>) -> RequestReader<'a> {
        RequestReader(HeadSource::Copy {
            span: span.0,
            head: OnceCell::new(),
        })
    }
}

impl<'a> RequestReader<'a> {
    /// Reads an argument.
    pub(crate) fn of(request: &'a dyn ReadHead) -> Self {
        Self(HeadSource::Argument(request))
    }
}

impl RequestReader<'_> {
    /// The first header of that name, if its value is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.find_line(name, Some)
    }

    /// The first value of that name in the query string, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        let query = match &self.0 {
            HeadSource::Argument(request) => request.query(),
            HeadSource::Copy { span, head } => copy(span, head)?.query(),
        };
        form_urlencoded::parse(query.as_bytes())
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The value of the cookie of that name, as it was sent.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        // HTTP/2 may split them over several headers.
        self.find_line("cookie", |line| {
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

    fn find_line<'s>(
        &'s self,
        name: &str,
        mut find: impl FnMut(&'s str) -> Option<&'s str>,
    ) -> Option<&'s str> {
        match &self.0 {
            HeadSource::Argument(request) => request.find_line(name, &mut find),
            HeadSource::Copy { span, head } => copy(span, head)?.headers(name).find_map(find),
        }
    }
}

fn copy<'a>(span: &LocalSpan, head: &'a OnceCell<Option<Arc<HeadCopy>>>) -> Option<&'a HeadCopy> {
    head.get_or_init(|| span.head())
        .as_deref()
        .or_else(no_request)
}

fn no_request<'a>() -> Option<&'a HeadCopy> {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "a tag reads header(…), query(…) or cookie(…), but has no request: add `.wrap(RequestTracing::default())` to the \
         App, or an `HttpRequest` argument to the function. The tag is left out."
    ));
    None
}
