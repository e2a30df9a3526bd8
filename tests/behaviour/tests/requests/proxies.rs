//! Requests that come through proxies, over sockets: the request itself says if it is from the public.

use std::collections::HashMap;

use actix_web::http::header;
use actix_web::{App, HttpRequest, get, web};
use behaviour::{Instance, Service, Spans, TRACEPARENT, rerun};
use biztrace::actix::RequestTracing;
use biztrace::settings::Propagator;
use biztrace::traced_handler;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use reqwest::Method;

const CALLERS_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLERS_SPAN: &str = "b7ad6b7169203331";

/// Answers with what a client called from here would send.
#[get("/outbound")]
#[traced_handler]
async fn outbound(_request: HttpRequest) -> web::Json<HashMap<String, String>> {
    let mut headers = HashMap::new();
    for propagator in [Propagator::B3, Propagator::Jaeger, Propagator::Baggage] {
        propagator.inject_context(&Context::current(), &mut headers);
    }
    web::Json(headers)
}

type Lines<'a> = &'a [(&'a str, &'a str)];

/// Sends a request over loopback, with these headers: its span, what it would send on, and its `x-request-id`.
async fn call(
    lines: Lines<'_>,
    settings: impl Fn(RequestTracing) -> RequestTracing + Send + Clone + 'static,
) -> (Spans, HashMap<String, String>, String) {
    let formats = [
        Propagator::TraceContext,
        Propagator::B3,
        Propagator::Jaeger,
        Propagator::Baggage,
    ];
    let instance = Instance::new(|builder| builder.propagators(formats));
    let service = Service::recording_to(instance, move |tracing| {
        App::new()
            .service(outbound)
            .wrap(settings(tracing).request_id())
    });
    let mut request = service.request(Method::GET, "/outbound");
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let sent = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    (service.spans(1).await, sent, id)
}

/// Whether the trace of a caller is taken over, with its baggage and its request id: all or nothing.
async fn is_trusted(
    lines: Lines<'_>,
    settings: impl Fn(RequestTracing) -> RequestTracing + Send + Clone + 'static,
) -> bool {
    let callers = [
        ("traceparent", TRACEPARENT),
        ("tracestate", "vendor=1"),
        ("baggage", "evil=1"),
        ("x-request-id", "callers-id"),
    ];
    let lines: Vec<_> = lines.iter().copied().chain(callers).collect();
    let (spans, sent, id) = call(&lines, settings).await;
    let server = spans.server();
    let is_below = server.trace() == CALLERS_TRACE;
    assert_eq!(server.links.is_empty(), is_below);
    assert_eq!(server.parent(), if is_below { CALLERS_SPAN } else { "" });
    assert_eq!(server.trace_state.is_empty(), !is_below);
    assert_eq!(sent.contains_key("baggage"), is_below, "{sent:?}");
    assert_eq!(id == "callers-id", is_below, "{id}");
    is_below
}

#[actix_web::test]
async fn private_peer_is_trusted_only_if_forwarding_headers_name_private_addresses() {
    for (name, value, expected) in [
        ("x-forwarded-for", "203.0.113.9", false),
        ("forwarded", "for=203.0.113.9", false),
        ("forwarded", "for=\"[2001:db8::9]:4711\";proto=https", false),
        ("x-forwarded-for", "10.0.0.7", true),
        ("x-forwarded-for", "10.0.0.7:4711, fd00::1, 127.0.0.1", true),
        (
            "forwarded",
            "for=10.0.0.7, for=\"[fd00::1]\";by=10.0.0.2",
            true,
        ),
        // A client may only add.
        ("x-forwarded-for", "10.0.0.7, 203.0.113.9", false),
        ("x-forwarded-for", "203.0.113.9, 10.0.0.7", false),
        ("forwarded", "for=203.0.113.9, for=10.0.0.7", false),
        // An address that is missing, hidden or unreadable is not private.
        ("x-forwarded-for", "unknown", false),
        ("x-forwarded-for", "", false),
        ("x-forwarded-for", "10.0.0.7,", false),
        ("x-forwarded-for", "10.0.0.999", false),
        ("x-forwarded-for", "shop.internal", false),
        ("forwarded", "for=unknown", false),
        ("forwarded", "for=_hidden", false),
        ("forwarded", "for=10.0.0.7, host=shop", false),
        ("forwarded", "for=10.0.0.7;for=10.0.0.8", false),
        ("forwarded", "for=\"10.0.0.7", false),
        ("forwarded", "nonsense", false),
    ] {
        let trusted = is_trusted(&[(name, value)], |tracing| tracing).await;
        assert_eq!(trusted, expected, "{name}: {value}");
    }
    let near = ("x-forwarded-for", "10.0.0.7");
    let far = ("x-forwarded-for", "203.0.113.9");
    assert!(!is_trusted(&[near, far], |tracing| tracing).await, "lines");
    assert!(!is_trusted(&[far, near], |tracing| tracing).await, "lines");
    let other = ("forwarded", "for=203.0.113.9");
    assert!(!is_trusted(&[near, other], |tracing| tracing).await, "both");
}

#[actix_web::test]
async fn caller_from_the_public_has_no_say_in_sampling_and_debugging() {
    let far = ("x-forwarded-for", "203.0.113.9");
    let traceparent = format!("00-{CALLERS_TRACE}-{CALLERS_SPAN}-00");
    let b3 = format!("{CALLERS_TRACE}-{CALLERS_SPAN}-d");
    let jaeger = format!("{CALLERS_TRACE}:{CALLERS_SPAN}:0:3");
    for line in [
        ("traceparent", &*traceparent),
        ("b3", "0"),
        ("b3", &*b3),
        ("uber-trace-id", &*jaeger),
    ] {
        let (spans, sent, _) = call(&[far, line], |tracing| tracing).await;
        assert_ne!(spans.server().trace(), CALLERS_TRACE, "{line:?}");
        assert!(sent["b3"].ends_with("-1"), "{line:?}: {sent:?}");
        assert!(sent["uber-trace-id"].ends_with(":1"), "{line:?}: {sent:?}");
    }
}

#[actix_web::test]
async fn requests_that_callers_keep_out_are_counted() {
    let service = Service::start(|tracing| App::new().wrap(tracing).service(outbound));
    let unsampled = TRACEPARENT.replace("-01", "-00");
    for _ in 0..3 {
        service.get_traced("/outbound", &unsampled).await;
    }
    let request = service.request(Method::GET, "/outbound");
    let request = request.header("traceparent", &unsampled);
    let far = request.header("x-forwarded-for", "203.0.113.9").send();
    assert_eq!(far.await.unwrap().status(), 200);
    let report = service.instance.report_of(1).await;
    assert_eq!(report.unsampled_by_callers, 3);
    assert_eq!(
        report.to_string(),
        "1 spans recorded, 1 delivered, 0 dropped; 3 traces not recorded, which their callers had not sampled"
    );
}

#[test]
fn request_through_a_proxy_that_is_not_named_is_warned_of_once() {
    let test = "proxies::request_through_a_proxy_that_is_not_named_is_warned_of_once";
    if let Some(stderr) = rerun(test, &[]) {
        let warnings = stderr.matches("a request came through a proxy").count();
        assert_eq!(warnings, 1, "{stderr}");
        assert!(
            stderr.contains("`RequestTracing::trusted_proxies`"),
            "{stderr}"
        );
        return;
    }
    actix_web::rt::System::new().block_on(async {
        let far = ("x-forwarded-for", "203.0.113.9");
        for _ in 0..2 {
            assert!(!is_trusted(&[far], |tracing| tracing).await);
        }
    });
}

#[test]
fn request_through_a_named_proxy_is_not_warned_of() {
    let test = "proxies::request_through_a_named_proxy_is_not_warned_of";
    if let Some(stderr) = rerun(test, &[]) {
        assert!(!stderr.contains("proxy"), "{stderr}");
        return;
    }
    actix_web::rt::System::new().block_on(async {
        let named = |tracing: RequestTracing| tracing.trusted_proxies(["127.0.0.1"]).unwrap();
        let far = ("x-forwarded-for", "203.0.113.9");
        assert!(!is_trusted(&[far], named).await);
        // A request that brings nothing has nothing to lose.
        call(&[far], |tracing| tracing).await;
    });
}

/// `server.address`, `url.scheme` and `client.address` of a request through a proxy, of these headers.
async fn origin(written: Option<[header::HeaderName; 2]>, lines: Lines<'_>) -> [String; 3] {
    let settings = move |tracing: RequestTracing| {
        let tracing = tracing.trusted_proxies(["127.0.0.1"]).unwrap();
        let tracing = tracing.client_address();
        match written.clone() {
            Some(names) => tracing.proxy_headers(names).unwrap(),
            None => tracing,
        }
    };
    let (spans, _, _) = call(lines, settings).await;
    let server = spans.server();
    ["server.address", "url.scheme", "client.address"].map(|key| {
        server
            .tag(key)
            .map_or_else(String::new, |it| it.to_string())
    })
}

#[actix_web::test]
async fn headers_that_the_proxy_does_not_write_are_not_believed() {
    // A load balancer writes no `X-Forwarded-Host`.
    let written = [header::X_FORWARDED_FOR, header::X_FORWARDED_PROTO];
    let lines = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-host", "evil.example:1"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=10.0.0.7;host=evil.example"),
    ];
    let expected = ["127.0.0.1", "https", "203.0.113.9"];
    assert_eq!(origin(Some(written), &lines).await, expected);
    // Without its word, two lists that do not match are not those of one proxy.
    let lines = [
        ("x-forwarded-for", "198.51.100.1, 203.0.113.9"),
        ("x-forwarded-host", "evil.example:1"),
        ("x-forwarded-proto", "https, https"),
    ];
    assert_eq!(origin(None, &lines).await, expected);
}

#[actix_web::test]
async fn header_that_does_not_say_where_a_request_comes_from_is_an_error() {
    let names = [header::X_FORWARDED_FOR, header::HOST];
    let error = RequestTracing::default().proxy_headers(names).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`RequestTracing::proxy_headers`: \"host\" is not read. Name those that the proxies write of `forwarded`, `x-forwarded-for`, \
         `x-forwarded-host` and `x-forwarded-proto`"
    );
}

/// Sends a request over a Unix socket: its span.
#[cfg(unix)]
async fn call_over_unix(
    line: &str,
    settings: impl Fn(RequestTracing) -> RequestTracing + Send + Clone + 'static,
) -> Spans {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let instance = Instance::default();
    let tracing = settings(instance.tracing()).client_address();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let app = move || App::new().wrap(tracing.clone()).service(outbound);
    let server = actix_web::HttpServer::new(app).workers(1).disable_signals();
    let server = server.bind_uds(&path).unwrap().run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let mut connection = tokio::net::UnixStream::connect(&path).await.unwrap();
    let request = format!(
        "GET /outbound HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ntraceparent: {TRACEPARENT}\r\n{line}\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let spans = instance.spans(1).await;
    handle.stop(false).await;
    spans
}

#[cfg(unix)]
#[actix_web::test]
async fn proxy_at_a_unix_socket_is_trusted_for_what_it_forwards() {
    let (far, near) = ("x-forwarded-for: 203.0.113.9", "x-forwarded-for: 10.0.0.7");
    let default = |tracing: RequestTracing| tracing;
    let named = |tracing: RequestTracing| tracing.trusted_proxies(["unix"]).unwrap();
    for (line, expected) in [(far, false), (near, true), ("x-none: 1", true)] {
        for spans in [
            call_over_unix(line, default).await,
            call_over_unix(line, named).await,
        ] {
            let is_below = spans.server().trace() == CALLERS_TRACE;
            assert_eq!(is_below, expected, "{line}");
        }
    }
    let spans = call_over_unix(far, named).await;
    assert_eq!(
        spans.server().tag("client.address"),
        Some("203.0.113.9".into())
    );
    let spans = call_over_unix(far, default).await;
    assert_eq!(spans.server().tag("client.address"), None);
}
