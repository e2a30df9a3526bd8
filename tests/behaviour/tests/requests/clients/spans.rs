//! What a CLIENT span says of a request and how it ended.

use std::time::Duration;

use behaviour::{Instance, Reserved, TRACEPARENT, is_child};
use biztrace::client::ClientTracing;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use reqwest::Method;

use super::{ALL, By, Call, callee, caller, raw_server, span_of};

fn port_of(url: &str) -> i64 {
    let port = url.split(['/', ':']).nth(4).unwrap();
    port.parse().unwrap()
}

#[actix_web::test]
async fn a_trace_goes_on_in_the_service_that_is_called() {
    for by in ALL {
        let callee = callee();
        let url = callee.url("/orders/7?full=1");
        let tracing = ClientTracing::default().url_template("/orders/{id}");
        let call = Call::get(&url).tracing(tracing);
        let caller = caller(Instance::default(), by, call);
        let answer = caller.get_traced("/calls", TRACEPARENT).await;
        assert_eq!(answer, (200, "order 7".into()), "{by:?}");

        let (outer, inner) = (caller.spans(2).await, callee.spans(1).await);
        let span = outer.client();
        assert!(is_child(span, outer.server()), "{by:?}");
        assert!(is_child(inner.server(), span), "{by:?}");
        assert_eq!(span.trace(), &TRACEPARENT[3..35]);
        assert_eq!(span.name, "GET /orders/{id}");
        for (key, value) in [
            ("http.request.method", "GET".into()),
            ("server.address", "127.0.0.1".into()),
            ("server.port", port_of(&url).into()),
            ("url.full", url.clone().into()),
            ("url.template", "/orders/{id}".into()),
            ("http.response.status_code", 200.into()),
            ("network.protocol.version", "1.1".into()),
        ] {
            assert_eq!(span.tag(key), Some(value), "{by:?}: {key}");
        }
        assert_eq!(span.attributes.len(), 7, "{by:?}: {:?}", span.attributes);
        assert_eq!(span.outcome(), (StatusCode::Unset, ""));
    }
}

#[actix_web::test]
async fn an_answer_of_4xx_or_5xx_is_an_error() {
    let callee = callee();
    for by in ALL {
        for (path, code, error_type) in [
            ("/status/204", 204, None),
            ("/status/304", 304, None),
            ("/status/404", 404, Some("404")),
            ("/status/408", 408, Some("408")),
            ("/status/503", 503, Some("503")),
            ("/status/504", 504, Some("504")),
            ("/moved", 204, None),
        ] {
            let url = callee.url(path);
            let span = span_of(by, Call::get(&url)).await;
            assert_eq!(span.name, "GET", "{by:?} {path}");
            assert_eq!(span.tag("url.full"), Some(url.into()), "{by:?} {path}");
            assert_eq!(span.tag("http.response.status_code"), Some(code.into()));
            assert_eq!(span.tag("error.type"), error_type.map(Into::into));
            let status = match error_type {
                Some(_) => StatusCode::Error,
                None => StatusCode::Unset,
            };
            assert_eq!(span.outcome(), (status, ""), "{by:?} {path}");
            // It came in time.
            assert_eq!(span.tag("biztrace.outcome"), None, "{by:?} {path}");
        }
    }
}

#[actix_web::test]
async fn a_request_without_an_answer_is_an_error_with_a_word_for_it() {
    let callee = callee();
    let nobody = Reserved::default();
    for by in ALL {
        let slow = Call {
            timeout: Duration::from_millis(50),
            ..Call::get(callee.url("/never"))
        };
        let garbage = raw_server(b"no HTTP\r\n\r\n").await;
        for (call, error_type, outcome) in [
            (slow, "timeout", Some("timed_out")),
            (Call::get(nobody.url()), "connect", None),
            (Call::get("http://no.such.host.invalid/"), "dns", None),
            (
                Call::get(&garbage),
                if by == By::Awc { "response" } else { "request" },
                None,
            ),
        ] {
            let url = call.url.clone();
            let span = span_of(by, call).await;
            assert_eq!(
                span.tag("error.type"),
                Some(error_type.into()),
                "{by:?} {url}"
            );
            assert_eq!(span.outcome(), (StatusCode::Error, ""), "{by:?} {url}");
            assert_eq!(span.tag("http.response.status_code"), None);
            assert_eq!(span.tag("biztrace.outcome"), outcome.map(Into::into));
        }
    }
}

#[actix_web::test]
async fn a_request_that_is_given_up_is_cancelled_and_no_error() {
    let callee = callee();
    for by in ALL {
        let instance = Instance::default();
        let call = Call::get(callee.url("/never")).send(by);
        let given_up = tokio::time::timeout(Duration::from_millis(50), call);
        assert!(instance.under_root(given_up).await.is_err());
        let spans = instance.spans(2).await;
        let span = spans.client();
        assert_eq!(span.tag("biztrace.outcome"), Some("cancelled".into()));
        assert_eq!(span.outcome(), (StatusCode::Unset, ""), "{by:?}");
        assert_eq!(span.tag("error.type"), None);
    }
}

#[actix_web::test]
async fn secrets_in_a_url_are_not_recorded() {
    let callee = callee();
    for by in ALL {
        let url = callee.url("/status/200?sig=s3cret&to=b@rlin#part");
        let span = span_of(by, Call::get(url.replace("//", "//me:s3cret@"))).await;
        let shown = span.tag("url.full").unwrap().to_string();
        assert!(shown.contains("?sig=REDACTED&to=b@rlin"), "{by:?} {shown}");
        assert!(!format!("{span:?}").contains("s3cret"), "{by:?} {shown}");
        // reqwest has moved them to a header by then.
        assert_eq!(shown.contains("//REDACTED:REDACTED@"), by == By::Awc);
        assert_eq!(span.tag("server.address"), Some("127.0.0.1".into()));
    }
}

#[actix_web::test]
async fn a_query_may_be_left_out() {
    let callee = callee();
    for by in ALL {
        let call = Call::get(callee.url("/status/200?email=ada@example.com"));
        let span = span_of(by, call.tracing(ClientTracing::default().without_query())).await;
        assert_eq!(
            span.tag("url.full"),
            Some(callee.url("/status/200").into()),
            "{by:?}"
        );
    }
}

#[actix_web::test]
async fn a_long_url_is_cut() {
    let callee = callee();
    for by in ALL {
        let url = callee.url(&format!("/status/200?{}", "a".repeat(5000)));
        let span = span_of(by, Call::get(&url)).await;
        assert_eq!(span.tag("url.full"), Some(url[..2048].to_owned().into()));
    }
}

#[actix_web::test]
async fn unknown_method_is_recorded_as_other() {
    let callee = callee();
    for by in ALL {
        let call = Call {
            method: Method::from_bytes(b"PURGE").unwrap(),
            ..Call::get(callee.url("/orders/7"))
        };
        let span = span_of(by, call).await;
        assert_eq!(span.name, "HTTP", "{by:?}");
        assert_eq!(span.tag("http.request.method"), Some("_OTHER".into()));
        assert_eq!(
            span.tag("http.request.method_original"),
            Some("PURGE".into())
        );
    }
}
