//! The body of a traced response: its span ends when the body does.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;

use crate::recorder::{Outcome, Under};

pin_project! {
    /// A response body that ends the request's span: complete when all of it has been taken, failed by its own error,
    /// cancelled when it is dropped before.
    #[derive(Debug)]
    pub struct TracedBody<B> {
        // Taken on drop only, so that it is dropped inside the span's scope.
        #[pin]
        body: Option<B>,
        under: Under,
        // Bytes still to come, where the size is known: the server may not ask for the end after them.
        left: Option<u64>,
    }

    impl<B> PinnedDrop for TracedBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let entered = this.under.enter();
            this.body.set(None);
            drop(entered);
            if *this.left == Some(0) {
                this.under.end(|| Outcome::Completed);
            }
        }
    }
}

impl<B: MessageBody> TracedBody<B> {
    /// The server never asks for a body of size 0, nor for the body of a response to HEAD: that is their whole body.
    pub(super) fn new(body: B, under: Under, is_head: bool) -> Self {
        let left = match body.size() {
            BodySize::Sized(size) => Some(size),
            BodySize::None => Some(0),
            BodySize::Stream => None,
        };
        let mut traced = Self {
            body: Some(body),
            under,
            left,
        };
        if is_head || left == Some(0) {
            traced.under.end(|| Outcome::Completed);
        }
        traced
    }
}

impl<B: MessageBody> MessageBody for TracedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.as_ref().map_or(BodySize::None, MessageBody::size)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        let Some(body) = this.body.as_pin_mut() else {
            return Poll::Ready(None);
        };
        let entered = this.under.enter();
        let next = ready!(body.poll_next(cx));
        drop(entered);
        let outcome = match &next {
            Some(Ok(bytes)) => {
                *this.left = this
                    .left
                    .map(|left| left.saturating_sub(bytes.len() as u64));
                None
            }
            Some(Err(_)) => Some(Outcome::Failed(std::any::type_name::<B::Error>())),
            None => Some(Outcome::Completed),
        };
        if let Some(outcome) = outcome {
            this.under.end(|| outcome);
        }
        Poll::Ready(next)
    }

    fn try_into_bytes(mut self) -> Result<Bytes, Self> {
        let Some(body) = self.body.take() else {
            return Err(self);
        };
        match body.try_into_bytes() {
            Ok(bytes) => {
                self.under.end(|| Outcome::Completed);
                Ok(bytes)
            }
            Err(body) => {
                self.body = Some(body);
                Err(self)
            }
        }
    }
}
