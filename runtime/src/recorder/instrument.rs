//! Runs annotated bodies under their span.

use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedFuture, FusedStream, Stream};
use opentelemetry::trace::SpanContext;
use pin_project_lite::pin_project;

use super::baggage::warn_baggage_unused;
use super::exception::Exception;
use super::local::LocalSpan;
use super::run_scope::RunScope;
use super::scoped::Scoped;
use crate::attribute::Tags;
use crate::semconv::Outcome;

/// What an annotated body runs under.
#[derive(Debug)]
#[must_use]
pub struct BodySpan(pub(crate) RunScope);

/// The span of a body that has run, for what is said of its result.
#[derive(Debug)]
pub struct ResultSpan<'a>(&'a LocalSpan);

/// The type of the error that a result is, if it is one.
type ErrorType = Option<&'static str>;

impl BodySpan {
    /// Links the span to others. A context that is of no span is left out.
    pub fn link<L>(self, links: impl FnOnce() -> L) -> Self
    where
        L: IntoIterator<Item: Borrow<SpanContext>>,
    {
        if let Some(span) = self.0.span() {
            for link in links() {
                let context = link.borrow();
                if context.is_valid() {
                    span.link(context);
                }
            }
        }
        self
    }

    /// Runs `future` under the span. `on_result` looks at its output.
    pub fn run<F, R>(self, future: F, on_result: R) -> Traced<F, R>
    where
        F: Future,
        R: FnOnce(&F::Output, &ResultSpan<'_>) -> ErrorType,
    {
        Traced {
            scoped: Scoped::new(future, self.0),
            on_result: Some(on_result),
        }
    }

    /// Runs `body` under the span.
    pub fn run_sync<T>(
        mut self,
        body: impl FnOnce() -> T,
        on_result: impl FnOnce(&T, &ResultSpan<'_>) -> ErrorType,
    ) -> T {
        let result = self.call(body);
        end(&mut self.0, |span| on_result(&result, span));
        result
    }

    /// Runs `body` under the span, and the future that it returns.
    pub fn run_future<F, R>(mut self, body: impl FnOnce() -> F, on_result: R) -> Traced<F, R>
    where
        F: Future,
        R: FnOnce(&F::Output, &ResultSpan<'_>) -> ErrorType,
    {
        let future = self.call(body);
        self.run(future, on_result)
    }

    /// Runs `body` under the span, and the stream that it returns. `on_item` looks at each item until one is an error.
    pub fn run_stream<S, I>(mut self, body: impl FnOnce() -> S, on_item: I) -> TracedStream<S, I>
    where
        S: Stream,
        I: FnMut(&S::Item, &ResultSpan<'_>) -> ErrorType,
    {
        let stream = self.call(body);
        TracedStream {
            scoped: Scoped::new(stream, self.0),
            on_item,
            failed: None,
        }
    }

    fn call<T>(&mut self, body: impl FnOnce() -> T) -> T {
        let _scope = self.0.enter();
        body()
    }
}

fn end(scope: &mut RunScope, error_type: impl FnOnce(&ResultSpan<'_>) -> ErrorType) {
    if let Some(error_type) = scope.watch(|span| error_type(&ResultSpan(span))) {
        scope.end(outcome(error_type));
    }
}

fn outcome(error_type: ErrorType) -> Outcome {
    error_type.map_or(Outcome::Ok, Outcome::Failed)
}

impl ResultSpan<'_> {
    /// Adds tags, which are evaluated outside any lock.
    pub fn tag(&self, tags: impl FnOnce(&mut Tags)) {
        let mut set = self.0.tags();
        tags(&mut set);
        if !set.baggage.is_empty() {
            warn_baggage_unused();
        }
        self.0.append(&set);
    }

    /// Records an error, unless it stands for a response of 4xx.
    pub fn exception(&self, error_type: &'static str, message: String) {
        let redaction = self.0.recorder().redaction();
        let exception = Exception::new(Some(error_type), message, redaction);
        self.0.set_exception(exception);
    }
}

pin_project! {
    /// A future that runs under a span: every poll, and its drop if it is dropped unfinished.
    #[derive(Debug)]
    pub struct Traced<F, R> {
        #[pin]
        scoped: Scoped<F, RunScope>,
        on_result: Option<R>,
    }
}

impl<F, R> Future for Traced<F, R>
where
    F: Future,
    R: FnOnce(&F::Output, &ResultSpan<'_>) -> ErrorType,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let output = this
            .scoped
            .as_mut()
            .poll(|future| future.poll(cx), |_| true);
        let output = ready!(output.expect("a future is not polled again after it is done"));
        let on_result = this.on_result.take();
        end(this.scoped.owner(), |span| {
            on_result.and_then(|on_result| on_result(&output, span))
        });
        Poll::Ready(output)
    }
}

impl<F, R> FusedFuture for Traced<F, R>
where
    F: Future,
    R: FnOnce(&F::Output, &ResultSpan<'_>) -> ErrorType,
{
    fn is_terminated(&self) -> bool {
        self.scoped.inner().is_none()
    }
}

pin_project! {
    /// A stream that runs under a span, which ends with it: every poll, and its drop if it is dropped before its end.
    #[derive(Debug)]
    pub struct TracedStream<S, I> {
        #[pin]
        scoped: Scoped<S, RunScope>,
        on_item: I,
        failed: ErrorType,
    }

    impl<S, I> PinnedDrop for TracedStream<S, I> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.scoped.as_mut().finish();
            let scope = this.scoped.owner();
            // Who has seen an error need not ask for more: then it is no cancellation.
            if this.failed.is_some() && !scope.has_panicked() {
                end(scope, |_| *this.failed);
            }
        }
    }
}

impl<S, I> Stream for TracedStream<S, I>
where
    S: Stream,
    I: FnMut(&S::Item, &ResultSpan<'_>) -> ErrorType,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let item = this
            .scoped
            .as_mut()
            .poll(|stream| stream.poll_next(cx), Option::is_none);
        let Some(item) = item else {
            return Poll::Ready(None);
        };
        let item = ready!(item);
        let scope = this.scoped.owner();
        match &item {
            Some(item) if this.failed.is_none() => {
                let look = |span: &LocalSpan| (this.on_item)(item, &ResultSpan(span));
                *this.failed = scope.watch(look).flatten();
            }
            Some(_) => {}
            None => end(scope, |_| *this.failed),
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.scoped.inner().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S, I> FusedStream for TracedStream<S, I>
where
    S: Stream,
    I: FnMut(&S::Item, &ResultSpan<'_>) -> ErrorType,
{
    fn is_terminated(&self) -> bool {
        self.scoped.inner().is_none()
    }
}
