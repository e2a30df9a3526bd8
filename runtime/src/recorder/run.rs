//! Runs annotated bodies under their span.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::active::ActiveSpan;
use super::outcome::Outcome;

/// The span of an annotated function, if it has one of its own to run under.
#[derive(Debug)]
#[must_use]
pub struct BodySpan(Option<ActiveSpan>);

impl BodySpan {
    /// Nothing to run under: the span is the middleware's, or none is recorded.
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn new(span: ActiveSpan) -> Self {
        Self(Some(span))
    }

    #[cfg(feature = "actix")]
    pub(crate) fn is_recording(&self) -> bool {
        self.0.is_some()
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
            span: self.0,
        }
    }

    /// Runs `body` under the span.
    pub fn run_sync<R>(
        self,
        body: impl FnOnce() -> R,
        error_type: impl FnOnce(&R) -> Option<&'static str>,
    ) -> R {
        let Some(span) = self.0 else { return body() };
        let scope = span.enter();
        let result = body();
        drop(scope);
        span.end(outcome(error_type(&result)));
        result
    }
}

fn outcome(error_type: Option<&'static str>) -> Outcome {
    error_type.map_or(Outcome::Completed, Outcome::Failed)
}

pin_project! {
    /// A future that runs under a span: every poll, and its drop if it is dropped unfinished.
    #[derive(Debug)]
    pub struct Traced<F, E> {
        #[pin]
        future: Option<F>,
        error_type: Option<E>,
        span: Option<ActiveSpan>,
    }

    impl<F, E> PinnedDrop for Traced<F, E> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(span) = this.span {
                let _scope = span.enter();
                this.future.set(None);
            }
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
        let Some(span) = this.span else {
            return future.poll(cx);
        };
        let scope = span.enter();
        let output = ready!(future.poll(cx));
        this.future.set(None);
        drop(scope);
        if let (Some(span), Some(error_type)) = (this.span.take(), this.error_type.take()) {
            span.end(outcome(error_type(&output)));
        }
        Poll::Ready(output)
    }
}
