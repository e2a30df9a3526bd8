//! Requests that a service sends: one CLIENT span each, and its context in the headers.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, get, post, web};
use async_trait::async_trait;
use behaviour::{Instance, Reserved, Service, Span, TRACEPARENT, is_child, rerun};
use biztrace::client::{self, Tracing};
use biztrace::{Propagator, Sampler, traced_handler};
use futures_util::future::LocalBoxFuture;
use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use reqwest::{Method, Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The ways to send a traced request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Reqwest,
    ReqwestMiddleware,
    Awc,
}

const ALL: [By; 3] = [By::Reqwest, By::ReqwestMiddleware, By::Awc];

/// A request, and how it is traced.
#[derive(Clone)]
struct Call {
    method: Method,
    url: String,
    timeout: Duration,
    tracing: Tracing,
}

impl Call {
    fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            url: url.into(),
            timeout: Duration::from_secs(10),
            tracing: Tracing::default(),
        }
    }

    fn tracing(self, tracing: Tracing) -> Self {
        Self { tracing, ..self }
    }

    /// Sends it. Gives the status code and the body, as far as there are any.
    async fn send(self, by: By) -> Option<(u16, Option<String>)> {
        let head = self.head(by).await?;
        Some((head.status(), head.body().await))
    }

    /// Sends it, and takes the response's head.
    async fn head(self, by: By) -> Option<Head> {
        match by {
            By::Reqwest => {
                use client::reqwest::SendTraced;
                let client = reqwest::Client::new();
                let request = client.request(self.method, self.url).timeout(self.timeout);
                let response = request.send_traced_with(self.tracing).await;
                Some(Head::Reqwest(response.ok()?))
            }
            By::ReqwestMiddleware => {
                let client = ClientBuilder::new(reqwest::Client::new());
                let client = client.with(Tracing::default()).build();
                let request = client.request(self.method, self.url).timeout(self.timeout);
                let response = request.with_extension(self.tracing).send().await;
                Some(Head::Reqwest(response.ok()?))
            }
            By::Awc => {
                use client::awc::SendTraced;
                let method = self.method.as_str().parse().unwrap();
                let request = awc::Client::new().request(method, self.url);
                let request = request.timeout(self.timeout);
                let response = request
                    .send_traced_with(self.tracing, |request| request.send())
                    .await;
                let mut response = response.ok()?;
                let status = response.status().as_u16();
                let body = async move {
                    let body = response.body().await.ok()?;
                    Some(String::from_utf8(body.to_vec()).unwrap())
                };
                Some(Head::Awc(status, Box::pin(body)))
            }
        }
    }
}

enum Head {
    Reqwest(Response),
    /// Its status code, and what reads its body.
    Awc(u16, LocalBoxFuture<'static, Option<String>>),
}

impl Head {
    fn status(&self) -> u16 {
        match self {
            Self::Reqwest(response) => response.status().as_u16(),
            Self::Awc(status, _) => *status,
        }
    }

    async fn body(self) -> Option<String> {
        match self {
            Self::Reqwest(response) => response.text().await.ok(),
            Self::Awc(_, body) => body.await,
        }
    }
}

/// The headers that a request came with, a line each.
#[get("/headers")]
async fn echo_headers(request: HttpRequest) -> String {
    let lines = request.headers().iter();
    lines
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
        .collect()
}

#[get("/orders/{id}")]
#[traced_handler]
async fn order(id: web::Path<u64>) -> String {
    format!("order {id}")
}

#[get("/status/{code}")]
async fn answer_with(code: web::Path<u16>) -> HttpResponse {
    HttpResponse::build(code.into_inner().try_into().unwrap()).body("told")
}

#[get("/never")]
async fn never() -> &'static str {
    std::future::pending().await
}

#[get("/moved")]
async fn moved() -> HttpResponse {
    let to = ("location", "/status/204");
    HttpResponse::Found().insert_header(to).finish()
}

/// A service that is called.
fn callee() -> Service {
    Service::start(|tracing| {
        App::new()
            .wrap(tracing)
            .service((echo_headers, order, answer_with, never, moved))
    })
}

/// What a service that is called itself is to send.
#[derive(Clone)]
struct Outbound {
    by: By,
    call: Call,
}

/// Sends it, and answers with the answer's body.
#[get("/calls")]
#[traced_handler]
async fn calls(outbound: web::Data<Outbound>) -> String {
    let answer = outbound.call.clone().send(outbound.by).await;
    answer.and_then(|(_, body)| body).unwrap_or_default()
}

/// A service that calls.
fn caller(instance: Instance, by: By, call: Call) -> Service {
    let outbound = Outbound { by, call };
    Service::recording_to(instance, move |tracing| {
        let outbound = web::Data::new(outbound.clone());
        App::new().wrap(tracing).app_data(outbound).service(calls)
    })
}

/// The span of a request that is sent below a span of its own.
async fn span_of(by: By, call: Call) -> Span {
    let instance = Instance::default();
    instance.under_root(call.send(by)).await;
    let spans = instance.spans(2).await;
    assert!(is_child(spans.client(), spans.named("root")), "{by:?}");
    spans.client().clone()
}

fn port_of(url: &str) -> i64 {
    let port = url.split(['/', ':']).nth(4).unwrap();
    port.parse().unwrap()
}

#[actix_web::test]
async fn a_trace_goes_on_in_the_service_that_is_called() {
    for by in ALL {
        let callee = callee();
        let url = callee.url("/orders/7?full=1");
        let tracing = Tracing::default().url_template("/orders/{id}");
        let call = Call::get(&url).tracing(tracing);
        let caller = caller(Instance::default(), by, call);
        let answer = caller.get_traced("/calls", TRACEPARENT).await;
        assert_eq!(answer, (200, "order 7".into()), "{by:?}");

        let (outer, inner) = (caller.spans(2).await, callee.spans(1).await);
        let span = outer.client();
        assert!(is_child(span, outer.server()), "{by:?}");
        assert!(is_child(inner.server(), span), "{by:?}");
        assert_eq!(span.trace(), &TRACEPARENT[3..35]);
        assert_eq!(span.name, "GET /orders/{id}");
        for (key, value) in [
            ("http.request.method", "GET".into()),
            ("server.address", "127.0.0.1".into()),
            ("server.port", port_of(&url).into()),
            ("url.full", url.clone().into()),
            ("url.template", "/orders/{id}".into()),
            ("http.response.status_code", 200.into()),
            ("network.protocol.version", "1.1".into()),
        ] {
            assert_eq!(span.tag(key), Some(value), "{by:?}: {key}");
        }
        assert_eq!(span.attributes.len(), 7, "{by:?}: {:?}", span.attributes);
        assert_eq!(span.outcome(), (StatusCode::Unset, ""));
    }
}

#[actix_web::test]
async fn an_answer_of_4xx_or_5xx_is_an_error() {
    let callee = callee();
    for by in ALL {
        for (path, code, error_type) in [
            ("/status/204", 204, None),
            ("/status/304", 304, None),
            ("/status/404", 404, Some("404")),
            ("/status/503", 503, Some("503")),
            ("/moved", 204, None),
        ] {
            let url = callee.url(path);
            let span = span_of(by, Call::get(&url)).await;
            assert_eq!(span.name, "GET", "{by:?} {path}");
            assert_eq!(span.tag("url.full"), Some(url.into()), "{by:?} {path}");
            assert_eq!(span.tag("http.response.status_code"), Some(code.into()));
            assert_eq!(span.tag("error.type"), error_type.map(Into::into));
            let status = match error_type {
                Some(_) => StatusCode::Error,
                None => StatusCode::Unset,
            };
            assert_eq!(span.outcome(), (status, ""), "{by:?} {path}");
        }
    }
}

#[actix_web::test]
async fn a_request_without_an_answer_is_an_error_with_a_word_for_it() {
    let callee = callee();
    let nobody = Reserved::default();
    for by in ALL {
        let slow = Call {
            timeout: Duration::from_millis(50),
            ..Call::get(callee.url("/never"))
        };
        let garbage = raw_server(b"no HTTP\r\n\r\n").await;
        for (call, error_type, outcome) in [
            (slow, "timeout", Some("timed_out")),
            (Call::get(nobody.url()), "connect", None),
            (Call::get("http://no.such.host.invalid/"), "dns", None),
            (
                Call::get(&garbage),
                if by == By::Awc { "response" } else { "request" },
                None,
            ),
        ] {
            let url = call.url.clone();
            let span = span_of(by, call).await;
            assert_eq!(
                span.tag("error.type"),
                Some(error_type.into()),
                "{by:?} {url}"
            );
            assert_eq!(span.outcome(), (StatusCode::Error, ""), "{by:?} {url}");
            assert_eq!(span.tag("http.response.status_code"), None);
            assert_eq!(span.tag("biztrace.outcome"), outcome.map(Into::into));
        }
    }
}

/// A response whose second chunk has no size.
const BROKEN: &[u8] =
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nso far\r\nno size\r\n";

/// Answers each connection's request with these bytes, and hangs up.
async fn raw_server(answer: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listener = listener.await.unwrap();
    let address = listener.local_addr().unwrap();
    actix_web::rt::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 4096]).await;
            let _ = connection.write_all(answer).await;
        }
    });
    format!("http://{address}/")
}

#[actix_web::test]
async fn a_request_that_is_given_up_is_cancelled_and_no_error() {
    let callee = callee();
    for by in ALL {
        let instance = Instance::default();
        let call = Call::get(callee.url("/never")).send(by);
        let given_up = tokio::time::timeout(Duration::from_millis(50), call);
        assert!(instance.under_root(given_up).await.is_err());
        let spans = instance.spans(2).await;
        let span = spans.client();
        assert_eq!(span.tag("biztrace.outcome"), Some("cancelled".into()));
        assert_eq!(span.outcome(), (StatusCode::Unset, ""), "{by:?}");
        assert_eq!(span.tag("error.type"), None);
    }
}

#[actix_web::test]
async fn secrets_in_a_url_are_not_recorded() {
    let callee = callee();
    for by in ALL {
        let url = callee.url("/status/200?sig=s3cret&to=b@rlin#part");
        let span = span_of(by, Call::get(url.replace("//", "//me:s3cret@"))).await;
        let shown = span.tag("url.full").unwrap().to_string();
        assert!(shown.contains("?sig=REDACTED&to=b@rlin"), "{by:?} {shown}");
        assert!(!format!("{span:?}").contains("s3cret"), "{by:?} {shown}");
        // reqwest has moved them to a header by then.
        assert_eq!(shown.contains("//REDACTED:REDACTED@"), by == By::Awc);
        assert_eq!(span.tag("server.address"), Some("127.0.0.1".into()));
    }
}

#[actix_web::test]
async fn a_query_may_be_left_out() {
    let callee = callee();
    for by in ALL {
        let call = Call::get(callee.url("/status/200?email=ada@example.com"));
        let span = span_of(by, call.tracing(Tracing::default().without_query())).await;
        assert_eq!(
            span.tag("url.full"),
            Some(callee.url("/status/200").into()),
            "{by:?}"
        );
    }
}

#[actix_web::test]
async fn a_long_url_is_cut() {
    let callee = callee();
    for by in ALL {
        let url = callee.url(&format!("/status/200?{}", "a".repeat(5000)));
        let span = span_of(by, Call::get(&url)).await;
        assert_eq!(span.tag("url.full"), Some(url[..2048].to_owned().into()));
    }
}

#[actix_web::test]
async fn a_method_that_nobody_knows_is_another() {
    let callee = callee();
    for by in ALL {
        let call = Call {
            method: Method::from_bytes(b"PURGE").unwrap(),
            ..Call::get(callee.url("/orders/7"))
        };
        let span = span_of(by, call).await;
        assert_eq!(span.name, "HTTP", "{by:?}");
        assert_eq!(span.tag("http.request.method"), Some("_OTHER".into()));
        assert_eq!(
            span.tag("http.request.method_original"),
            Some("PURGE".into())
        );
    }
}

/// Repeats what fails, twice at most.
struct Retry;

#[async_trait]
impl Middleware for Retry {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        for _ in 0..2 {
            let again = request.try_clone().expect("a body that can be sent again");
            let response = next.clone().run(again, extensions).await?;
            if response.status() != 503 {
                return Ok(response);
            }
        }
        next.run(request, extensions).await
    }
}

/// Fails twice, and answers each time with the caller's span.
#[post("/flaky")]
async fn flaky(request: HttpRequest, asked: web::Data<AtomicUsize>) -> HttpResponse {
    let parent = request.headers().get("traceparent").unwrap().clone();
    let mut response = match asked.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => HttpResponse::ServiceUnavailable(),
        _ => HttpResponse::Ok(),
    };
    response.body(parent.to_str().unwrap().to_owned())
}

#[actix_web::test]
async fn each_attempt_is_a_span_that_says_which() {
    let asked = web::Data::new(AtomicUsize::new(0));
    let callee = Service::start(move |tracing| {
        let asked = asked.clone();
        App::new().wrap(tracing).app_data(asked).service(flaky)
    });
    let instance = Instance::default();
    let client = ClientBuilder::new(reqwest::Client::new());
    let client = client.with(Retry).with(Tracing::default()).build();
    let request = client.post(callee.url("/flaky")).body("again");
    let response = instance.under_root(request.send()).await.unwrap();
    let last = response.text().await.unwrap();

    let spans = instance.spans(4).await;
    let attempts: Vec<_> = spans.iter().filter(|span| span.name == "POST").collect();
    for (attempt, code, resend) in [
        (0, 503, None),
        (1, 503, Some(1.into())),
        (2, 200, Some(2.into())),
    ] {
        let span = attempts[attempt];
        assert!(is_child(span, spans.named("root")));
        assert_eq!(span.tag("http.response.status_code"), Some(code.into()));
        assert_eq!(span.tag("http.request.resend_count"), resend);
    }
    assert!(last.contains(&attempts[2].id()), "its own context is sent");
    let called = callee.spans(3).await;
    for (attempt, called) in attempts.iter().zip(called.iter()) {
        assert!(is_child(called, attempt));
    }
}

#[actix_web::test]
async fn code_that_repeats_a_request_itself_says_which_attempt_it_is() {
    let callee = callee();
    for by in [By::Reqwest, By::Awc] {
        let again = Call::get(callee.url("/status/200"));
        let span = span_of(by, again.tracing(Tracing::default().resend_count(1))).await;
        assert_eq!(span.tag("http.request.resend_count"), Some(1.into()));
    }
}

#[actix_web::test]
async fn by_default_a_span_ends_with_the_head_of_the_response() {
    let broken = raw_server(BROKEN).await;
    for by in ALL {
        let instance = Instance::default();
        let call = Call::get(&broken);
        let head = instance.under_root(call.head(by)).await.unwrap();
        let spans = instance.spans(2).await;
        assert_eq!(spans.client().outcome(), (StatusCode::Unset, ""), "{by:?}");
        assert_eq!(head.body().await, None, "{by:?}: it breaks off");
    }
}

#[actix_web::test]
async fn a_span_may_last_until_the_end_of_the_body() {
    let callee = callee();
    let cases = [
        (callee.url("/orders/7"), Some("order 7")),
        (callee.url("/status/204"), Some("")),
        (raw_server(BROKEN).await, None),
    ];
    for by in ALL {
        for (url, expected) in &cases {
            let instance = Instance::default();
            let tracing = Tracing::default().until_body_end();
            let call = Call::get(url).tracing(tracing);
            let head = instance.under_root(call.head(by)).await.unwrap();
            if *expected != Some("") {
                assert_eq!(instance.telemetry.report().recorded, 1, "{by:?}: the root");
            }
            let body = head.body().await;
            assert_eq!(body.as_deref(), *expected, "{by:?} {url}");
            let spans = instance.spans(2).await;
            let span = spans.client();
            let (status, error_type) = match expected {
                Some(_) => (StatusCode::Unset, None),
                None => (StatusCode::Error, Some("body".into())),
            };
            assert_eq!(span.outcome(), (status, ""), "{by:?} {url}");
            assert_eq!(span.tag("error.type"), error_type, "{by:?} {url}");
            assert_eq!(span.tag("biztrace.outcome"), None, "{by:?} {url}");
        }
        let instance = Instance::default();
        let tracing = Tracing::default().until_body_end();
        let call = Call::get(callee.url("/orders/7")).tracing(tracing);
        drop(instance.under_root(call.head(by)).await);
        let spans = instance.spans(2).await;
        let span = spans.client();
        assert_eq!(span.tag("biztrace.outcome"), Some("cancelled".into()));
        assert_eq!(span.outcome(), (StatusCode::Unset, ""), "{by:?}");
    }
}

#[actix_web::test]
async fn a_response_whose_body_is_traced_is_the_same_response() {
    use client::reqwest::SendTraced;
    let callee = callee();
    let instance = Instance::default();
    let tracing = Tracing::default().until_body_end();
    let request = callee.request(Method::GET, "/orders/7");
    let traced = instance.under_root(request.send_traced_with(tracing));
    let traced = traced.await.unwrap();
    let plain = callee.request(Method::GET, "/orders/7");
    let plain = plain.send().await.unwrap();
    assert_eq!(traced.url(), plain.url());
    assert_eq!(traced.remote_addr(), plain.remote_addr());
    assert_eq!(traced.content_length(), plain.content_length());
    assert_eq!(traced.headers().len(), plain.headers().len());
}

/// The trace ids and flags that a service called by `caller` is sent.
async fn sent(caller: &Service) -> Vec<String> {
    let (_, headers) = caller.get_traced("/calls", TRACEPARENT).await;
    let lines = headers.lines().map(String::from);
    lines
        .filter(|line| !line.starts_with("accept") && !line.starts_with("host"))
        .collect()
}

#[actix_web::test]
async fn the_formats_are_those_of_the_instance_that_records() {
    let callee = callee();
    for by in ALL {
        let formats = [Propagator::B3, Propagator::TraceContext];
        let instance = Instance::new(move |settings| settings.propagators(formats));
        let caller = caller(instance, by, Call::get(callee.url("/headers")));
        let sent = sent(&caller).await;
        let spans = caller.spans(2).await;
        let (trace, span) = (&TRACEPARENT[3..35], spans.client().id());
        for line in [
            format!("b3: {trace}-{span}-1"),
            format!("traceparent: 00-{trace}-{span}-01"),
        ] {
            assert!(sent.contains(&line), "{by:?}: {line} in {sent:?}");
        }
    }
}

#[actix_web::test]
async fn a_request_that_is_not_sampled_says_so() {
    let callee = callee();
    for by in ALL {
        let instance = Instance::new(|settings| settings.sampler(Sampler::AlwaysOff));
        let caller = caller(instance, by, Call::get(callee.url("/headers")));
        let sent = sent(&caller).await;
        let parents = sent.iter().filter(|line| line.starts_with("traceparent: "));
        let parents: Vec<_> = parents.collect();
        assert_eq!(parents.len(), 1, "{by:?}: {sent:?}");
        assert!(parents[0].contains(&TRACEPARENT[3..35]), "{by:?}: {sent:?}");
        assert!(parents[0].ends_with("-00"), "{by:?}: {sent:?}");
        caller.spans(0).await;
    }
}

#[actix_web::test]
async fn suppressed_telemetry_leaves_a_request_alone() {
    let callee = callee();
    for by in ALL {
        let instance = Instance::default();
        let call = Call::get(callee.url("/headers")).send(by);
        let suppressed = Context::current().with_telemetry_suppressed();
        let answer = instance
            .under_root(opentelemetry::trace::FutureExt::with_context(
                call, suppressed,
            ))
            .await;
        let (_, headers) = answer.unwrap();
        assert!(!headers.unwrap().contains("traceparent"), "{by:?}");
        instance.spans(1).await;
    }
}

/// Writes what is no header, and then one.
#[derive(Debug)]
struct Odd;

impl TextMapPropagator for Odd {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        injector.set("no name", "value".into());
        injector.set("", "value".into());
        injector.set("x-lines", "one\r\ntwo".into());
        injector.set("X-Odd", "even".into());
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[actix_web::test]
async fn what_is_no_header_is_not_sent() {
    let callee = callee();
    for by in ALL {
        let instance = Instance::new(|settings| settings.propagator(Odd));
        let caller = caller(instance, by, Call::get(callee.url("/headers")));
        let sent = sent(&caller).await;
        assert!(sent.contains(&"x-odd: even".into()), "{by:?}: {sent:?}");
        assert!(!sent.iter().any(|line| line.contains("one")), "{sent:?}");
        caller.spans(2).await;
    }
}

#[actix_web::test]
async fn the_off_switch_passes_on_what_comes_in() {
    let test = "the_off_switch_passes_on_what_comes_in";
    if rerun(test, &[("OTEL_SDK_DISABLED", "true")]).is_some() {
        return;
    }
    let callee = callee();
    for by in ALL {
        let caller = caller(Instance::default(), by, Call::get(callee.url("/headers")));
        let sent = sent(&caller).await;
        let same = format!("traceparent: {TRACEPARENT}");
        assert!(sent.contains(&same), "{by:?}: {sent:?}");
        caller.spans(0).await;
    }
}

#[actix_web::test]
async fn a_request_has_one_context_in_its_headers() {
    use client::reqwest::SendTraced;

    let (callee, instance) = (callee(), Instance::default());
    let request = reqwest::Client::new().get(callee.url("/headers"));
    let request = request.header("tracestate", "old=1");
    let send = request.header("baggage", "old=1").send_traced();
    let sent = instance.under_root(send).await.unwrap();
    let sent = sent.text().await.unwrap();
    assert!(sent.contains("traceparent"), "{sent}");
    assert!(!sent.contains("old"), "{sent}");
}
