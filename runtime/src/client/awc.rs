//! Requests that [`awc`](https://docs.rs/awc/3) sends, in version 3.
//!
//! ```
//! use biztrace::client::{ClientTracing, awc::SendTraced};
//!
//! async fn order(client: &awc::Client, id: u64) -> Result<String, Box<dyn std::error::Error>> {
//!     let request = client.get(format!("http://shop.example.com/orders/{id}"));
//!     let tracing = ClientTracing::default().url_template("/orders/{id}");
//!     let mut response = request.send_traced_with(tracing, |request| request.send()).await?;
//!     Ok(String::from_utf8(response.body().await?.to_vec())?)
//! }
//! ```
//!
//! awc follows redirects by itself, within one span: the URL is the first one's, and the status code the last one's. A middleware
//! of awc would see each of them, but not its time-outs, which drop a request from outside. A body that breaks off with its
//! connection is whole to awc, and so to its span; one that takes longer than `ClientResponse::timeout` allows is dropped from
//! outside, and its span is cancelled.
//!
//! A redirect is sent the headers of the first request, baggage as well, whatever its host is. Where a service of one's own may redirect to
//! others, build the client with `disable_redirects`, or say [`ClientTracing::without_baggage`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::awc::error::{ConnectError, PayloadError, SendRequestError};
use ::awc::http::Version;
use ::awc::http::header::{HeaderMap, HeaderName, HeaderValue};
use ::awc::{ClientRequest, ClientResponse, SendClientRequest};
use actix_http::Payload;
use bytes::Bytes;
use futures_core::Stream;
use pin_project_lite::pin_project;

use super::ClientTracing;
use super::attempt::{self, Attempt, Sending, request_headers};
use crate::semconv::{OTHER, protocol_version};

/// Sends a request that is traced.
pub trait SendTraced: Sized {
    /// Sends the request as `send` does, without a body.
    fn send_traced(self) -> TracedSend<SendClientRequest>;

    /// Sends it by `send`, with a body perhaps, traced as `tracing` says.
    ///
    /// ```
    /// use biztrace::client::{ClientTracing, awc::SendTraced};
    ///
    /// # async fn charge(client: &awc::Client) -> Result<(), awc::error::SendRequestError> {
    /// let request = client.post("http://payments.example.com/charges");
    /// let send = |request: awc::ClientRequest| request.send_json(&[7, 8]);
    /// let response = request.send_traced_with(ClientTracing::default(), send).await?;
    /// # drop(response);
    /// # Ok(())
    /// # }
    /// ```
    fn send_traced_with<F, S>(
        self,
        tracing: ClientTracing,
        send: impl FnOnce(Self) -> F,
    ) -> TracedSend<F>
    where
        F: Future<Output = Result<ClientResponse<S>, SendRequestError>>;
}

impl SendTraced for ClientRequest {
    fn send_traced(self) -> TracedSend<SendClientRequest> {
        self.send_traced_with(ClientTracing::default(), ClientRequest::send)
    }

    fn send_traced_with<F, S>(
        mut self,
        tracing: ClientTracing,
        send: impl FnOnce(Self) -> F,
    ) -> TracedSend<F>
    where
        F: Future<Output = Result<ClientResponse<S>, SendRequestError>>,
    {
        let mut attempt = start(&tracing, &mut self);
        let future = attempt.within(|| send(self));
        TracedSend {
            sending: attempt.send(future),
        }
    }
}

pin_project! {
    /// A request on its way: what [`SendTraced`] returns.
    #[must_use = "futures do nothing unless polled"]
    pub struct TracedSend<F> {
        #[pin]
        sending: Sending<F>,
    }
}

impl<F> fmt::Debug for TracedSend<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracedSend").finish_non_exhaustive()
    }
}

impl<F, S> Future for TracedSend<F>
where
    F: Future<Output = Result<ClientResponse<S>, SendRequestError>>,
{
    type Output = Result<ClientResponse<TracedPayload<S>>, SendRequestError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (result, mut attempt) = ready!(self.project().sending.poll(cx));
        Poll::Ready(match result {
            Ok(response) => Ok(answered(attempt, response)),
            Err(error) => {
                attempt.fail(error_type(&error));
                Err(error)
            }
        })
    }
}

fn start(tracing: &ClientTracing, request: &mut ClientRequest) -> Attempt {
    let uri = request.get_uri();
    let told = attempt::OutgoingRequest {
        method: request.get_method().as_str(),
        url: uri,
        scheme: uri.scheme_str().unwrap_or_default(),
        host: uri.host().unwrap_or_default(),
        port: uri.port_u16(),
    };
    let mut attempt = Attempt::start(tracing, &told);
    attempt.inject(&mut RequestHeaders(request.headers_mut()));
    attempt
}

request_headers!();

fn answered<S>(attempt: Attempt, response: ClientResponse<S>) -> ClientResponse<TracedPayload<S>> {
    let version = protocol_version!(response.version(), Version);
    let mut attempt = attempt.answered(response.status().as_u16(), version);
    response.map_body(|_, payload| {
        if matches!(payload, Payload::None) {
            attempt.complete();
        }
        Payload::Stream {
            payload: TracedPayload { payload, attempt },
        }
    })
}

/// A word for what went wrong.
fn error_type(error: &SendRequestError) -> &'static str {
    match error {
        SendRequestError::Timeout | SendRequestError::Connect(ConnectError::Timeout) => {
            attempt::TIMEOUT
        }
        SendRequestError::Connect(
            ConnectError::Resolver(_) | ConnectError::NoRecords | ConnectError::Unresolved,
        ) => "dns",
        // There was a connection, and it was closed without an answer.
        SendRequestError::Connect(ConnectError::Disconnected) => "response",
        SendRequestError::Connect(_) => "connect",
        SendRequestError::Url(_) => "url",
        SendRequestError::Send(_) => "request",
        SendRequestError::Response(_) => "response",
        SendRequestError::Body(_) => "body",
        SendRequestError::Http(_) | SendRequestError::H2(_) => "http",
        _ => OTHER,
    }
}

pin_project! {
    /// The body of a traced response.
    pub struct TracedPayload<S> {
        #[pin]
        payload: Payload<S>,
        attempt: Attempt,
    }
}

impl<S> fmt::Debug for TracedPayload<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracedPayload").finish_non_exhaustive()
    }
}

impl<S> Stream for TracedPayload<S>
where
    S: Stream<Item = Result<Bytes, PayloadError>>,
{
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let next = this.attempt.within(|| this.payload.poll_next(cx));
        match &next {
            Poll::Ready(Some(Err(error))) => this.attempt.fail(body_error_type(error)),
            Poll::Ready(None) => this.attempt.complete(),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        next
    }
}

/// A word for what went wrong with a body.
fn body_error_type(error: &PayloadError) -> &'static str {
    match error {
        PayloadError::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => attempt::TIMEOUT,
        PayloadError::EncodingCorrupted => "decode",
        _ => "body",
    }
}
