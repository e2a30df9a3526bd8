//! Whose trace is taken over, and whose word is taken for where a request comes from.

use std::collections::HashMap;
use std::net::SocketAddr;

use actix_web::test::{TestRequest, call_and_read_body_json, call_service, init_service};
use actix_web::{App, HttpRequest, get, web};
use behaviour::{Instance, Service, Spans, TRACEPARENT};
use biztrace::actix::{RequestTracing, Trust};
use biztrace::opentelemetry::Value;
use biztrace::settings::Propagator;
use biztrace::testing::{Capture, CapturedSpan};
use biztrace::traced_handler;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;

const CALLERS_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLERS_SPAN: &str = "b7ad6b7169203331";

/// Answers with what a client called from here would send.
#[get("/outbound")]
#[traced_handler]
async fn outbound(_request: HttpRequest) -> web::Json<HashMap<String, String>> {
    let mut headers = HashMap::new();
    for propagator in [Propagator::B3, Propagator::Baggage] {
        propagator.inject_context(&Context::current(), &mut headers);
    }
    web::Json(headers)
}

type Lines<'a> = &'a [(&'a str, &'a str)];

/// Sends a request from `peer` to an app that is traced as `settings` say: its span, and what it would send on.
async fn call(
    peer: Option<&str>,
    lines: Lines<'_>,
    settings: impl FnOnce(RequestTracing) -> RequestTracing,
) -> (Spans, HashMap<String, String>) {
    let formats = [
        Propagator::TraceContext,
        Propagator::B3,
        Propagator::Baggage,
    ];
    let instance = Instance::new(|builder| builder.propagators(formats));
    let app = App::new()
        .service(outbound)
        .wrap(settings(instance.tracing()));
    let app = init_service(app).await;
    let mut request = TestRequest::get().uri("/outbound");
    if let Some(peer) = peer {
        request = request.peer_addr(peer.parse::<SocketAddr>().unwrap());
    }
    for line in lines {
        request = request.append_header(*line);
    }
    let sent = call_and_read_body_json(&app, request.to_request()).await;
    (instance.spans(1).await, sent)
}

async fn is_trusted(
    peer: Option<&str>,
    lines: Lines<'_>,
    settings: impl FnOnce(RequestTracing) -> RequestTracing,
) -> bool {
    let lines: Vec<_> = lines
        .iter()
        .copied()
        .chain([("traceparent", TRACEPARENT)])
        .collect();
    let (spans, _) = call(peer, &lines, settings).await;
    let server = spans.server();
    let is_linked = !server.links.is_empty();
    let is_below = server.trace() == CALLERS_TRACE;
    assert_ne!(is_linked, is_below);
    assert_eq!(server.parent(), if is_below { CALLERS_SPAN } else { "" });
    is_below
}

#[actix_web::test]
async fn callers_of_ones_own_network_are_trusted() {
    for peer in [
        None,
        Some("127.0.0.1:1"),
        Some("[::1]:1"),
        Some("10.1.2.3:1"),
        Some("[::ffff:10.1.2.3]:1"),
    ] {
        assert!(is_trusted(peer, &[], |tracing| tracing).await, "{peer:?}");
    }
    for peer in [
        Some("203.0.113.9:1"),
        Some("[2001:db8::1]:1"),
        Some("[::ffff:203.0.113.9]:1"),
    ] {
        assert!(!is_trusted(peer, &[], |tracing| tracing).await, "{peer:?}");
    }
}

#[actix_web::test]
async fn the_trust_is_what_the_app_says() {
    let (near, far) = (Some("127.0.0.1:1"), Some("203.0.113.9:1"));
    assert!(is_trusted(far, &[], |tracing| tracing.trust(Trust::all())).await);
    assert!(!is_trusted(near, &[], |tracing| tracing.trust(Trust::nobody())).await);
    assert!(!is_trusted(None, &[], |tracing| tracing.trust(Trust::nobody())).await);
    let partner = || Trust::when(|request| request.headers().contains_key("x-partner"));
    assert!(
        is_trusted(far, &[("x-partner", "1")], |tracing| tracing
            .trust(partner()))
        .await
    );
    assert!(!is_trusted(near, &[], |tracing| tracing.trust(partner())).await);
}

#[actix_web::test]
async fn a_caller_who_is_not_trusted_is_linked_and_has_no_say() {
    let lines = [
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
        ),
        ("tracestate", "vendor=1"),
        ("baggage", "user.id=7"),
    ];
    let (spans, sent) = call(Some("203.0.113.9:1"), &lines, |tracing| tracing).await;
    let server = spans.server();
    assert_ne!(server.trace(), CALLERS_TRACE);
    assert_eq!(
        (server.parent().as_str(), server.trace_state.as_str()),
        ("", "")
    );
    let [link] = &*server.links else {
        panic!("one link of {:?}", server.links);
    };
    assert_eq!(
        link.trace_id,
        0x0af7651916cd43dd8448eb211c80319c_u128.to_be_bytes()
    );
    assert_eq!(link.span_id, 0xb7ad6b7169203331_u64.to_be_bytes());
    assert_eq!(
        (link.trace_state.as_str(), link.flags),
        ("vendor=1", 0x300),
        "of another process"
    );
    assert_eq!(
        sent["b3"],
        format!("{}-{}-1", server.trace(), server.id()),
        "sampled anew"
    );
    assert!(!sent.contains_key("baggage"), "{sent:?}");
}

#[actix_web::test]
async fn a_caller_who_is_not_trusted_does_not_switch_debugging_on() {
    let b3 = format!("{CALLERS_TRACE}-{CALLERS_SPAN}-d");
    let (spans, sent) = call(Some("203.0.113.9:1"), &[("b3", &b3)], |tracing| tracing).await;
    assert_eq!(spans.server().links.len(), 1);
    assert!(sent["b3"].ends_with("-1"), "{sent:?}");
    let (_, sent) = call(Some("10.0.0.1:1"), &[("b3", &b3)], |tracing| tracing).await;
    assert!(sent["b3"].ends_with("-d"), "{sent:?}");
}

#[actix_web::test]
async fn nothing_is_linked_where_nobody_calls() {
    let (spans, _) = call(Some("203.0.113.9:1"), &[("baggage", "a=1")], |tracing| {
        tracing
    })
    .await;
    assert_eq!(spans.server().links, []);
}

#[actix_web::test]
async fn the_outermost_of_several_decides_and_scopes_differ() {
    let service = Service::start(|tracing| {
        let public = tracing.clone().trust(Trust::nobody());
        App::new()
            .service(web::scope("/public").wrap(public.clone()).service(outbound))
            .service(
                web::scope("/private")
                    .wrap(public)
                    .wrap(tracing)
                    .service(outbound),
            )
    });
    for path in ["/public/outbound", "/private/outbound"] {
        assert_eq!(service.get_traced(path, TRACEPARENT).await.0, 200);
    }
    let spans = service.spans(2).await;
    assert_ne!(spans.named("GET /public/outbound").trace(), CALLERS_TRACE);
    assert_eq!(spans.named("GET /private/outbound").trace(), CALLERS_TRACE);
}

#[actix_web::test]
async fn a_handler_without_the_middleware_trusts_its_own_network() {
    let capture = Capture::new();
    let served = async {
        let app = init_service(App::new().service(outbound)).await;
        for peer in ["10.0.0.1:1", "203.0.113.9:1"] {
            let request = TestRequest::get()
                .uri("/outbound")
                .peer_addr(peer.parse().unwrap())
                .insert_header(("traceparent", TRACEPARENT));
            call_service(&app, request.to_request()).await;
        }
        let request = TestRequest::get()
            .uri("/outbound")
            .peer_addr("10.0.0.1:1".parse().unwrap())
            .insert_header(("traceparent", TRACEPARENT))
            .insert_header(("x-forwarded-for", "203.0.113.9"));
        call_service(&app, request.to_request()).await;
    };
    capture.scope(served).await;
    let spans = capture.spans();
    let is_below = |span: &CapturedSpan| span.trace_id().to_string() == CALLERS_TRACE;
    assert_eq!(
        spans.iter().map(is_below).collect::<Vec<_>>(),
        [true, false, false]
    );
    assert_eq!(spans[1].data().links.len(), 1);
}

fn behind(proxies: &'static [&'static str]) -> impl Fn(RequestTracing) -> RequestTracing {
    move |tracing| tracing.trusted_proxies(proxies).unwrap().client_address()
}

#[actix_web::test]
async fn it_is_the_client_behind_trusted_proxies_who_is_trusted() {
    let proxy = Some("10.0.0.1:1");
    let far = ("x-forwarded-for", "203.0.113.9");
    let near = ("x-forwarded-for", "192.168.0.5");
    let hidden = ("forwarded", "for=unknown");
    for (line, expected) in [(far, false), (near, true), (hidden, false)] {
        assert_eq!(
            is_trusted(proxy, &[line], behind(&["10.0.0.1"])).await,
            expected,
            "{line:?}"
        );
        assert_eq!(
            is_trusted(proxy, &[line], |tracing| tracing).await,
            expected,
            "no trusted proxy: {line:?}"
        );
    }
    let other_proxy = ("x-forwarded-for", "203.0.113.9, 192.168.0.5");
    assert!(
        !is_trusted(proxy, &[other_proxy], behind(&["10.0.0.1"])).await,
        "the private client may be a proxy that is not named"
    );
    let named = ("x-forwarded-for", "192.168.0.5, 203.0.113.9");
    assert!(
        is_trusted(proxy, &[named], behind(&["10.0.0.1", "203.0.113.9"])).await,
        "a named proxy may have a public address"
    );
    assert!(
        is_trusted(proxy, &[], behind(&["10.0.0.1"])).await,
        "a call of the proxy's own"
    );
    assert!(
        !is_trusted(Some("203.0.113.9:1"), &[near], behind(&["10.0.0.1"])).await,
        "spoofed"
    );
}

fn origin(spans: &Spans) -> [Option<Value>; 6] {
    [
        "client.address",
        "network.peer.address",
        "network.peer.port",
        "server.address",
        "server.port",
        "url.scheme",
    ]
    .map(|key| spans.server().tag(key))
}

#[actix_web::test]
async fn addresses_are_recorded_where_they_are_asked_for() {
    let (spans, _) = call(Some("203.0.113.9:4711"), &[], |tracing| tracing).await;
    assert_eq!(
        origin(&spans)[..3],
        [None, None, None],
        "personal data by default"
    );
    let (spans, _) = call(
        Some("[::ffff:203.0.113.9]:4711"),
        &[],
        RequestTracing::client_address,
    )
    .await;
    assert_eq!(
        origin(&spans)[..3],
        [
            Some("203.0.113.9".into()),
            Some("203.0.113.9".into()),
            Some(4711.into())
        ]
    );
    let (spans, _) = call(None, &[], RequestTracing::client_address).await;
    assert_eq!(origin(&spans)[..3], [None, None, None], "there is none");
}

#[actix_web::test]
async fn the_origin_is_the_one_that_trusted_proxies_name() {
    let forwarded = "for=1.1.1.1;host=evil, for=\"[2001:db8::9]:80\";host=\"shop.example.com\";proto=https, for=10.0.0.2";
    let lines = [("forwarded", forwarded), ("host", "inner:8080")];
    let (spans, _) = call(Some("10.0.0.1:4711"), &lines, behind(&["10.0.0.0/8"])).await;
    assert_eq!(
        origin(&spans),
        [
            Some("2001:db8::9".into()),
            Some("10.0.0.1".into()),
            Some(4711.into()),
            Some("shop.example.com".into()),
            Some(443.into()),
            Some("https".into()),
        ]
    );
    let (spans, _) = call(Some("203.0.113.9:4711"), &lines, behind(&["10.0.0.0/8"])).await;
    assert_eq!(
        origin(&spans),
        [
            Some("203.0.113.9".into()),
            Some("203.0.113.9".into()),
            Some(4711.into()),
            Some("inner".into()),
            Some(8080.into()),
            Some("http".into()),
        ],
        "not of a trusted proxy"
    );
    let hidden = [("x-forwarded-for", "_secret")];
    let (spans, _) = call(Some("10.0.0.1:4711"), &hidden, behind(&["10.0.0.0/8"])).await;
    assert_eq!(origin(&spans)[..2], [None, Some("10.0.0.1".into())]);
}

#[actix_web::test]
async fn what_is_no_address_is_an_error_that_names_it() {
    let error = RequestTracing::default()
        .trusted_proxies(["10.0.0.1", "proxy.internal"])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`RequestTracing::trusted_proxies`: \"proxy.internal\" is not an IP address or a network. Write, for example, \"10.0.0.0/8\", \"2001:db8::1\" or \"unix\""
    );
}
