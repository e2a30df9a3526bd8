//! The SERVER span lasts until the response's body has ended, and says how that ended.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody, SizedStream};
use actix_web::http::header;
use actix_web::middleware::Compress;
use actix_web::test::{TestRequest, call_and_read_body, init_service};
use actix_web::web::Bytes;
use actix_web::{App, Error, HttpResponse, get, web};
use behaviour::{Service, is_child};
use biztrace::actix::RequestTracing;
use biztrace::testing::Capture;
use biztrace::traced;
use futures_util::{StreamExt, stream};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tokio::io::AsyncReadExt;

const UNSAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

const PAUSE: Duration = Duration::from_millis(60);

#[traced]
fn write_chunk() -> Result<Bytes, io::Error> {
    Ok(Bytes::from_static(b"chunk "))
}

struct Cleanup;

impl Drop for Cleanup {
    fn drop(&mut self) {
        clean_up();
    }
}

#[traced]
fn clean_up() {}

/// One chunk at once, then what `last` says.
fn streaming<F>(last: impl FnOnce() -> F + 'static) -> HttpResponse
where
    F: Future<Output = Result<Bytes, io::Error>> + 'static,
{
    let first = stream::once(async { write_chunk() });
    HttpResponse::Ok().streaming(first.chain(stream::once(async { last().await })))
}

#[get("/completes")]
async fn completes() -> HttpResponse {
    streaming(|| async {
        tokio::time::sleep(PAUSE).await;
        write_chunk()
    })
}

#[get("/breaks")]
async fn breaks() -> HttpResponse {
    streaming(|| async { Err(io::Error::other("secret details")) })
}

#[get("/panics")]
async fn panics() -> HttpResponse {
    streaming(|| async { panic!("in the body") })
}

/// Its end is followed by a drop that makes a span.
#[get("/cleans-up")]
async fn cleans_up() -> HttpResponse {
    let cleanup = Cleanup;
    let chunks = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"chunk "))]);
    HttpResponse::Ok().streaming(chunks.inspect(move |_| {
        let _ = &cleanup;
    }))
}

#[get("/endless")]
async fn endless() -> HttpResponse {
    let cleanup = Cleanup;
    streaming(|| async move {
        let _cleanup = cleanup;
        std::future::pending().await
    })
}

#[get("/short")]
async fn short() -> HttpResponse {
    let chunks = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"chunk "))]);
    HttpResponse::Ok().body(SizedStream::new(7, chunks))
}

#[get("/plain")]
async fn plain() -> String {
    "plain ".repeat(1000)
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .service((completes, breaks, cleans_up, panics, endless, short, plain))
        .route(
            "/completes",
            web::head().to(|| async { streaming(|| async { write_chunk() }) }),
        );
}

fn service() -> Service {
    Service::start(|tracing| App::new().wrap(tracing).configure(routes))
}

#[actix_web::test]
async fn a_stream_that_completes_is_part_of_its_request() {
    let service = service();
    assert_eq!(
        service.get("/completes").await,
        (200, "chunk chunk ".into())
    );
    let spans = service.spans(3).await;
    let server = spans.server();
    let lasted = Duration::from_nanos(server.end_time_unix_nano - server.start_time_unix_nano);
    assert!(lasted >= PAUSE, "{lasted:?}");
    assert_eq!(
        (server.outcome(), server.tag("biztrace.outcome")),
        ((StatusCode::Unset, ""), None)
    );
    let chunks: Vec<_> = spans
        .iter()
        .filter(|span| span.name == "write_chunk")
        .collect();
    assert_eq!(chunks.len(), 2);
    assert!(
        chunks.iter().all(|chunk| is_child(chunk, server)),
        "the stream runs in the span's scope"
    );
}

#[actix_web::test]
async fn a_stream_that_nobody_asks_for_completes_with_its_head() {
    let service = service();
    let response = service
        .request(reqwest::Method::HEAD, "/completes")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let spans = service.spans(1).await;
    assert_eq!(spans[0].tag("biztrace.outcome"), None);
}

/// Whether all of the answer arrives. What comes before a break may or may not.
async fn is_whole(service: &Service, path: &str) -> bool {
    match service.request(reqwest::Method::GET, path).send().await {
        Ok(response) => response.bytes().await.is_ok(),
        Err(_) => false,
    }
}

#[actix_web::test]
async fn a_stream_that_breaks_is_an_error() {
    let service = service();
    assert!(!is_whole(&service, "/breaks").await);
    let spans = service.spans(2).await;
    let server = spans.server();
    assert_eq!(server.outcome().0, StatusCode::Error);
    assert!(server.tag("error.type").is_some());
    assert_eq!(
        server.tag("http.response.status_code"),
        Some(200.into()),
        "the head had been sent"
    );
    assert!(!format!("{server:?}").contains("secret details"));
}

#[actix_web::test]
async fn a_stream_that_is_shorter_than_it_says_is_an_error() {
    let service = service();
    assert!(!is_whole(&service, "/short").await);
    let spans = service.spans(1).await;
    assert_eq!(spans[0].outcome(), (StatusCode::Error, ""));
    assert_eq!(spans[0].tag("error.type"), Some("incomplete_body".into()));
}

#[actix_web::test]
async fn a_stream_that_panics_is_a_panic_of_its_request() {
    let service = service();
    assert!(!is_whole(&service, "/panics").await);
    let spans = service.spans(2).await;
    let server = spans.server();
    assert_eq!(server.tag("biztrace.outcome"), Some("panicked".into()));
    assert_eq!(server.tag("error.type"), Some("panic".into()));
    assert_eq!(server.outcome(), (StatusCode::Error, ""));
}

#[actix_web::test]
async fn a_stream_that_its_client_abandons_is_cancelled() {
    let service = service();
    let mut connection = service
        .send("GET /endless HTTP/1.1\r\nhost: shop\r\n\r\n")
        .await;
    let mut start = [0; 256];
    let mut read = 0;
    while !start[..read].ends_with(b"chunk \r\n") {
        read += connection.read(&mut start[read..]).await.unwrap();
    }
    connection.set_zero_linger().unwrap();
    drop(connection);

    let spans = service.spans(3).await;
    let server = spans.server();
    assert_eq!(server.tag("biztrace.outcome"), Some("cancelled".into()));
    assert_eq!(
        (server.outcome(), server.tag("error.type")),
        ((StatusCode::Unset, ""), None)
    );
    assert_eq!(server.tag("http.response.status_code"), Some(200.into()));
    assert_eq!(server.tag("http.route"), Some("/endless".into()));
    assert!(
        is_child(spans.named("clean_up"), server),
        "the stream is dropped in the span's scope"
    );
}

#[actix_web::test]
async fn a_stream_that_has_ended_is_dropped_within_its_request() {
    let service = service();
    assert_eq!(service.get("/cleans-up").await.0, 200);
    let spans = service.spans(2).await;
    assert!(is_child(spans.named("clean_up"), spans.server()));
}

#[actix_web::test]
async fn dropped_stream_of_an_unsampled_request_starts_no_trace() {
    // The caller's decision counts, and without a caller all is kept: what is dropped late would be.
    let service = service();
    let (status, _) = service.get_traced("/cleans-up", UNSAMPLED).await;
    assert_eq!(status, 200);
    let spans = service.spans(0).await;
    assert_eq!(spans.iter().count(), 0);
}

#[actix_web::test]
async fn the_size_of_a_body_is_told_as_without_tracing() {
    let service = service();
    for (path, length) in [("/plain", Some("6000")), ("/completes", None)] {
        let response = service
            .request(reqwest::Method::GET, path)
            .send()
            .await
            .unwrap();
        let told = response
            .headers()
            .get("content-length")
            .map(|length| length.to_str().unwrap());
        assert_eq!(told, length, "{path}");
        response.bytes().await.unwrap();
    }
    service.spans(4).await;
}

#[actix_web::test]
async fn compression_works_on_either_side() {
    let inside = Service::start(|tracing| {
        App::new()
            .configure(routes)
            .wrap(Compress::default())
            .wrap(tracing)
    });
    let outside = Service::start(|tracing| {
        App::new()
            .configure(routes)
            .wrap(tracing)
            .wrap(Compress::default())
    });
    for service in [inside, outside] {
        for (path, children) in [("/plain", 0), ("/completes", 2)] {
            let before = service.instance.telemetry.report().recorded;
            let request = service
                .request(reqwest::Method::GET, path)
                .header("accept-encoding", "gzip");
            let response = request.send().await.unwrap();
            assert_eq!(
                response.headers()[header::CONTENT_ENCODING.as_str()],
                "gzip"
            );
            let body = response.bytes().await.unwrap();
            assert!(
                body.starts_with(&[0x1f, 0x8b]) && body.len() < 6000,
                "{path}"
            );
            behaviour::eventually("the spans", || {
                service.instance.telemetry.report().recorded == before + 1 + children
            })
            .await;
        }
        for span in service.spans(4).await.iter() {
            assert_eq!(
                (span.outcome(), span.tag("biztrace.outcome")),
                ((StatusCode::Unset, ""), None),
                "{}",
                span.name
            );
        }
    }
}

/// A stream that makes a span for each of its two chunks.
struct Chunks(usize);

#[traced]
fn chunk() -> Bytes {
    Bytes::from_static(b"chunk")
}

impl MessageBody for Chunks {
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        let left = self.0.checked_sub(1);
        Poll::Ready(left.map(|left| {
            self.0 = left;
            Ok(chunk())
        }))
    }
}

#[actix_web::test]
async fn body_of_an_unrecorded_request_is_not_recorded() {
    let capture = Capture::new();
    let unsampled = (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    );
    capture
        .scope(async {
            let stream = || web::get().to(|| async { HttpResponse::Ok().body(Chunks(2)) });
            let app = App::new().wrap(RequestTracing::default());
            let app = init_service(app.route("/health", stream()).route("/stream", stream())).await;
            for request in [
                TestRequest::with_uri("/health"),
                TestRequest::with_uri("/stream").insert_header(unsampled),
                TestRequest::with_uri("/stream"),
            ] {
                call_and_read_body(&app, request.to_request()).await;
            }
        })
        .await;
    let spans = capture.spans();
    let names: Vec<_> = spans.iter().map(|span| span.name()).collect();
    assert_eq!(names, ["chunk", "chunk", "GET /stream"]);
}
