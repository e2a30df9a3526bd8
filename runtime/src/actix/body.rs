//! The body of a traced response: its span ends when the body does.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;

use crate::recorder::{OTHER, Outcome, Under};

pin_project! {
    /// A response body that ends the request's span: complete when all of it has been taken, failed by its own error,
    /// cancelled when it is dropped before.
    #[derive(Debug)]
    pub struct TracedBody<B> {
        #[pin]
        body: Body<B>,
        under: Under,
        // Of a response whose body is taken to its end.
        outcome: Outcome,
    }

    impl<B> PinnedDrop for TracedBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let is_whole = this.body.as_ref().is_whole();
            let entered = this.under.enter();
            this.body.set(Body::Gone);
            drop(entered);
            if is_whole {
                this.under.end(*this.outcome);
            }
        }
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum Body<B> {
        /// All of it is in memory: to take it runs nobody's code.
        Bytes { bytes: Bytes },
        Stream {
            #[pin]
            body: B,
            // Bytes still to come, where the size is known: the server may not ask for the end after them.
            left: Option<u64>,
        },
        /// Dropped inside the span's scope, or taken.
        Gone,
    }
}

/// The name of an error's type, unless it is boxed.
fn error_type<E>() -> &'static str {
    let name = std::any::type_name::<E>();
    if name.contains("dyn ") { OTHER } else { name }
}

/// The type of the error of a body that ends before the size that it has promised.
const INCOMPLETE: &str = "incomplete_body";

impl<B> Body<B> {
    /// Whether all bytes of a body of known size have been taken.
    fn is_whole(&self) -> bool {
        matches!(self, Self::Stream { left: Some(0), .. })
    }
}

impl<B: MessageBody> TracedBody<B> {
    /// The server never asks for a body of size 0, nor for that of a response that has none whatever the handler gave it: that is
    /// their whole body.
    pub(super) fn new(body: B, mut under: Under, outcome: Outcome, has_none: bool) -> Self {
        let left = match body.size() {
            BodySize::Sized(size) => Some(size),
            BodySize::None => Some(0),
            BodySize::Stream => None,
        };
        if has_none || left == Some(0) {
            under.end(outcome);
        }
        let bytes = match left {
            Some(1..) => body.try_into_bytes(),
            // Without bytes it still matters whether there is a body of size 0 or none.
            _ => Err(body),
        };
        let body = match bytes {
            Ok(bytes) => Body::Bytes { bytes },
            Err(body) => Body::Stream { body, left },
        };
        Self {
            body,
            under,
            outcome,
        }
    }
}

impl<B: MessageBody> MessageBody for TracedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        match &self.body {
            Body::Bytes { bytes } => bytes.size(),
            Body::Stream { body, .. } => body.size(),
            Body::Gone => BodySize::None,
        }
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let (body, left) = match this.body.project() {
            Projected::Bytes { bytes } => {
                this.under.end(*this.outcome);
                let bytes = std::mem::take(bytes);
                return Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)));
            }
            Projected::Stream { body, left } => (body, left),
            Projected::Gone => return Poll::Ready(None),
        };
        let entered = this.under.enter();
        let next = body.poll_next(cx);
        drop(entered);
        let Poll::Ready(next) = next else {
            return Poll::Pending;
        };
        let outcome = match &next {
            Some(Ok(bytes)) => {
                *left = left.map(|left| left.saturating_sub(bytes.len() as u64));
                None
            }
            Some(Err(_)) => Some(Outcome::Failed(error_type::<B::Error>())),
            // The client waits for the rest, until the server hangs up.
            None if left.is_some_and(|left| left > 0) => Some(Outcome::Failed(INCOMPLETE)),
            None => Some(*this.outcome),
        };
        if let Some(outcome) = outcome {
            this.under.end(outcome);
        }
        Poll::Ready(next)
    }

    fn try_into_bytes(mut self) -> Result<Bytes, Self> {
        match std::mem::replace(&mut self.body, Body::Gone) {
            Body::Bytes { bytes } => {
                self.under.end(self.outcome);
                Ok(bytes)
            }
            body => {
                self.body = body;
                Err(self)
            }
        }
    }
}
