//! The SERVER span of an HTTP request, as the semantic conventions have it. One row is one sentence.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpResponse, guard, web};
use behaviour::{Service, Span, tag_of};
use biztrace::actix::RequestTracing;
use biztrace::traced_handler;
use conformance::{Exchange, exchange};
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry::{Context, Value};
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as Code;
use tokio::io::AsyncReadExt;

/// What an attribute is.
#[derive(Debug, Clone, Copy)]
enum Is {
    Text(&'static str),
    Int(i64),
    Absent,
}
use Is::{Absent, Int, Text};

/// A sentence; the request; the span's name; attributes.
type Row<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, Is)]);

async fn answers(status: web::Path<u16>) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(*status).unwrap()).finish()
}

#[traced_handler(err)]
async fn fails(status: web::Path<u16>) -> Result<HttpResponse, InternalError<&'static str>> {
    let status = StatusCode::from_u16(*status).unwrap();
    Err(InternalError::new("what went wrong", status))
}

/// The application knows better than the status.
async fn settles() -> HttpResponse {
    Context::current().span().set_status(Status::Ok);
    HttpResponse::ServiceUnavailable().finish()
}

fn routes(config: &mut web::ServiceConfig) {
    let orders = || web::resource("/orders/{id}").to(|| async { "an order" });
    let refuse = from_fn(
        |request: actix_web::dev::ServiceRequest, _next: actix_web::middleware::Next<_>| async move {
            let response = HttpResponse::Unauthorized().finish();
            Ok::<_, actix_web::Error>(request.into_response(response))
        },
    );
    config
        .route("/", web::get().to(|| async { "home" }))
        .service(web::resource("/any").to(|| async { "any" }))
        .service(orders())
        .route("/answers/{status}", web::get().to(answers))
        .route("/fails/{status}", web::get().to(fails))
        .route("/settles", web::get().to(settles))
        .service(
            web::resource("/guarded")
                .guard(guard::Header("x-key", "1"))
                .to(|| async { "open" }),
        )
        .service(web::scope("/closed").wrap(refuse).service(orders()))
        .service(
            web::scope("/api").service(
                web::scope("/v{version}")
                    .service(orders())
                    .route("", web::get().to(|| async { "an index" }))
                    .default_service(web::to(HttpResponse::NotFound)),
            ),
        );
}

async fn send(head: &str, settings: fn(RequestTracing) -> RequestTracing) -> Exchange {
    let request = format!("{head}\r\nconnection: close\r\n\r\n");
    let service =
        Service::start(move |tracing| App::new().configure(routes).wrap(settings(tracing)));
    exchange(service, &request, 1).await
}

async fn hold(rows: &[Row<'_>], settings: fn(RequestTracing) -> RequestTracing) {
    for &(sentence, head, name, attributes) in rows {
        let exchange = send(head, settings).await;
        let span = exchange.spans.server();
        assert_eq!(span.name, name, "{sentence}");
        check(sentence, span, attributes);
    }
}

fn check(sentence: &str, span: &Span, attributes: &[(&str, Is)]) {
    for (key, is) in attributes {
        let expected = match *is {
            Text(text) => Some(Value::from(text)),
            Int(int) => Some(Value::from(int)),
            Absent => None,
        };
        // Of a key that comes twice there is none: it may not even be there.
        let count = span.attributes.iter().filter(|it| it.key == *key).count();
        assert_eq!(count, usize::from(expected.is_some()), "{sentence}: {key}");
        assert_eq!(span.tag(key), expected, "{sentence}: {key}");
    }
}

const METHOD: &str = "http.request.method";
const ORIGINAL: &str = "http.request.method_original";
const ROUTE: &str = "http.route";
const PATH: &str = "url.path";
const SCHEME: &str = "url.scheme";
const ADDRESS: &str = "server.address";
const PORT: &str = "server.port";
const VERSION: &str = "network.protocol.version";
const STATUS: &str = "http.response.status_code";
const ERROR: &str = "error.type";
const AGENT: &str = "user_agent.original";

#[actix_web::test]
async fn names_methods_and_routes() {
    let rows: &[Row<'_>] = &[
        (
            "the name is method and route, never the path",
            "GET /orders/7 HTTP/1.1\r\nhost: shop",
            "GET /orders/{id}",
            &[
                (METHOD, Text("GET")),
                (ROUTE, Text("/orders/{id}")),
                (PATH, Text("/orders/7")),
            ],
        ),
        (
            "the app's root is a route",
            "GET / HTTP/1.1\r\nhost: shop",
            "GET /",
            &[(ROUTE, Text("/")), (PATH, Text("/"))],
        ),
        (
            "a route has the scopes around it",
            "GET /api/v2/orders/7 HTTP/1.1\r\nhost: shop",
            "GET /api/v{version}/orders/{id}",
            &[(ROUTE, Text("/api/v{version}/orders/{id}"))],
        ),
        (
            "the root of a scope is a route",
            "GET /api/v2 HTTP/1.1\r\nhost: shop",
            "GET /api/v{version}",
            &[(ROUTE, Text("/api/v{version}"))],
        ),
        (
            "without a route the name is the method alone",
            "GET /nowhere/7 HTTP/1.1\r\nhost: shop",
            "GET",
            &[
                (ROUTE, Absent),
                (STATUS, Int(404)),
                (PATH, Text("/nowhere/7")),
            ],
        ),
        (
            "a route whose guard lets in is matched",
            "GET /guarded HTTP/1.1\r\nhost: shop\r\nx-key: 1",
            "GET /guarded",
            &[(ROUTE, Text("/guarded")), (STATUS, Int(200))],
        ),
        (
            "and so it is where no guard lets in: actix-web's pattern of a path is the one that matches it, whoever answers",
            "GET /guarded HTTP/1.1\r\nhost: shop",
            "GET /guarded",
            &[(ROUTE, Text("/guarded")), (STATUS, Int(404))],
        ),
        (
            "the default service of a scope is no route",
            "GET /api/v2/nothing HTTP/1.1\r\nhost: shop",
            "GET",
            &[(ROUTE, Absent), (STATUS, Int(404))],
        ),
        (
            "a route has matched though it has no such method",
            "POST / HTTP/1.1\r\nhost: shop",
            "POST /",
            &[(ROUTE, Text("/")), (STATUS, Int(404))],
        ),
        (
            "HEAD is a method as others are",
            "HEAD /any HTTP/1.1\r\nhost: shop",
            "HEAD /any",
            &[(METHOD, Text("HEAD")), (STATUS, Int(200))],
        ),
        (
            "PATCH is known",
            "PATCH /any HTTP/1.1\r\nhost: shop",
            "PATCH /any",
            &[(METHOD, Text("PATCH")), (ORIGINAL, Absent)],
        ),
        (
            "QUERY is known",
            "QUERY /any HTTP/1.1\r\nhost: shop",
            "QUERY /any",
            &[(METHOD, Text("QUERY")), (ORIGINAL, Absent)],
        ),
        (
            "an unknown method is _OTHER in the attribute and HTTP in the name",
            "BREW /any HTTP/1.1\r\nhost: shop",
            "HTTP /any",
            &[(METHOD, Text("_OTHER")), (ORIGINAL, Text("BREW"))],
        ),
        (
            "methods have a case",
            "get /any HTTP/1.1\r\nhost: shop",
            "HTTP /any",
            &[(METHOD, Text("_OTHER")), (ORIGINAL, Text("get"))],
        ),
    ];
    hold(rows, |tracing| tracing).await;
}

#[actix_web::test]
async fn hosts_schemes_and_protocols() {
    let rows: &[Row<'_>] = &[
        (
            "the port is the scheme's where none is named",
            "GET / HTTP/1.1\r\nhost: shop.example.com",
            "GET /",
            &[
                (SCHEME, Text("http")),
                (ADDRESS, Text("shop.example.com")),
                (PORT, Int(80)),
            ],
        ),
        (
            "the port is the one that is named",
            "GET / HTTP/1.1\r\nhost: shop:8080",
            "GET /",
            &[(ADDRESS, Text("shop")), (PORT, Int(8080))],
        ),
        (
            "an IPv6 host stands without its brackets",
            "GET / HTTP/1.1\r\nhost: [2001:db8::1]",
            "GET /",
            &[(ADDRESS, Text("2001:db8::1")), (PORT, Int(80))],
        ),
        (
            "an IPv6 host may have a port",
            "GET / HTTP/1.1\r\nhost: [::1]:8080",
            "GET /",
            &[(ADDRESS, Text("::1")), (PORT, Int(8080))],
        ),
        (
            "the authority of the target comes before Host",
            "GET http://other:81/any HTTP/1.1\r\nhost: shop",
            "GET /any",
            &[
                (ADDRESS, Text("other")),
                (PORT, Int(81)),
                (PATH, Text("/any")),
            ],
        ),
        (
            "nobody is believed a Forwarded that is not trusted",
            "GET / HTTP/1.1\r\nhost: shop\r\nforwarded: for=203.0.113.9;host=evil;proto=https",
            "GET /",
            &[
                (ADDRESS, Text("shop")),
                (SCHEME, Text("http")),
                ("client.address", Absent),
            ],
        ),
        (
            "nobody is believed an X-Forwarded-Host that is not trusted",
            "GET / HTTP/1.1\r\nhost: shop\r\nx-forwarded-for: 203.0.113.9\r\nx-forwarded-host: evil\r\nx-forwarded-proto: https",
            "GET /",
            &[
                (ADDRESS, Text("shop")),
                (SCHEME, Text("http")),
                ("client.address", Absent),
            ],
        ),
        (
            "HTTP/1.1 is version 1.1, and http is no name to mention",
            "GET / HTTP/1.1\r\nhost: shop",
            "GET /",
            &[(VERSION, Text("1.1")), ("network.protocol.name", Absent)],
        ),
        (
            "HTTP/1.0 is version 1.0, and may come without a host",
            "GET / HTTP/1.0",
            "GET /",
            &[(VERSION, Text("1.0")), (ADDRESS, Absent), (PORT, Absent)],
        ),
        (
            "the user agent is as it was sent",
            "GET / HTTP/1.1\r\nhost: shop\r\nuser-agent: Shop/1.0 (test)",
            "GET /",
            &[(AGENT, Text("Shop/1.0 (test)"))],
        ),
        (
            "without a user agent there is none",
            "GET / HTTP/1.1\r\nhost: shop",
            "GET /",
            &[(AGENT, Absent)],
        ),
        (
            "headers are not recorded unless they are listed",
            "GET / HTTP/1.1\r\nhost: shop\r\ncookie: a=secret\r\nx-tenant: 1",
            "GET /",
            &[
                ("http.request.header.cookie", Absent),
                ("http.request.header.x-tenant", Absent),
            ],
        ),
        (
            "the old names are not used",
            "GET /any HTTP/1.1\r\nhost: shop",
            "GET /any",
            &[
                ("http.method", Absent),
                ("http.status_code", Absent),
                ("http.target", Absent),
                ("http.url", Absent),
                ("net.host.name", Absent),
                ("net.peer.ip", Absent),
            ],
        ),
    ];
    hold(rows, |tracing| tracing).await;
}

#[actix_web::test]
async fn the_origin_that_a_trusted_proxy_names() {
    let rows: &[Row<'_>] = &[
        (
            "Forwarded comes before Host",
            "GET / HTTP/1.1\r\nhost: inner\r\nforwarded: for=203.0.113.9;host=\"shop:8443\";proto=https",
            "GET /",
            &[
                (ADDRESS, Text("shop")),
                (PORT, Int(8443)),
                (SCHEME, Text("https")),
                ("client.address", Text("203.0.113.9")),
                ("network.peer.address", Text("127.0.0.1")),
            ],
        ),
        (
            "Forwarded has IPv6 clients in brackets",
            "GET / HTTP/1.1\r\nhost: inner\r\nforwarded: for=\"[2001:db8::1]:4711\"",
            "GET /",
            &[("client.address", Text("2001:db8::1"))],
        ),
        (
            "X-Forwarded-* comes before Host, and the port is the scheme's",
            "GET / HTTP/1.1\r\nhost: inner\r\nx-forwarded-for: 203.0.113.9\r\nx-forwarded-host: shop\r\nx-forwarded-proto: https",
            "GET /",
            &[
                (ADDRESS, Text("shop")),
                (PORT, Int(443)),
                (SCHEME, Text("https")),
                ("client.address", Text("203.0.113.9")),
            ],
        ),
        (
            "without a proxy the client is the peer",
            "GET / HTTP/1.1\r\nhost: shop",
            "GET /",
            &[
                ("client.address", Text("127.0.0.1")),
                ("network.peer.address", Text("127.0.0.1")),
            ],
        ),
    ];
    hold(rows, |tracing| {
        tracing
            .trusted_proxies(["127.0.0.1"])
            .unwrap()
            .client_address()
    })
    .await;
}

#[actix_web::test]
async fn queries() {
    let rows: &[Row<'_>] = &[
        (
            "a query is recorded where there is one",
            "GET /any?page=2 HTTP/1.1\r\nhost: shop",
            "GET /any",
            &[("url.query", Text("page=2")), (PATH, Text("/any"))],
        ),
        (
            "without a query there is none",
            "GET /any HTTP/1.1\r\nhost: shop",
            "GET /any",
            &[("url.query", Absent)],
        ),
        (
            "values that sign are redacted, their keys kept",
            "GET /any?a=1&X-Amz-Signature=s&sig=s&AWSAccessKeyId=s HTTP/1.1\r\nhost: shop",
            "GET /any",
            &[(
                "url.query",
                Text("a=1&X-Amz-Signature=REDACTED&sig=REDACTED&AWSAccessKeyId=REDACTED"),
            )],
        ),
        (
            // The conventions redact the exact keys: see docs/adr/006-redaction.md.
            "the keys of what signs have any case",
            "GET /any?SIG=1 HTTP/1.1\r\nhost: shop",
            "GET /any",
            &[("url.query", Text("SIG=REDACTED"))],
        ),
    ];
    hold(rows, |tracing| tracing).await;
}

#[actix_web::test]
async fn status_and_errors() {
    let unset = [
        "200", "204", "302", "304", "400", "401", "404", "409", "429",
    ];
    for status in unset {
        let head = format!("GET /answers/{status} HTTP/1.1\r\nhost: shop");
        let exchange = send(&head, |tracing| tracing).await;
        let span = exchange.spans.server();
        assert_eq!(
            span.outcome(),
            (Code::Unset, ""),
            "{status} is no error of this server's"
        );
        check(
            status,
            span,
            &[(STATUS, Int(status.parse().unwrap())), (ERROR, Absent)],
        );
    }
    for status in ["500", "501", "502", "503", "504"] {
        for handler in ["answers", "fails"] {
            let head = format!("GET /{handler}/{status} HTTP/1.1\r\nhost: shop");
            let exchange = send(&head, |tracing| tracing).await;
            let span = exchange.spans.server();
            let (code, description) = span.outcome();
            assert_eq!(code, Code::Error, "{status} is an error");
            if handler == "answers" {
                assert_eq!(description, "", "{status} explains itself");
            }
            check(status, span, &[(STATUS, Int(status.parse().unwrap()))]);
            assert!(span.tag(ERROR).is_some(), "{status} has a type");
        }
    }
    let exchange = send("GET /answers/503 HTTP/1.1\r\nhost: shop", |tracing| tracing).await;
    check(
        "the type is the code as text",
        exchange.spans.server(),
        &[(ERROR, Text("503"))],
    );
    let exchange = send("GET /settles HTTP/1.1\r\nhost: shop", |tracing| tracing).await;
    let span = exchange.spans.server();
    assert_eq!(
        span.outcome(),
        (Code::Ok, ""),
        "an Ok of the application is final"
    );
    let exchange = send("GET /closed/orders/7 HTTP/1.1\r\nhost: shop", |tracing| {
        tracing
    })
    .await;
    let span = exchange.spans.server();
    assert_eq!(
        span.outcome(),
        (Code::Unset, ""),
        "nor is what middleware refuses"
    );
    check(
        "middleware refuses",
        span,
        &[(STATUS, Int(401)), (ERROR, Absent)],
    );
}

/// The events of a handler's span that fails with this status.
async fn events(status: &str) -> Vec<Event> {
    let head = format!("GET /fails/{status} HTTP/1.1\r\nhost: shop");
    let exchange = send(&head, |tracing| tracing).await;
    exchange.spans.server().events.clone()
}

#[actix_web::test]
async fn an_exception_is_an_event_with_a_type_or_a_message() {
    for status in ["500", "503"] {
        let events = events(status).await;
        assert_eq!(events.len(), 1, "{status}");
        assert_eq!(events[0].name, "exception", "{status}");
        let has = |key| tag_of(&events[0].attributes, key).is_some();
        assert!(
            has("exception.type") || has("exception.message"),
            "{status}"
        );
    }
}

#[actix_web::test]
async fn an_error_that_encodes_a_4xx_is_no_exception() {
    for status in ["404", "409"] {
        assert_eq!(events(status).await, [], "{status}");
    }
}

#[actix_web::test]
async fn pipelined_requests_are_spans_in_their_order() {
    let service = Service::start(|tracing| App::new().configure(routes).wrap(tracing));
    let requests = "GET /orders/1 HTTP/1.1\r\nhost: a\r\n\r\nHEAD /any HTTP/1.1\r\nhost: b\r\n\r\n\
                    GET /answers/503 HTTP/1.1\r\nhost: c\r\nconnection: close\r\n\r\n";
    let mut connection = service.send(requests).await;
    let mut answers = String::new();
    connection.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 3, "{answers}");
    let spans = service.spans(3).await;
    for (name, host, status) in [
        ("GET /orders/{id}", "a", 200),
        ("HEAD /any", "b", 200),
        ("GET /answers/{status}", "c", 503),
    ] {
        let span = spans.named(name);
        assert_eq!(span.tag(ADDRESS), Some(host.into()), "{name}");
        assert_eq!(span.tag(STATUS), Some(Value::I64(status)), "{name}");
        assert_eq!(span.parent(), "", "{name}: a trace of its own");
    }
}
