//! Runs annotated bodies under their span.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use opentelemetry::Context as OtelContext;
use opentelemetry::trace::SpanContext;
use pin_project_lite::pin_project;

use super::active::{ActiveSpan, Entered};
use super::current::silent_context;
use super::local::LocalSpan;
use super::outcome::Outcome;

/// What an annotated body runs under.
#[derive(Debug)]
#[must_use]
pub struct BodySpan(Under);

#[derive(Debug)]
enum Under {
    /// What is there already: the middleware's span, or one that is not recorded.
    Nothing,
    /// The context of a span that its sampler dropped: what is below it is not recorded either.
    Silent(OtelContext),
    Span(ActiveSpan),
}

impl Under {
    fn enter(&self) -> Option<Entered<'_>> {
        match self {
            Self::Nothing => None,
            Self::Silent(cx) => Some(Entered::silent(cx)),
            Self::Span(span) => Some(span.enter()),
        }
    }

    fn end(self, error_type: impl FnOnce() -> Option<&'static str>) {
        if let Self::Span(span) = self {
            span.end(error_type().map_or(Outcome::Completed, Outcome::Failed));
        }
    }
}

impl BodySpan {
    /// For a body with no span of its own.
    pub(crate) const NONE: Self = Self(Under::Nothing);

    pub(crate) fn new(span: LocalSpan) -> Self {
        Self(Under::Span(ActiveSpan::new(span)))
    }

    /// For a body whose span, which would have that context, is not recorded.
    pub(crate) fn silent(context: SpanContext) -> Self {
        Self(silent_context(context).map_or(Under::Nothing, Under::Silent))
    }

    #[cfg(feature = "actix")]
    pub(crate) fn is_recording(&self) -> bool {
        matches!(self.0, Under::Span(_))
    }

    /// Runs `future` under the span. `error_type` tells of its output whether it is an error, and of what type.
    pub fn run<F, E>(self, future: F, error_type: E) -> Traced<F, E>
    where
        F: Future,
        E: FnOnce(&F::Output) -> Option<&'static str>,
    {
        Traced {
            future: Some(future),
            error_type: Some(error_type),
            under: self.0,
        }
    }

    /// Runs `body` under the span.
    pub fn run_sync<R>(
        self,
        body: impl FnOnce() -> R,
        error_type: impl FnOnce(&R) -> Option<&'static str>,
    ) -> R {
        let scope = self.0.enter();
        let result = body();
        drop(scope);
        self.0.end(|| error_type(&result));
        result
    }
}

pin_project! {
    /// A future that runs under a span: every poll, and its drop if it is dropped unfinished.
    #[derive(Debug)]
    pub struct Traced<F, E> {
        #[pin]
        future: Option<F>,
        error_type: Option<E>,
        under: Under,
    }

    impl<F, E> PinnedDrop for Traced<F, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _scope = this.under.enter();
            this.future.set(None);
        }
    }
}

impl<F, E> Future for Traced<F, E>
where
    F: Future,
    E: FnOnce(&F::Output) -> Option<&'static str>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let future = this
            .future
            .as_mut()
            .as_pin_mut()
            .expect("a future is not polled again after it is done");
        let scope = this.under.enter();
        let output = ready!(future.poll(cx));
        this.future.set(None);
        drop(scope);
        let error_type = this.error_type.take();
        std::mem::replace(this.under, Under::Nothing).end(|| error_type?(&output));
        Poll::Ready(output)
    }
}
