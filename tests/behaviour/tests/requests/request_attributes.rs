//! What a SERVER span records of a request when it is asked to, and what never.

use actix_web::http::{Method, header};
use actix_web::{App, HttpResponse, web};
use behaviour::{Instance, Service};

fn service(
    tracing: impl Fn(biztrace::actix::RequestTracing) -> biztrace::actix::RequestTracing
    + Send
    + Clone
    + 'static,
) -> Service {
    Service::recording_to(Instance::default(), move |middleware| {
        let route = |status: u16| {
            let status = actix_web::http::StatusCode::from_u16(status).expect("a status");
            web::get().to(move || async move {
                HttpResponse::build(status)
                    .insert_header(("x-cache", "hit"))
                    .finish()
            })
        };
        App::new()
            .wrap(tracing(middleware))
            .route("/", route(200))
            .route("/slow", route(504))
    })
}

#[actix_web::test]
async fn a_query_is_recorded_without_what_signs_it() {
    let service = service(|tracing| tracing);
    service
        .get("/?color=red&X-Amz-Signature=s3cret&sig=s3cret")
        .await;
    let spans = service.spans(1).await;
    let redacted = "color=red&X-Amz-Signature=REDACTED&sig=REDACTED";
    assert_eq!(spans[0].tag("url.query"), Some(redacted.into()));
    assert_eq!(spans[0].name, "GET /");
}

#[actix_web::test]
async fn a_query_may_be_left_out_and_none_is_none() {
    let without = service(|tracing| tracing.without_query());
    without.get("/?color=red").await;
    assert_eq!(without.spans(1).await[0].tag("url.query"), None);
    let with = service(|tracing| tracing);
    with.get("/?").await;
    assert_eq!(with.spans(1).await[0].tag("url.query"), None);
}

#[actix_web::test]
async fn headers_are_recorded_that_are_listed() {
    let service = service(|tracing| {
        tracing
            .request_headers([header::ACCEPT, header::ACCEPT_LANGUAGE])
            .response_headers([header::HeaderName::from_static("x-cache")])
    });
    let request = service.request(Method::GET.as_str().parse().unwrap(), "/");
    let request = request
        .header("accept", "text/html")
        .header("accept", "text/plain")
        .header("authorization", "Bearer s3cret");
    request.send().await.unwrap();
    let spans = service.spans(1).await;
    let span = &spans[0];
    let accepted = format!("{:?}", span.tag("http.request.header.accept"));
    assert!(
        accepted.contains("text/html") && accepted.contains("text/plain"),
        "{accepted}"
    );
    assert_eq!(span.tag("http.request.header.accept-language"), None);
    let cache = format!("{:?}", span.tag("http.response.header.x-cache"));
    assert!(cache.contains("hit"), "{cache}");
    assert!(!format!("{span:?}").contains("s3cret"));
}

#[actix_web::test]
async fn request_that_took_too_long_is_marked() {
    let service = service(|tracing| tracing);
    service.get("/slow").await;
    let spans = service.spans(1).await;
    assert_eq!(spans[0].tag("biztrace.outcome"), Some("timed_out".into()));
    assert_eq!(spans[0].tag("error.type"), Some("504".into()));
}
