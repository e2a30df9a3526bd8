//! The middleware's options.

use std::fmt;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderName;

use super::hooks::Hooks;
use super::trust::Trust;
use crate::attribute::Tags;
use crate::inbound::{HeaderCapture, IdOptions, Proxies, tag_baggage};
use crate::recorder::{Recorder, TracerProvider};

/// Records each request as a SERVER span, from its head to the end of its response's body.
///
/// Wrap the `App` in it, outside of other middleware so that theirs is recorded too. It takes the caller's trace from
/// `traceparent`, names the span by method and route, and records the status; a server error, a panic or a broken body
/// marks the span as an error, and a request that its client gave up is tagged `biztrace.outcome=cancelled`.
///
/// A caller is trusted if it is in a private network, and if no proxy says otherwise: see [`Trust`]. Behind a balancer that leaves no sign,
/// trust [nobody](Trust::nobody).
///
/// By default actix-web lets a handler run to its end although the client has hung up, and nobody learns of it: build the
/// `HttpServer` with `.h1_allow_half_closed(false)` to have such requests cancelled.
///
/// ```
/// use actix_web::{App, web};
/// use biztrace::actix::RequestTracing;
///
/// let app = App::new()
///     .wrap(RequestTracing::new())
///     .route("/", web::get().to(|| async { "hello" }));
/// # let _ = app;
/// ```
#[derive(Clone, Default)]
pub struct RequestTracing {
    pub(super) recorder: Option<Arc<Recorder>>,
    pub(super) hooks: Hooks,
    pub(super) trust: Trust,
    pub(super) proxies: Proxies,
    pub(super) client_address: bool,
    pub(super) without_path: bool,
    pub(super) without_query: bool,
    pub(super) readable: Option<Vec<HeaderName>>,
    pub(super) ids: IdOptions,
}

impl RequestTracing {
    /// Records to the installed instance, with the defaults that each option describes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records with an instance of its own instead of the installed one.
    ///
    /// ```
    /// use biztrace::{Telemetry, actix::RequestTracing};
    ///
    /// let telemetry = Telemetry::builder().build()?;
    /// let tracing = RequestTracing::default().tracer_provider(telemetry.tracer_provider());
    /// # let _ = tracing;
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    #[must_use]
    pub fn tracer_provider(mut self, provider: TracerProvider) -> Self {
        self.recorder = Some(provider.into_recorder());
        self
    }

    /// Makes no spans for the requests that `skip` picks, and none below them. By default these are `/health`, `/healthz`,
    /// `/livez`, `/readyz` and `/metrics`.
    ///
    /// ```
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default().skip(|request| request.path().starts_with("/internal/"));
    /// # let _ = tracing;
    /// ```
    #[must_use]
    pub fn skip(mut self, skip: impl Fn(&ServiceRequest) -> bool + Send + Sync + 'static) -> Self {
        self.hooks.skip = Some(Arc::new(skip));
        self
    }

    /// Names spans after what `name` makes of the request once it has been routed; `None` keeps method and route. Names
    /// must be few: no ids in them. Requests that end without a response keep the default.
    ///
    /// ```
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default()
    ///     .span_name(|request| request.match_name().map(|resource| format!("shop {resource}")));
    /// # let _ = tracing;
    /// ```
    #[must_use]
    pub fn span_name(
        mut self,
        name: impl Fn(&HttpRequest) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.span_name = Some(Arc::new(name));
        self
    }

    /// Tags the span of each recorded request, before the request is routed. May be given several times: all run, in that
    /// order.
    ///
    /// ```
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default().on_request(|request, tags| {
    ///     let tenant = request.headers().get("x-tenant-id");
    ///     tags.set("tenant.id", &tenant.and_then(|tenant| tenant.to_str().ok()));
    /// });
    /// # let _ = tracing;
    /// ```
    #[must_use]
    pub fn on_request(
        mut self,
        tags: impl Fn(&ServiceRequest, &mut Tags) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.tags.push(Arc::new(tags));
        self
    }

    /// Tags the span of each recorded request from its response, without the body: its status, its headers, and the request
    /// with its route and what handlers and other middleware have left in its extensions. May be given several times: all run,
    /// in that order.
    ///
    /// Not called where no response comes by: the client gave up, the handler panicked, or middleware within failed with an
    /// error instead of a response.
    ///
    /// ```
    /// use actix_web::HttpMessage;
    /// use biztrace::actix::RequestTracing;
    ///
    /// struct User {
    ///     tier: String,
    /// }
    ///
    /// let tracing = RequestTracing::default().on_response(|response, tags| {
    ///     tags.set("response.is_cached", &response.headers().contains_key("age"));
    ///     if let Some(user) = response.request().extensions().get::<User>() {
    ///         tags.set("user.tier", &user.tier);
    ///     }
    /// });
    /// # let _ = tracing;
    /// ```
    #[must_use]
    pub fn on_response(
        mut self,
        tags: impl Fn(&ServiceResponse<()>, &mut Tags) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.response_tags.push(Arc::new(tags));
        self
    }

    /// Takes the trace over from the callers that `trust` picks, from others a link: see [`Trust`]. By default these are the
    /// callers of a loopback or private network whose requests name no other address in `Forwarded` or `X-Forwarded-For`.
    ///
    /// Of several `RequestTracing` around a handler the outermost decides, since it begins the trace. Scopes that are to be
    /// trusted differently are each wrapped instead of the `App`, or told apart by [`Trust::when`].
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Uses what these proxies write about the clients behind them in `Forwarded`, or in `X-Forwarded-For`, `X-Forwarded-Host` and
    /// `X-Forwarded-Proto`. They are IP addresses, networks, or `unix`: the other end of each Unix socket. By default nobody is believed.
    ///
    /// It is then that client whom [`trust`](Self::trust) is about; one that the proxies do not name is not of a private
    /// network. A request without any of these headers is one of the proxy's own: have it add them to all that it passes on, or
    /// name only proxies that do. `server.address`, `server.port` and `url.scheme` are what the client asked for, and `client.address`
    /// is its address, if [asked for](Self::client_address). Where both kinds of headers come, only what they agree upon counts: proxies that
    /// write one kind often let the client's other kind pass. [`proxy_headers`](Self::proxy_headers) says which headers they write.
    ///
    /// # Errors
    ///
    /// Names the first text that is neither an address, a network nor `unix`.
    ///
    /// # Examples
    ///
    /// Build it before `HttpServer::new`, where `?` works, and give each worker a copy:
    ///
    /// ```
    /// use actix_web::{App, HttpServer};
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default().trusted_proxies(["10.0.0.0/8", "2001:db8::1", "unix"])?;
    /// let server = HttpServer::new(move || App::new().wrap(tracing.clone()));
    /// # let _ = server;
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    pub fn trusted_proxies(
        mut self,
        proxies: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, crate::error::Error> {
        self.proxies.set_addresses(proxies)?;
        Ok(self)
    }

    /// Believes the [trusted proxies](Self::trusted_proxies) these headers only: those that they write in place of what a client sends, or
    /// add to. Any of `Forwarded`, `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto`.
    ///
    /// By default all four are read, as far as they agree. Since most proxies let `X-Forwarded-Host` and `X-Forwarded-Proto` of a client
    /// pass, each of these counts by default only if it has as many members as `X-Forwarded-For`; a client can achieve that.
    ///
    /// # Errors
    ///
    /// Names the first header that is another one.
    ///
    /// ```
    /// use actix_web::http::header;
    /// use biztrace::actix::RequestTracing;
    ///
    /// // A load balancer that writes no `X-Forwarded-Host`.
    /// let tracing = RequestTracing::default()
    ///     .trusted_proxies(["10.0.0.0/8"])?
    ///     .proxy_headers([header::X_FORWARDED_FOR, header::X_FORWARDED_PROTO])?;
    /// # let _ = tracing;
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    pub fn proxy_headers(
        mut self,
        names: impl IntoIterator<Item = HeaderName>,
    ) -> Result<Self, crate::error::Error> {
        self.proxies.set_headers(names)?;
        Ok(self)
    }

    /// Records where requests come from: `client.address`, `network.peer.address` and `network.peer.port`.
    ///
    /// Not done by default, although the semantic conventions recommend it: an IP address is personal data in the law of many
    /// countries.
    #[must_use]
    pub fn client_address(mut self) -> Self {
        self.client_address = true;
        self
    }

    /// Gives each request an id: the caller's `X-Request-ID`, if the caller is [trusted](Self::trust) and the id is one as
    /// [`RequestId`](super::RequestId) describes, else a fresh one. It is the span's tag `request.id` and the answer's
    /// `x-request-id`, whatever the handler has set there; handlers find it with `RequestId`, and logs with
    /// [`request_id`](super::request_id()). Requests that are not recorded have one too.
    ///
    /// Of several `RequestTracing` with this option around a handler, the outermost gives the id.
    ///
    /// ```
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default().request_id();
    /// # let _ = tracing;
    /// ```
    #[must_use]
    pub fn request_id(mut self) -> Self {
        self.ids.request_id = true;
        self
    }

    /// Tells callers the span of their request, by the header `traceresponse` that a draft of W3C Trace Context describes:
    /// `00-{trace id}-{span id}-{flags}`.
    #[must_use]
    pub fn trace_response(mut self) -> Self {
        self.ids.trace_response = true;
        self
    }

    /// Tells callers the trace of their request, by the header `x-trace-id`: 32 hexadecimal digits. Of a trace that is not
    /// recorded here as well.
    #[must_use]
    pub fn trace_id_header(mut self) -> Self {
        self.ids.trace_id = true;
        self
    }

    /// Records the route in place of the path, or `REDACTED` where a request has none: for paths with values that no span may have.
    ///
    /// It is not needed where such a value becomes a tag with `#[hash]`, `#[mask(n)]` or `#[pii]`, and the tag's entry names the
    /// `web::Path` argument of its function: then `url.path` is the route by itself.
    #[must_use]
    pub fn without_path(mut self) -> Self {
        self.without_path = true;
        self
    }

    /// Leaves out `url.query`, which is recorded otherwise as far as a request has one. The values of parameters that usually hold
    /// secrets are redacted in any case: see [`redact_query`](crate::TelemetryBuilder::redact_query). So are the values that protected
    /// tags are made of, by `query("…")` or a `web::Query` argument.
    #[must_use]
    pub fn without_query(mut self) -> Self {
        self.without_query = true;
        self
    }

    /// Records these headers of requests, as `http.request.header.<name>`: a list with the text of each line. None is recorded
    /// otherwise, beside `user_agent.original`. What is in `Authorization` and `Cookie` is a secret.
    ///
    /// Values are recorded as they are. The redaction of queries does not apply to a URL in a header, for example in `Referer`.
    ///
    /// ```
    /// use actix_web::http::header::{self, HeaderName};
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default()
    ///     .request_headers([header::ACCEPT_LANGUAGE, HeaderName::from_static("x-tenant-id")])
    ///     .response_headers([header::CACHE_CONTROL]);
    /// # let _ = tracing;
    /// ```
    #[must_use]
    pub fn request_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let capture = HeaderCapture::new("http.request.header.", names);
        self.on_request(move |request, tags| capture.tag(request.headers(), tags))
    }

    /// Records these headers of responses, as `http.response.header.<name>`: as [`request_headers`](Self::request_headers) has
    /// those of requests. Values are recorded as they are, also the query of a URL in `Location`.
    #[must_use]
    pub fn response_headers(self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let capture = HeaderCapture::new("http.response.header.", names);
        self.on_response(move |response, tags| capture.tag(response.headers(), tags))
    }

    /// Names the tenant of a request, before it is routed, for [`TelemetryBuilder::tenants`](crate::TelemetryBuilder::tenants). `None` leaves
    /// it to these settings. It is the application's word, so it counts from any caller.
    ///
    /// ```
    /// use biztrace::actix::RequestTracing;
    ///
    /// // acme.example.com
    /// let tracing = RequestTracing::default().tenant(|request| {
    ///     let host = request.connection_info().host().to_owned();
    ///     Some(host.strip_suffix(".example.com")?.to_owned())
    /// });
    /// # let _ = tracing;
    /// ```
    #[must_use]
    pub fn tenant(
        mut self,
        tenant: impl Fn(&ServiceRequest) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.tenant = Some(Arc::new(tenant));
        self
    }

    /// Keeps only these headers of a request for the tags that are evaluated after routing. By default all are kept, as far as 16 KiB
    /// and 100 lines allow. May be given several times: all lists count.
    ///
    /// Such a tag reads a copy, since actix-web lends a request out to nobody. `header("…")` does not find a header that is not listed
    /// here, and `cookie("…")` none where `Cookie` is not listed. In a function with an `HttpRequest` argument they read the request
    /// itself, and find all. So do [`on_request`](Self::on_request) and [`request_headers`](Self::request_headers). The query is always kept.
    ///
    /// Services whose requests have large heads need it, or many open requests: see
    /// [`Report::incomplete_heads`](crate::report::Report::incomplete_heads). Of several `RequestTracing` around a handler the outermost decides,
    /// whose span it is.
    ///
    /// ```
    /// use actix_web::http::header::HeaderName;
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default()
    ///     .readable_headers([HeaderName::from_static("x-tenant-id")]);
    /// # let _ = tracing;
    /// ```
    #[must_use]
    pub fn readable_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let readable = self.readable.get_or_insert_default();
        for name in names {
            if !readable.contains(&name) {
                readable.push(name);
            }
        }
        self
    }

    /// Tags requests with what callers send along under these keys, as W3C Baggage or as a propagator of somebody else's reads it.
    /// Without a list nothing that they send becomes a tag.
    ///
    /// Values are cut to 1024 characters. Of a caller that is not [trusted](Self::trust) nothing is taken.
    ///
    /// ```
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default().baggage_tags(["tenant.id"]);
    /// # let _ = tracing;
    /// ```
    #[must_use]
    pub fn baggage_tags(self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let keys: Vec<String> = keys.into_iter().map(Into::into).collect();
        self.on_request(move |_, tags| tag_baggage(&keys, tags))
    }
}

impl fmt::Debug for RequestTracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestTracing").finish_non_exhaustive()
    }
}
