//! Requests that are sent several times: each attempt has a span.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::{App, HttpRequest, HttpResponse, post, web};
use async_trait::async_trait;
use behaviour::{Instance, Service, is_child};
use biztrace::client::ClientTracing;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

use super::{By, Call, callee, span_of};

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
async fn each_attempt_has_a_span_with_its_resend_count() {
    let asked = web::Data::new(AtomicUsize::new(0));
    let callee = Service::start(move |tracing| {
        let asked = asked.clone();
        App::new().wrap(tracing).app_data(asked).service(flaky)
    });
    let instance = Instance::default();
    let client = ClientBuilder::new(reqwest::Client::new());
    let client = client.with(Retry).with(ClientTracing::default()).build();
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
        let span = span_of(by, again.tracing(ClientTracing::default().resend_count(1))).await;
        assert_eq!(span.tag("http.request.resend_count"), Some(1.into()));
    }
}
