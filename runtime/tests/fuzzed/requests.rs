//! Reads bytes as a request, and has a service answer it.
//!
//! The first line is a method and a target. Each other line is a header: a digit for its name, then its value.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use actix_web::http::{Method, Uri, header::HeaderValue};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, web};
use biztrace::Telemetry;
use biztrace::actix::{RequestId, RequestTracing};
use biztrace::settings::Sampler;
use futures_executor::block_on;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

const NAMES: [&str; 10] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "host",
    "x-request-id",
    "user-agent",
    "traceparent",
    "tracestate",
    "baggage",
];

fn is_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Checks the attributes of exported spans.
#[derive(Debug)]
struct Judge;

impl SpanExporter for Judge {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        for span in &batch {
            for attribute in &span.attributes {
                let text = attribute.value.as_str();
                let is_right = match attribute.key.as_str() {
                    "client.address" => text.parse::<IpAddr>().is_ok(),
                    "server.port" => text.parse::<u16>().is_ok(),
                    "server.address" | "http.request.method" => !text.is_empty(),
                    "request.id" => is_id(&text),
                    "url.scheme" => text == "http" || text == "https",
                    // A `CONNECT` request has no path.
                    "url.path" => text.is_empty() || text == "*" || text.starts_with('/'),
                    "url.query" => text
                        .split('&')
                        .filter_map(|parameter| parameter.strip_prefix("sig="))
                        .all(|value| value == "REDACTED"),
                    _ => true,
                };
                assert!(is_right, "{attribute:?} in {span:?}");
            }
        }
        Ok(())
    }
}

fn request(text: &str) -> Option<TestRequest> {
    let mut lines = text.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let target = target.parse::<Uri>().ok()?;
    let mut request = TestRequest::default()
        .method(Method::from_bytes(method.as_bytes()).ok()?)
        .uri(&target.to_string())
        .peer_addr((Ipv4Addr::LOCALHOST, 4711).into());
    for line in lines {
        let Some((digit, value)) = line.split_at_checked(1) else {
            continue;
        };
        let name = digit.parse().ok().and_then(|at: usize| NAMES.get(at));
        if let (Some(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            request = request.append_header((*name, value));
        }
    }
    Some(request)
}

static TELEMETRY: LazyLock<Telemetry> = LazyLock::new(|| {
    Telemetry::builder()
        .sampler(Sampler::always_on())
        .span_exporter("judge", || Ok::<_, Infallible>(Judge))
        .build()
        .unwrap()
});

async fn answer(request: TestRequest) {
    let tracing = RequestTracing::default()
        .tracer_provider(TELEMETRY.tracer_provider())
        .trusted_proxies(["127.0.0.0/8", "10.0.0.0/8", "2001:db8::/32"])
        .unwrap()
        .client_address()
        .request_id()
        .trace_response()
        .baggage_tags(["tenant.id"]);
    let handler = web::to(async |id: RequestId| id.to_string());
    let app = App::new().default_service(handler).wrap(tracing);
    let app = init_service(app).await;
    let response = call_service(&app, request.to_request()).await;
    let id = response.headers().get("x-request-id").unwrap().clone();
    let body = read_body(response).await;
    assert!(is_id(id.to_str().unwrap()));
    assert_eq!(id.as_bytes(), body);
}

/// Answers the request that `bytes` encode, and exports its span.
///
/// # Panics
///
/// If the response or the span breaks a rule.
pub(crate) fn serve(bytes: &[u8]) {
    if let Some(request) = request(&String::from_utf8_lossy(bytes)) {
        block_on(answer(request));
        let report = TELEMETRY.force_flush_blocking();
        // A panic of `Judge` ends the thread of the exporter only. The spans are then not delivered.
        assert_eq!(report.recorded, report.delivered, "{report}");
    }
}
