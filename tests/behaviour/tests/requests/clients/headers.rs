//! The headers that carry the context of a CLIENT span, and requests that carry none.

use behaviour::{Instance, Service, TRACEPARENT, rerun};
use biztrace::client;
use biztrace::settings::{Propagator, Sampler};
use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};

use super::{ALL, Call, callee, caller};

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
        let instance = Instance::new(|settings| settings.sampler(Sampler::always_off()));
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
async fn invalid_headers_of_a_propagator_are_not_sent() {
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
async fn incoming_context_is_passed_on_when_disabled() {
    let test = "clients::headers::incoming_context_is_passed_on_when_disabled";
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
