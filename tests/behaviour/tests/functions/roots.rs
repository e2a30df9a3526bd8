//! `#[traced(parent = none)]`, and links.

use actix_web::{App, get};
use behaviour::{Instance, Service, TRACEPARENT, is_child};
use biztrace::testing::Capture;
use biztrace::{current, tag, traced, traced_handler};
use opentelemetry::Context;
use opentelemetry::trace::SpanContext;

#[traced(parent = none, links = [cause], attrs(tenant.id = header("x-tenant-id")))]
async fn audit(cause: SpanContext) {
    step();
}

#[traced]
fn step() {}

#[get("/audited")]
#[traced_handler]
async fn audited() -> &'static str {
    tag!(
        #[inherit]
        app.inherited = true
    );
    audit(current().context()).await;
    step();
    "audited"
}

#[actix_web::test]
async fn root_below_a_request_starts_a_trace_linked_to_it() {
    let service = Service::start(|tracing| App::new().wrap(tracing).service(audited));
    let request = service.request(reqwest::Method::GET, "/audited");
    let request = request.header("traceparent", TRACEPARENT);
    request
        .header("x-tenant-id", "berlin")
        .send()
        .await
        .unwrap();
    let spans = service.spans(4).await;
    let (server, audit) = (spans.server(), spans.named("audit"));
    assert_ne!(audit.trace(), server.trace());
    assert_eq!(audit.parent(), "");
    assert_eq!(
        audit.tag("tenant.id"),
        Some("berlin".into()),
        "its tags may read the request that it is called in"
    );
    assert_eq!(audit.tag("app.inherited"), None);
    let [link] = &*audit.links else {
        panic!("one link: {:?}", audit.links);
    };
    assert_eq!(
        (&link.trace_id, &link.span_id),
        (&server.trace_id, &server.span_id)
    );
    let steps: Vec<_> = spans.iter().filter(|span| span.name == "step").collect();
    assert!(steps.iter().any(|step| is_child(step, audit)));
    assert!(
        steps.iter().any(|step| is_child(step, server)),
        "afterwards the request's span is current again"
    );
}

#[traced(links = contexts.iter().cloned())]
fn batch(contexts: &[SpanContext]) {}

#[actix_web::test]
async fn a_child_may_have_links_and_what_is_no_span_is_none() {
    let instance = Instance::default();
    instance
        .under_root(async {
            let here = current().context();
            batch(&[here, SpanContext::NONE]);
            batch(&[]);
        })
        .await;
    let spans = instance.spans(3).await;
    let mut links: Vec<_> = spans
        .iter()
        .filter(|span| span.name == "batch")
        .map(|span| span.links.len())
        .collect();
    links.sort();
    assert_eq!(links, [0, 1]);
}

fn unwanted() -> Vec<SpanContext> {
    panic!("nothing is recorded here")
}

#[traced(parent = none, links = unwanted())]
fn silent() {}

#[actix_web::test]
async fn suppressed_telemetry_starts_no_root() {
    let instance = Instance::default();
    instance
        .under_root(async {
            let _suppressed = Context::enter_telemetry_suppressed_scope();
            silent();
        })
        .await;
    assert_eq!(instance.spans(1).await[0].name, "root");
}

#[get("/unsampled")]
#[traced_handler]
async fn unsampled() -> &'static str {
    silent_or_not();
    below_silent();
    "not recorded"
}

#[traced]
fn below_silent() {
    silent_or_not();
}

#[actix_web::test]
async fn root_below_an_unsampled_request_uses_its_telemetry() {
    let service = Service::start(|tracing| App::new().wrap(tracing).service(unsampled));
    let request = service.request(reqwest::Method::GET, "/unsampled");
    let caller = TRACEPARENT.strip_suffix("01").unwrap().to_owned() + "00";
    request.header("traceparent", &caller).send().await.unwrap();
    let spans = service.spans(2).await;
    for root in spans.iter() {
        assert_eq!((&*root.name, &*root.parent()), ("silent_or_not", ""));
        assert!(!caller.contains(&root.trace()));
    }
}

#[actix_web::test]
async fn root_below_a_skipped_request_uses_its_telemetry() {
    let service = Service::start(|tracing| {
        let tracing = tracing.skip(|_| true);
        App::new().wrap(tracing).service(unsampled)
    });
    let request = service.request(reqwest::Method::GET, "/unsampled");
    request.send().await.unwrap();
    assert_eq!(service.spans(2).await.len(), 2);
}

#[test]
fn a_root_with_nothing_around_it_is_of_the_telemetry_in_charge() {
    silent_or_not();
    let capture = Capture::new();
    capture.scope_sync(silent_or_not);
    assert_eq!(capture.spans().len(), 1);
}

#[traced(parent = none)]
fn silent_or_not() {}
