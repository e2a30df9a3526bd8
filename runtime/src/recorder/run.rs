//! Runs annotated bodies under their span.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::active::Under;
use super::outcome::Outcome;

/// What an annotated body runs under.
#[derive(Debug)]
#[must_use]
pub struct BodySpan(pub(crate) Under);

impl BodySpan {
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
        mut self,
        body: impl FnOnce() -> R,
        error_type: impl FnOnce(&R) -> Option<&'static str>,
    ) -> R {
        let scope = self.0.enter();
        let result = body();
        drop(scope);
        self.0.end(|| outcome(error_type(&result)));
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
        this.under
            .end(|| outcome(error_type.and_then(|error_type| error_type(&output))));
        Poll::Ready(output)
    }
}
