//! The body of a traced response: its span ends when the body does.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;

use crate::inbound::Exchange;
use crate::recorder::Scoped;
use crate::semconv::OTHER;
use crate::semconv::Outcome;

pin_project! {
    /// A response body that ends the request's span: complete when all of it has been taken, failed by its own error,
    /// cancelled when it is dropped before.
    #[derive(Debug)]
    pub struct TracedBody<B> {
        #[pin]
        scoped: Scoped<Body<B>, Exchange>,
    }

    impl<B> PinnedDrop for TracedBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut scoped = this.project().scoped;
            let is_whole = scoped.inner().is_some_and(Body::is_whole);
            // The body's own drop still runs under the span.
            scoped.as_mut().finish();
            if is_whole {
                scoped.owner().complete();
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
    pub(super) fn new(body: B, mut exchange: Exchange, has_none: bool) -> Self {
        let left = match body.size() {
            BodySize::Sized(size) => Some(size),
            BodySize::None => Some(0),
            BodySize::Stream => None,
        };
        if has_none || left == Some(0) {
            exchange.complete();
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
            scoped: Scoped::new(body, exchange),
        }
    }
}

impl<B: MessageBody> MessageBody for TracedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        match self.scoped.inner() {
            Some(Body::Bytes { bytes }) => bytes.size(),
            Some(Body::Stream { body, .. }) => body.size(),
            None => BodySize::None,
        }
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let mut scoped = self.project().scoped;
        if let Some(Projected::Bytes { bytes }) = scoped.as_mut().inner_mut().map(Body::project) {
            let bytes = std::mem::take(bytes);
            scoped.as_mut().clear();
            scoped.owner().complete();
            return Poll::Ready((!bytes.is_empty()).then_some(Ok(bytes)));
        }
        let mut is_short = false;
        let next = scoped.as_mut().poll(
            |body| match body.project() {
                Projected::Stream { body, left } => {
                    let next = ready!(body.poll_next(cx));
                    if let (Some(Ok(bytes)), Some(left)) = (&next, &mut *left) {
                        *left = left.saturating_sub(bytes.len() as u64);
                    }
                    is_short = left.is_some_and(|left| left > 0);
                    Poll::Ready(next)
                }
                Projected::Bytes { .. } => Poll::Ready(None),
            },
            Option::is_none,
        );
        let Some(next) = next else {
            return Poll::Ready(None);
        };
        let next = ready!(next);
        let exchange = scoped.owner();
        match &next {
            Some(Ok(_)) => {}
            Some(Err(_)) => exchange.finish(Outcome::Failed(error_type::<B::Error>())),
            // The client waits for the rest, until the server hangs up.
            None if is_short => exchange.finish(Outcome::Failed(INCOMPLETE)),
            None => exchange.complete(),
        }
        Poll::Ready(next)
    }

    fn try_into_bytes(mut self) -> Result<Bytes, Self> {
        let Some(Body::Bytes { bytes }) = self.scoped.inner() else {
            return Err(self);
        };
        let bytes = bytes.clone();
        self.scoped.owner_mut().complete();
        Ok(bytes)
    }
}
