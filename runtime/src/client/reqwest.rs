//! Requests that [`reqwest`](https://docs.rs/reqwest/0.13) sends, in version 0.13.
//!
//! [`SendTraced`] sends one traced request of a plain `reqwest::Client`. All requests of a client are traced by [`ClientTracing`] as a
//! middleware of [`reqwest-middleware`](https://docs.rs/reqwest-middleware):
//!
//! ```
//! use biztrace::client::ClientTracing;
//! use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
//!
//! fn client() -> ClientWithMiddleware {
//!     ClientBuilder::new(reqwest::Client::new())
//!         // .with(…), what repeats requests: each attempt is a span of its own if that stands before.
//!         .with(ClientTracing::default())
//!         .build()
//! }
//!
//! async fn order(client: &ClientWithMiddleware, id: u64) -> Result<String, reqwest_middleware::Error> {
//!     let order = client
//!         .get(format!("http://shop.example.com/orders/{id}"))
//!         .with_extension(ClientTracing::default().url_template("/orders/{id}"));
//!     Ok(order.send().await?.text().await?)
//! }
//! ```
//!
//! An extension of the request stands in for the client's `ClientTracing`. reqwest follows redirects by itself, within one span: the URL is
//! the first one's, and the status code the last one's. It sends the first one's headers to all of them: [`redirect_policy`] keeps baggage
//! from hosts that may not have it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use ::reqwest::redirect::Policy;
use ::reqwest::{Body, Error, Request, RequestBuilder, Response, ResponseBuilderExt, Url, Version};
use async_trait::async_trait;
use http::Extensions;
use http_body::{Body as _, Frame, SizeHint};
use pin_project_lite::pin_project;
use reqwest_middleware::{Middleware, Next};

use super::ClientTracing;
use super::attempt::{self, Attempt, request_headers};
use super::payload::is_own;
use crate::recorder::Current;
use crate::semconv::{OTHER, protocol_version};

/// Sends a request that is traced.
///
/// ```
/// use biztrace::client::{ClientTracing, reqwest::SendTraced};
///
/// async fn order(client: &reqwest::Client, id: u64) -> reqwest::Result<String> {
///     let request = client.get(format!("http://shop.example.com/orders/{id}"));
///     let tracing = ClientTracing::default().url_template("/orders/{id}");
///     request.send_traced_with(tracing).await?.error_for_status()?.text().await
/// }
/// ```
pub trait SendTraced: Sized {
    /// Sends the request as `send` does. It starts when it is first polled.
    ///
    /// # Errors
    ///
    /// Those of `send`.
    fn send_traced(self) -> impl Future<Output = Result<Response, Error>> + Send {
        self.send_traced_with(ClientTracing::default())
    }

    /// The same, traced as `tracing` says.
    ///
    /// # Errors
    ///
    /// Those of `send`.
    fn send_traced_with(
        self,
        tracing: ClientTracing,
    ) -> impl Future<Output = Result<Response, Error>> + Send;
}

impl SendTraced for RequestBuilder {
    async fn send_traced_with(self, tracing: ClientTracing) -> Result<Response, Error> {
        let (client, request) = self.build_split();
        let mut request = request?;
        let attempt = start(&tracing, &mut request);
        let (result, mut attempt) = attempt.send(client.execute(request)).await;
        match result {
            Ok(response) => Ok(answered(attempt, response)),
            Err(error) => {
                attempt.fail(error_type(&error));
                Err(error)
            }
        }
    }
}

/// Follows redirects as reqwest does by default, but not from a host that is sent baggage to a host that is not: reqwest would send
/// it the same headers. The response is the redirect then. [`ClientTracing`] says which hosts are sent baggage.
///
/// ```
/// use biztrace::client::reqwest::redirect_policy;
///
/// let client = reqwest::Client::builder().redirect(redirect_policy()).build()?;
/// # drop(client);
/// # Ok::<(), reqwest::Error>(())
/// ```
#[must_use]
pub fn redirect_policy() -> Policy {
    Policy::custom(|redirect| {
        let recorder = Current::recorder();
        let is_own = |url: &Url| is_own(url.host_str().unwrap_or_default(), recorder.as_deref());
        // The headers are those of the first request.
        match redirect.previous().first() {
            Some(first) if is_own(first) && !is_own(redirect.url()) => redirect.stop(),
            _ => Policy::default().redirect(redirect),
        }
    })
}

/// In a request's extensions: how often it has been sent.
#[derive(Clone)]
struct Sent(u32);

#[async_trait]
impl Middleware for ClientTracing {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let mut tracing = extensions.get().unwrap_or(self).clone();
        let sent = extensions.get_or_insert_with(|| Sent(0));
        tracing.resend_count += sent.0;
        sent.0 += 1;
        let attempt = start(&tracing, &mut request);
        let (result, mut attempt) = attempt.send(next.run(request, extensions)).await;
        match result {
            Ok(response) => Ok(answered(attempt, response)),
            Err(error) => {
                attempt.fail(error_type_within(&error).unwrap_or(OTHER));
                Err(error)
            }
        }
    }
}

fn start(tracing: &ClientTracing, request: &mut Request) -> Attempt {
    let url = request.url();
    let told = attempt::OutgoingRequest {
        method: request.method().as_str(),
        url,
        scheme: url.scheme(),
        host: url.host_str().unwrap_or_default(),
        port: url.port(),
    };
    let mut attempt = Attempt::start(tracing, &told);
    attempt.inject(&mut RequestHeaders(request.headers_mut()));
    attempt
}

request_headers!();

fn answered(attempt: Attempt, response: Response) -> Response {
    let version = protocol_version!(response.version(), Version);
    let mut attempt = attempt.answered(response.status().as_u16(), version);
    if !attempt.lasts() {
        return response;
    }
    let url = response.url().clone();
    let (mut head, body) = http::Response::from(response).into_parts();
    if body.is_end_stream() {
        attempt.complete();
    }
    // reqwest keeps the URL in an extension of its own, which only its builder makes.
    let told = http::Response::builder().url(url).body(());
    let (told, ()) = told.unwrap_or_default().into_parts();
    head.extensions.extend(told.extensions);
    let body = Body::wrap(ReceivedBody { body, attempt });
    http::Response::from_parts(head, body).into()
}

/// That of the error of reqwest which a middleware has passed on, as its own perhaps.
fn error_type_within(error: &reqwest_middleware::Error) -> Option<&'static str> {
    match error {
        reqwest_middleware::Error::Reqwest(error) => Some(error_type(error)),
        reqwest_middleware::Error::Middleware(error) => error.chain().find_map(|cause| {
            let own = cause.downcast_ref().map(error_type);
            own.or_else(|| error_type_within(cause.downcast_ref()?))
        }),
    }
}

/// Whether a body is not what its encoding says. One that is wrapped has its own error within another.
fn is_decode(error: &Error) -> bool {
    let own = |cause: &(dyn std::error::Error + 'static)| {
        let cause = cause.downcast_ref::<Error>();
        cause.is_some_and(Error::is_decode)
    };
    error.is_decode() || std::error::Error::source(error).is_some_and(own)
}

/// A word for what went wrong. Time-outs first: whatever took too long has another name as well.
fn error_type(error: &Error) -> &'static str {
    if error.is_timeout() {
        attempt::TIMEOUT
    } else if error.is_dns() {
        "dns"
    } else if error.is_connect() {
        "connect"
    } else if error.is_redirect() {
        "redirect"
    } else if is_decode(error) {
        "decode"
    } else if error.is_body() {
        "body"
    } else if error.is_builder() {
        "builder"
    } else if error.is_request() {
        "request"
    } else {
        OTHER
    }
}

pin_project! {
    /// The body of a response whose span ends with it.
    struct ReceivedBody {
        #[pin]
        body: Body,
        attempt: Attempt,
    }

    impl PinnedDrop for ReceivedBody {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // Of a body of known size nobody may have asked for the end.
            if this.body.is_end_stream() {
                this.attempt.complete();
            }
        }
    }
}

impl http_body::Body for ReceivedBody {
    type Data = <Body as http_body::Body>::Data;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Error>>> {
        let this = self.project();
        let frame = this.attempt.within(|| this.body.poll_frame(cx));
        match &frame {
            Poll::Ready(Some(Err(error))) => this.attempt.fail(error_type(error)),
            Poll::Ready(None) => this.attempt.complete(),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
