//! Whose a trace is, and what its tier makes of it.

use actix_web::{App, HttpRequest, HttpResponse, get};
use behaviour::{Instance, Service, Spans, TRACEPARENT};
use biztrace::actix::RequestTracing;
use biztrace::report::DropReason;
use biztrace::settings::{Sampler, Tenants, Tier};
use biztrace::{tag, traced, traced_handler};
use reqwest::Method;

/// After the authentication it is known who has sent the request.
#[traced]
async fn authenticate(user: Option<&str>) {
    if let Some(tenant) = user.and_then(|user| user.split('@').nth(1)) {
        tag!(tenant.id = tenant);
    }
}

#[traced]
async fn load() {}

/// The user is in a header, and the tenant may be in the path.
#[get("/tenants/{tenant}/{answer}")]
#[traced_handler]
async fn work(request: HttpRequest) -> HttpResponse {
    let user = request.headers().get("x-user");
    authenticate(user.and_then(|user| user.to_str().ok())).await;
    load().await;
    match request.match_info().query("answer") {
        "ok" => HttpResponse::Ok().finish(),
        _ => HttpResponse::InternalServerError().finish(),
    }
}

/// A request has three spans.
const SPANS: u64 = 3;

/// What is kept of the rest is what fails.
fn tiers(tenants: Tenants) -> Tenants {
    tenants
        .tier("vip", Tier::of(["acme", "globex-*"]).rate(1.0))
        .tier("default", Tier::rest().rate(0.0))
}

fn service(
    tenants: Tenants,
    settings: impl Fn(RequestTracing) -> RequestTracing + Clone + Send + 'static,
) -> Service {
    let instance = Instance::new(|builder| {
        let builder = builder.sampler(Sampler::probability(0.0));
        builder.tenants(tiers(tenants))
    });
    Service::recording_to(instance, move |tracing| {
        App::new().service(work).wrap(settings(tracing))
    })
}

type Lines<'a> = &'a [(&'a str, &'a str)];

/// Sends a request for each path with its headers, and returns the spans that are kept. All others count as sampled out.
async fn kept(service: &Service, requests: &[(&str, Lines<'_>)]) -> Spans {
    for (path, lines) in requests {
        let mut request = service.request(Method::GET, path);
        for (name, value) in *lines {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer");
    }
    let (report, spans) = service.outcome(SPANS * requests.len() as u64).await;
    assert_eq!(
        report.dropped.total(),
        report.dropped.get(DropReason::SampledOut),
        "{report}"
    );
    spans
}

/// The tenant of each kept request, which all its spans have.
fn tenants(spans: &Spans) -> Vec<String> {
    let servers = spans.iter().filter(|span| span.name.starts_with("GET"));
    let tenant_of = |server: &behaviour::Span| {
        let all = spans.iter().filter(|span| span.trace() == server.trace());
        let tenant = server.tag("tenant.id");
        let mut number = 0;
        for span in all {
            number += 1;
            assert_eq!(span.tag("tenant.id"), tenant, "{}", span.name);
            let tier = span.tag("sampling.tier");
            assert_eq!(tier.is_some(), span.name == server.name);
        }
        assert_eq!(number, SPANS, "whole traces are kept");
        tenant.map_or_else(|| "nobody".to_owned(), |tenant| tenant.to_string())
    };
    servers.map(tenant_of).collect()
}

const OK: &str = "/tenants/initech/ok";

/// A proxy says that the request comes from elsewhere.
const UNTRUSTED: (&str, &str) = ("x-forwarded-for", "203.0.113.7");

#[actix_web::test]
async fn header_counts_from_trusted_callers_only() {
    let service = service(Tenants::from_header("X-Tenant-Id"), |tracing| tracing);
    let spans = kept(
        &service,
        &[
            (OK, &[("x-tenant-id", "acme")]),
            (OK, &[("x-tenant-id", "acme"), UNTRUSTED]),
            (OK, &[("x-tenant-id", "globex-eu")]),
            (OK, &[("x-tenant-id", "initech")]),
            (OK, &[("x-tenant-id", "acme"), ("x-tenant-id", "acme")]),
            (OK, &[]),
        ],
    )
    .await;
    assert_eq!(tenants(&spans), ["acme", "globex-eu"]);
    for server in spans.iter().filter(|span| span.name.starts_with("GET")) {
        assert_eq!(server.tag("sampling.reason"), Some("tier".into()));
        assert_eq!(server.tag("sampling.tier"), Some("vip".into()));
        assert_eq!(server.tag("sampling.adjusted_count"), Some(1.0.into()));
    }
    assert!(spans.iter().all(|span| span.trace_state == "ot=th:0"));
}

#[actix_web::test]
async fn tag_after_the_authentication_counts_from_anybody() {
    let service = service(Tenants::from_header("x-tenant-id"), |tracing| tracing);
    let spans = kept(
        &service,
        &[
            (OK, &[UNTRUSTED, ("x-user", "jo@acme")]),
            (OK, &[("x-tenant-id", "acme"), ("x-user", "jo@initech")]),
            (
                OK,
                &[
                    UNTRUSTED,
                    ("x-tenant-id", "initech"),
                    ("x-user", "jo@globex-eu"),
                ],
            ),
        ],
    )
    .await;
    assert_eq!(tenants(&spans), ["acme", "globex-eu"]);
    let mut upgraded = spans.iter().filter_map(|it| it.tag("sampling.upgraded"));
    assert_eq!(upgraded.next(), Some(true.into()), "it was not sent on");
}

#[actix_web::test]
async fn segment_of_the_path_counts_from_anybody() {
    let service = service(Tenants::from_path_segment(1), |tracing| tracing);
    let spans = kept(
        &service,
        &[
            ("/tenants/acme/ok", &[UNTRUSTED]),
            ("/tenants/initech/ok", &[]),
            ("/tenants/acme/ok", &[("x-user", "jo@initech")]),
        ],
    )
    .await;
    assert_eq!(tenants(&spans), ["acme"]);
}

#[actix_web::test]
async fn closure_of_the_application_takes_precedence() {
    let service = service(Tenants::from_header("x-tenant-id"), |tracing| {
        tracing.tenant(|request| {
            let key = request.headers().get("x-api-key")?.to_str().ok()?;
            Some(key.strip_prefix("key-of-")?.to_owned())
        })
    });
    let spans = kept(
        &service,
        &[
            (OK, &[UNTRUSTED, ("x-api-key", "key-of-acme")]),
            (
                OK,
                &[("x-tenant-id", "acme"), ("x-api-key", "key-of-initech")],
            ),
            (OK, &[("x-tenant-id", "globex-us")]),
        ],
    )
    .await;
    assert_eq!(tenants(&spans), ["acme", "globex-us"]);
}

#[actix_web::test]
async fn failed_requests_of_the_rest_are_kept_with_their_tenant() {
    let service = service(Tenants::from_header("x-tenant-id"), |tracing| tracing);
    let failing = "/tenants/initech/fail";
    let spans = kept(
        &service,
        &[
            (OK, &[("x-tenant-id", "initech")]),
            (failing, &[("x-tenant-id", "initech")]),
            (failing, &[]),
        ],
    )
    .await;
    assert_eq!(tenants(&spans), ["initech", "nobody"]);
    for server in spans.iter().filter(|span| span.name.starts_with("GET")) {
        assert_eq!(server.tag("sampling.reason"), Some("error".into()));
        assert_eq!(server.tag("sampling.tier"), Some("default".into()));
    }
}

#[actix_web::test]
async fn traces_that_a_caller_samples_are_kept_in_each_tier() {
    let service = service(Tenants::from_tag(), |tracing| tracing);
    let traced = ("traceparent", TRACEPARENT);
    let spans = kept(
        &service,
        &[
            (OK, &[traced, ("x-user", "jo@initech")]),
            (OK, &[traced, UNTRUSTED, ("x-user", "jo@initech")]),
        ],
    )
    .await;
    assert_eq!(tenants(&spans), ["initech"]);
    assert_eq!(
        spans.server().tag("sampling.reason"),
        Some("parent".into()),
        "the untrusted one decides nothing"
    );
}
