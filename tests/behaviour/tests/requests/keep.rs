//! What is kept of traces when they are over, whatever the sampler has said when they began.

use std::collections::HashMap;
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, get, web};
use behaviour::{Instance, Service, Spans, TRACEPARENT};
use biztrace::report::DropReason;
use biztrace::settings::{Keep, Policy, Propagator, Sampler};
use biztrace::{biz_attrs, tag, traced, traced_handler};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use reqwest::Method;
use tokio::time::sleep;

#[derive(Debug)]
struct Failure;

#[traced]
async fn step(fails: bool) -> Result<(), Failure> {
    tag!(step.fails = fails);
    match fails {
        true => Err(Failure),
        false => Ok(()),
    }
}

/// Its own answer, after a step that works; what it would send on is in a header.
#[get("/{answer}")]
#[traced_handler]
async fn work(answer: web::Path<u16>, _request: HttpRequest) -> HttpResponse {
    let mut headers = HashMap::new();
    Propagator::TraceContext.inject_context(&Context::current(), &mut headers);
    let is_ok = step(*answer == 299).await.is_ok();
    assert_eq!(is_ok, *answer != 299);
    assert_ne!(*answer, 599, "a panic");
    let status = actix_web::http::StatusCode::from_u16(*answer).unwrap();
    HttpResponse::build(status)
        .insert_header(("x-sent", headers["traceparent"].clone()))
        .finish()
}

fn service(sampler: Sampler) -> Service {
    let instance = Instance::new(|builder| builder.sampler(sampler).keep(Keep::errors()));
    Service::recording_to(instance, |tracing| App::new().service(work).wrap(tracing))
}

/// Asks for each answer, and returns the spans that are kept. All others count as sampled out.
async fn kept(service: &Service, answers: &[u16]) -> Spans {
    for answer in answers {
        let request = service.request(Method::GET, &format!("/{answer}"));
        let Ok(answered) = request.send().await else {
            continue; // a panic
        };
        let sent = answered.headers().get("x-sent");
        let sent = sent.map(|sent| sent.to_str().expect("text"));
        assert!(
            sent.is_none_or(|sent| sent.ends_with("-02")),
            "the sampler's word leaves: {sent:?}"
        );
    }
    let (report, spans) = service.outcome(2 * answers.len() as u64).await;
    assert_eq!(
        report.dropped.total(),
        report.dropped.get(DropReason::SampledOut),
        "{report}"
    );
    spans
}

fn answers(spans: &Spans) -> Vec<String> {
    let servers = spans.iter().filter(|span| span.name != "step");
    let paths = servers.filter_map(|span| span.tag("url.path"));
    paths.map(|path| path.to_string()).collect()
}

#[actix_web::test]
async fn failed_requests_are_kept_whole_and_others_are_not() {
    let service = service(Sampler::probability(0.0));
    let spans = kept(&service, &[200, 404, 500, 299, 599]).await;
    assert_eq!(answers(&spans), ["/500", "/299", "/599"]);
    assert_eq!(spans.iter().count(), 6, "with their steps");
    for span in spans.iter() {
        assert_eq!(span.flags & 0xff, 3, "what is sent counts as sampled");
        assert_eq!(span.trace_state, "ot=th:0");
        let is_first = span.name != "step";
        assert_eq!(
            span.tag("sampling.reason"),
            is_first.then(|| "error".into())
        );
        assert_eq!(
            span.tag("sampling.adjusted_count"),
            is_first.then(|| 1.0.into())
        );
        assert_eq!(span.tag("sampling.upgraded"), is_first.then(|| true.into()));
    }
}

#[actix_web::test]
async fn failure_below_a_caller_that_does_not_sample_is_kept() {
    let service = service(Sampler::probability(0.0));
    let unsampled = TRACEPARENT.replace("-01", "-00");
    service.get_traced("/200", &unsampled).await;
    service.get_traced("/500", &unsampled).await;
    let (_, spans) = service.outcome(4).await;
    assert_eq!(answers(&spans), ["/500"]);
    assert_eq!(spans.server().trace(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(spans.server().tag("sampling.upgraded"), Some(true.into()));
}

#[actix_web::test]
async fn what_the_sampler_keeps_is_kept_as_it_says() {
    let service = service(Sampler::probability(1.0));
    service.get("/200").await;
    service.get("/500").await;
    let spans = service.spans(4).await;
    let reasons = ["probability", "error"].map(|reason| Some(reason.into()));
    let servers = spans.iter().filter(|span| span.name != "step");
    assert!(servers.map(|span| span.tag("sampling.reason")).eq(reasons));
    assert!(
        spans
            .iter()
            .all(|span| span.tag("sampling.upgraded").is_none())
    );
}

/// Well above what a fast request takes on a busy machine.
const BOUND: Duration = Duration::from_secs(2);

/// Waits before its response, or within its body, which may be one of events.
#[get("/slow/{part}")]
async fn slow(part: web::Path<String>) -> HttpResponse {
    let wait = || sleep(BOUND + Duration::from_millis(200));
    if *part == "head" {
        wait().await;
        return HttpResponse::Ok().finish();
    }
    let body = futures_util::stream::once(async move {
        wait().await;
        Ok::<_, std::io::Error>(web::Bytes::from("late"))
    });
    let mut response = HttpResponse::Ok();
    if *part == "events" {
        response.content_type("Text/Event-Stream; charset=utf-8");
    }
    response.streaming(body)
}

/// The requests that are kept of a slow head, a slow body, slow events, and a fast one.
async fn kept_of_slow(keep: Keep) -> Vec<String> {
    let sampler = Sampler::probability(0.0);
    let instance = Instance::new(|builder| builder.sampler(sampler).keep(keep));
    let service = Service::recording_to(instance, |tracing| {
        App::new().service(slow).service(work).wrap(tracing)
    });
    let answers_to = tokio::join!(
        service.get("/slow/head"),
        service.get("/slow/body"),
        service.get("/slow/events"),
        service.get("/200"),
    );
    assert_eq!(
        [
            answers_to.0.0,
            answers_to.1.0,
            answers_to.2.0,
            answers_to.3.0
        ],
        [200; 4]
    );
    let (_, spans) = service.outcome(5).await;
    let reasons = spans.iter().map(|span| span.tag("sampling.reason"));
    assert!(reasons.eq(spans.iter().map(|_| Some("slow".into()))));
    let mut kept = answers(&spans);
    kept.sort_unstable();
    kept
}

#[actix_web::test]
async fn slow_is_what_takes_long_to_the_responses_head_or_its_end() {
    let keep = || Keep::errors().slower_than(BOUND);
    let (to_head, to_end) =
        tokio::join!(kept_of_slow(keep()), kept_of_slow(keep().until_body_end()));
    assert_eq!(to_head, ["/slow/head"]);
    assert_eq!(to_end, ["/slow/body", "/slow/head"]);
}

/// Fails after many steps.
#[get("/late")]
async fn late() -> HttpResponse {
    for _ in 0..3 {
        step(false).await.unwrap();
    }
    HttpResponse::InternalServerError().finish()
}

#[actix_web::test]
async fn failure_after_the_trace_was_dropped_goes_out_alone() {
    let instance = Instance::new(|builder| {
        let builder = builder.sampler(Sampler::probability(0.0));
        let builder = builder.limits(|limits| limits.spans_per_trace = 4);
        builder.keep(Keep::errors())
    });
    let service = Service::recording_to(instance, |tracing| App::new().service(late).wrap(tracing));
    service.get("/late").await;
    let (report, spans) = service.outcome(4).await;
    assert_eq!(report.dropped.get(DropReason::SampledOut), 3, "{report}");
    let server = spans.server();
    assert_eq!(server.tag("sampling.reason"), Some("late_error".into()));
    assert_eq!(server.tag("sampling.adjusted_count"), Some(0.0.into()));
    assert_eq!(server.tag("sampling.upgraded"), Some(true.into()));
    assert_eq!((server.flags & 0xff, &*server.trace_state), (3, ""));
}

/// Tags its span when it has done all else, and has a step below that tags its own.
#[get("/tagged/{order}/{status}")]
#[traced_handler]
#[biz_attrs(order.id = *path.0)]
async fn tagged(path: web::Path<(String, u16)>) -> HttpResponse {
    let (order, status) = path.into_inner();
    let _ = step(order == "below").await;
    if order == "late" {
        tag!(risk.review = true);
    }
    let status = actix_web::http::StatusCode::from_u16(status).unwrap();
    HttpResponse::build(status).finish()
}

#[actix_web::test]
async fn what_passes_a_policy_is_kept_by_the_tags_of_all_its_spans() {
    let keep = Keep::errors()
        .policy(Policy::equals("risk.review", true).named("review"))
        .policy(Policy::equals("step.fails", true))
        .policy(Policy::glob("order.id", "vip-*"))
        .drop(Policy::equals("order.id", "test"));
    let instance = Instance::new(|builder| builder.sampler(Sampler::probability(0.0)).keep(keep));
    let service =
        Service::recording_to(instance, |tracing| App::new().service(tagged).wrap(tracing));
    let orders = [
        "other/200",
        "late/200",
        "below/200",
        "vip-7/200",
        "test/500",
        "other/500",
    ];
    for order in orders {
        service.get(&format!("/tagged/{order}")).await;
    }
    let (report, spans) = service.outcome(2 * orders.len() as u64).await;
    assert_eq!(report.dropped.get(DropReason::SampledOut), 4, "{report}");
    let kept = spans.iter().filter(|span| span.name != "step");
    let kept = kept.map(|span| {
        let tag = |key| span.tag(key).map(|value| value.to_string());
        (
            tag("order.id"),
            tag("sampling.reason"),
            tag("sampling.policy"),
        )
    });
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        (text("late"), text("policy"), text("review")),
        // The failure of the step is an error of the trace's.
        (text("below"), text("error"), None),
        (text("vip-7"), text("policy"), text("order.id")),
        (text("other"), text("error"), None),
    ];
    assert!(
        kept.clone().eq(expected.clone()),
        "{:?}",
        kept.collect::<Vec<_>>()
    );
}

/// By settings alone: `probability` keeps errors, and what code or environment says goes before that.
#[actix_web::test]
async fn a_probability_keeps_errors_unless_it_is_told_otherwise() {
    for (keep, recorded, expected) in [
        (None, 4, vec!["/500"]),
        (Some(Keep::none()), 0, vec![]),
        (
            Some(Keep::none().slower_than(Duration::from_secs(60))),
            4,
            vec![],
        ),
    ] {
        let instance = Instance::new(|builder| {
            let builder = builder.sampler(Sampler::probability(0.0).parent_based());
            match keep {
                None => builder,
                Some(keep) => builder.keep(keep),
            }
        });
        let service =
            Service::recording_to(instance, |tracing| App::new().service(work).wrap(tracing));
        service.get("/200").await;
        service.get("/500").await;
        assert_eq!(answers(&service.outcome(recorded).await.1), expected);
    }
}
