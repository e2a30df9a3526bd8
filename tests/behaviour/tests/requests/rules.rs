//! Rules on requests, over a socket: what is recorded of them, and what goes on to the next service.

use std::collections::HashMap;

use actix_web::{App, HttpRequest, HttpResponse, get, web};
use behaviour::{Instance, Service, Span, Spans, TRACEPARENT};
use biztrace::actix::RequestTracing;
use biztrace::report::DropReason;
use biztrace::settings::{Keep, Parent, Propagator, Rule, Sampler};
use biztrace::{TelemetryBuilder, traced, traced_handler};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use reqwest::Method;

#[traced]
async fn step() {}

/// What a client called from here would send.
async fn sent() -> HashMap<String, String> {
    step().await;
    let mut headers = HashMap::new();
    Propagator::TraceContext.inject_context(&Context::current(), &mut headers);
    headers
}

#[get("/orders/{id}")]
#[traced_handler]
async fn order(_request: HttpRequest) -> web::Json<HashMap<String, String>> {
    web::Json(sent().await)
}

#[get("/carts/{id}")]
#[traced_handler]
async fn cart(_request: HttpRequest) -> web::Json<HashMap<String, String>> {
    web::Json(sent().await)
}

#[get("/fails/{id}")]
#[traced_handler]
async fn fails(_request: HttpRequest) -> HttpResponse {
    HttpResponse::InternalServerError().json(sent().await)
}

struct Rules(Service);

impl Rules {
    fn new(settings: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder) -> Self {
        Self::tracing(settings, |tracing| tracing)
    }

    fn tracing(
        settings: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder,
        tracing: fn(RequestTracing) -> RequestTracing,
    ) -> Self {
        let instance = Instance::new(settings);
        Self(Service::recording_to(instance, move |of_instance| {
            let app = App::new().service(order).service(cart).service(fails);
            app.wrap(tracing(of_instance))
        }))
    }

    /// Asks for `path` with those headers, and returns what would be sent on.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> HashMap<String, String> {
        let mut request = self.0.request(Method::GET, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// The spans that have arrived of so many that were recorded.
    async fn spans(&self, recorded: u64) -> Spans {
        let (report, spans) = self.0.outcome(recorded).await;
        let sampled_out = report.dropped.get(DropReason::SampledOut);
        assert_eq!(report.dropped.total(), sampled_out, "{report}");
        spans
    }
}

fn servers(spans: &Spans) -> Vec<&Span> {
    spans.iter().filter(|span| span.name != "step").collect()
}

fn paths(spans: &Spans) -> Vec<String> {
    let paths = servers(spans).into_iter().map(|span| span.tag("url.path"));
    paths.map(|path| path.unwrap().to_string()).collect()
}

const SAMPLED: (&str, &str) = ("traceparent", TRACEPARENT);

#[actix_web::test]
async fn never_leaves_no_span_and_passes_the_trace_on_unsampled() {
    let service = Rules::new(|builder| {
        builder
            .sampler(Sampler::always_on())
            .rule(Rule::path("/fails/**").never())
            .rule(Rule::path("/orders/*").never())
            .keep(Keep::errors())
    });
    let sent = service.get("/orders/7", &[]).await;
    assert!(sent["traceparent"].ends_with("-02"), "{sent:?}");
    // A caller that samples does not bring it back, nor does an error.
    for path in ["/orders/7", "/fails/7"] {
        let state = ("tracestate", "ot=th:0,a=1");
        let sent = service.get(path, &[SAMPLED, state]).await;
        let (trace, _) = TRACEPARENT.split_at(36);
        assert!(sent["traceparent"].starts_with(trace), "{sent:?}");
        assert!(sent["traceparent"].ends_with("-00"), "{sent:?}");
        assert_eq!(sent["tracestate"], "a=1");
    }
    service.get("/carts/7", &[]).await;
    assert_eq!(paths(&service.spans(2).await), ["/carts/7"]);
}

/// Both leave no span; an observer is told of the one alone, which a test in the adapter shows.
#[actix_web::test]
async fn skipped_requests_are_asked_no_rule() {
    let settings = |builder: TelemetryBuilder| builder.rule(Rule::path("/**").keep());
    let service = Rules::tracing(settings, |tracing| {
        tracing.skip(|request| request.path().starts_with("/orders"))
    });
    let sent = service.get("/orders/7", &[SAMPLED]).await;
    assert!(sent["traceparent"].ends_with("-00"), "{sent:?}");
    service.get("/carts/7", &[]).await;
    assert_eq!(paths(&service.spans(2).await), ["/carts/7"]);
}

#[actix_web::test]
async fn rate_of_one_keeps_what_the_sampler_would_not() {
    let service = Rules::new(|builder| {
        builder
            .sampler(Sampler::always_off())
            .rule(Rule::path("/orders/**").method("GET").rate(1.0))
            .rule(Rule::path("/**").method("POST").rate(1.0))
    });
    let sent = service.get("/orders/7", &[]).await;
    assert!(sent["traceparent"].ends_with("-03"), "{sent:?}");
    assert_eq!(sent["tracestate"], "ot=th:0");
    let sent = service.get("/carts/7", &[]).await;
    assert!(sent["traceparent"].ends_with("-02"), "{sent:?}");
    let spans = service.spans(2).await;
    assert_eq!(paths(&spans), ["/orders/7"]);
    let server = spans.server();
    assert_eq!(server.trace_state, "ot=th:0");
    assert_eq!(server.tag("sampling.reason"), Some("rule".into()));
    assert_eq!(server.tag("sampling.adjusted_count"), Some(1.0.into()));
    assert_eq!(server.tag("sampling.upgraded"), None);
}

#[actix_web::test]
async fn headers_hosts_and_parents_are_asked() {
    let service = Rules::new(|builder| {
        builder
            .sampler(Sampler::always_off())
            .rule(Rule::header("X-Probe", "*").never())
            .rule(Rule::host("shop.*").header("x-debug", "order-*").keep())
            .rule(Rule::parent(Parent::Remote).path("/carts/*").keep())
    });
    let debug = ("x-debug", "order-7");
    let shop = ("host", "Shop.Example:81");
    service.get("/orders/1", &[debug, shop]).await;
    service
        .get("/orders/2", &[debug, shop, ("x-probe", "")])
        .await;
    service.get("/orders/3", &[debug]).await;
    service.get("/orders/4", &[("x-debug", "7"), shop]).await;
    let unsampled = TRACEPARENT.replace("-01", "-00");
    service
        .get("/carts/5", &[("traceparent", &unsampled)])
        .await;
    service.get("/carts/6", &[]).await;
    let mut kept = paths(&service.spans(4).await);
    kept.sort();
    assert_eq!(kept, ["/carts/5", "/orders/1"]);
}

#[actix_web::test]
async fn host_is_the_one_that_a_trusted_proxy_names() {
    for (is_trusted, kept) in [(true, "/orders/1"), (false, "/orders/2")] {
        let settings = |builder: TelemetryBuilder| {
            builder
                .sampler(Sampler::always_off())
                .rule(Rule::host("shop.example").keep())
        };
        let service = Rules::tracing(
            settings,
            match is_trusted {
                true => |tracing| tracing.trusted_proxies(["127.0.0.1"]).unwrap(),
                false => |tracing| tracing.trusted_proxies(["192.0.2.1"]).unwrap(),
            },
        );
        let client = ("x-forwarded-for", "203.0.113.9");
        for (path, asked, host) in [
            ("/orders/1", "shop.example:443", "behind"),
            ("/orders/2", "other.example", "shop.example"),
        ] {
            let headers = [client, ("x-forwarded-host", asked), ("host", host)];
            service.get(path, &headers).await;
        }
        let spans = service.spans(2).await;
        assert_eq!(paths(&spans), [kept], "trusted: {is_trusted}");
        let address = spans.server().tag("server.address");
        assert_eq!(address, Some("shop.example".into()));
    }
}

#[actix_web::test]
async fn route_is_kept_whole_whatever_the_head_has_said() {
    let service = Rules::new(|builder| {
        builder
            .sampler(Sampler::probability(0.0))
            .keep(Keep::none())
            .rule(Rule::route("/orders/{id}").keep())
    });
    let sent = service.get("/orders/7", &[]).await;
    assert!(
        sent["traceparent"].ends_with("-02"),
        "what leaves is the sampler's"
    );
    service.get("/carts/7", &[]).await;
    let spans = service.spans(4).await;
    assert_eq!(paths(&spans), ["/orders/7"]);
    assert_eq!(spans.iter().count(), 2, "with its step");
    for span in spans.iter() {
        assert_eq!(span.flags & 0xff, 3);
        assert_eq!(span.trace_state, "ot=th:0");
    }
    let server = spans.server();
    assert_eq!(server.tag("sampling.reason"), Some("rule".into()));
    assert_eq!(server.tag("sampling.adjusted_count"), Some(1.0.into()));
    assert_eq!(server.tag("sampling.upgraded"), Some(true.into()));
}

#[actix_web::test]
async fn rate_of_a_route_thins_but_not_below_a_sampled_caller_or_for_errors() {
    let service = Rules::new(|builder| {
        builder
            .rule(Rule::route("/{of}/{id}").keep())
            .rule(Rule::route("/*/{id}").rate(0.0))
    });
    let sent = service.get("/orders/1", &[]).await;
    assert!(sent["traceparent"].ends_with("-03"), "{sent:?}");
    service.get("/orders/2", &[SAMPLED]).await;
    service.get("/fails/3", &[]).await;
    let spans = service.spans(6).await;
    let kept = servers(&spans).into_iter().map(|span| {
        let tags = ["url.path", "sampling.reason"].map(|key| span.tag(key).unwrap());
        tags.map(|tag| tag.to_string())
    });
    let kept: Vec<_> = kept.collect();
    assert_eq!(kept, [["/orders/2", "parent"], ["/fails/3", "error"]]);
}
