//! Bodies of responses: a CLIENT span ends before the body or with it.

use behaviour::Instance;
use biztrace::client::{self, ClientTracing};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use reqwest::Method;

use super::{ALL, Call, callee, raw_server};

/// A response whose second chunk has no size.
const BROKEN: &[u8] =
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nso far\r\nno size\r\n";

#[actix_web::test]
async fn by_default_a_span_ends_with_the_head_of_the_response() {
    let broken = raw_server(BROKEN).await;
    for by in ALL {
        let instance = Instance::default();
        let call = Call::get(&broken);
        let head = instance.under_root(call.head(by)).await.unwrap();
        let spans = instance.spans(2).await;
        assert_eq!(spans.client().outcome(), (StatusCode::Unset, ""), "{by:?}");
        assert_eq!(head.body().await, None, "{by:?}: it breaks off");
    }
}

#[actix_web::test]
async fn a_span_may_last_until_the_end_of_the_body() {
    let callee = callee();
    let cases = [
        (callee.url("/orders/7"), Some("order 7")),
        (callee.url("/status/204"), Some("")),
        (raw_server(BROKEN).await, None),
    ];
    for by in ALL {
        for (url, expected) in &cases {
            let instance = Instance::default();
            let tracing = ClientTracing::default().until_body_end();
            let call = Call::get(url).tracing(tracing);
            let head = instance.under_root(call.head(by)).await.unwrap();
            if *expected != Some("") {
                assert_eq!(instance.telemetry.report().recorded, 1, "{by:?}: the root");
            }
            let body = head.body().await;
            assert_eq!(body.as_deref(), *expected, "{by:?} {url}");
            let spans = instance.spans(2).await;
            let span = spans.client();
            let (status, error_type) = match expected {
                Some(_) => (StatusCode::Unset, None),
                None => (StatusCode::Error, Some("body".into())),
            };
            assert_eq!(span.outcome(), (status, ""), "{by:?} {url}");
            assert_eq!(span.tag("error.type"), error_type, "{by:?} {url}");
            assert_eq!(span.tag("biztrace.outcome"), None, "{by:?} {url}");
        }
        let instance = Instance::default();
        let tracing = ClientTracing::default().until_body_end();
        let call = Call::get(callee.url("/orders/7")).tracing(tracing);
        drop(instance.under_root(call.head(by)).await);
        let spans = instance.spans(2).await;
        let span = spans.client();
        assert_eq!(span.tag("biztrace.outcome"), Some("cancelled".into()));
        assert_eq!(span.outcome(), (StatusCode::Unset, ""), "{by:?}");
    }
}

#[actix_web::test]
async fn a_response_whose_body_is_traced_is_the_same_response() {
    use client::reqwest::SendTraced;
    let callee = callee();
    let instance = Instance::default();
    let tracing = ClientTracing::default().until_body_end();
    let request = callee.request(Method::GET, "/orders/7");
    let traced = instance.under_root(request.send_traced_with(tracing));
    let traced = traced.await.unwrap();
    let plain = callee.request(Method::GET, "/orders/7");
    let plain = plain.send().await.unwrap();
    assert_eq!(traced.url(), plain.url());
    assert_eq!(traced.remote_addr(), plain.remote_addr());
    assert_eq!(traced.content_length(), plain.content_length());
    assert_eq!(traced.headers().len(), plain.headers().len());
}
