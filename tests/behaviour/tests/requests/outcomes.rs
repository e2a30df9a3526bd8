//! How requests end that do not end well: once, with the outcome that they had.

use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use actix_web::body::MessageBody;
use actix_web::dev::{Service as _, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpServer, error, get, web};
use behaviour::{Service, Span, eventually, is_child};
use biztrace::{traced, traced_handler};
use futures_util::FutureExt;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use tokio::net::TcpStream;

/// Counts the handlers that are at work.
#[derive(Clone, Default)]
struct AtWork(Arc<AtomicUsize>);

impl AtWork {
    async fn wait(&self) {
        eventually("a handler at work", || self.0.load(Ordering::SeqCst) > 0).await;
    }
}

/// Makes a span when it is dropped.
struct Cleanup;

impl Drop for Cleanup {
    fn drop(&mut self) {
        clean_up();
    }
}

#[traced]
fn clean_up() {}

/// Answers at once to `?now`, else never.
#[get("/orders/{id}")]
#[traced_handler]
async fn order(request: actix_web::HttpRequest, at_work: web::Data<AtWork>) -> &'static str {
    if request.query_string() != "now" {
        at_work.0.fetch_add(1, Ordering::SeqCst);
        let _cleanup = Cleanup;
        never().await;
    }
    "done"
}

/// The same without the request among its arguments.
#[get("/carts/{id}")]
#[traced_handler]
async fn cart(id: web::Path<u64>, at_work: web::Data<AtWork>) -> &'static str {
    if *id != 0 {
        at_work.0.fetch_add(1, Ordering::SeqCst);
        never().await;
    }
    "done"
}

#[traced]
async fn never() {
    pending().await
}

#[get("/panics/{when}")]
#[traced_handler]
async fn panics(when: web::Path<String>) -> &'static str {
    let _cleanup = Cleanup;
    match when.as_str() {
        "at-once" => panic!("at once"),
        "later" => {
            tokio::task::yield_now().await;
            panic!("later")
        }
        "below" => panics_below().await,
        _ => "calm",
    }
}

#[traced]
async fn panics_below() -> &'static str {
    tokio::task::yield_now().await;
    panic!("below")
}

#[get("/contained")]
#[traced_handler]
async fn contained() -> &'static str {
    let result = AssertUnwindSafe(panics_below()).catch_unwind().await;
    result.unwrap_or("contained")
}

fn service() -> (Service, AtWork) {
    let at_work = AtWork::default();
    let data = at_work.clone();
    let service = Service::start(move |tracing| {
        let data = web::Data::new(data.clone());
        App::new()
            .wrap(tracing)
            .app_data(data)
            .service((order, cart, panics, contained))
    });
    (service, at_work)
}

/// Closes a connection by a reset: the server learns of it at once, while a mere FIN means that no more is sent.
fn reset(connection: &TcpStream) {
    connection
        .set_zero_linger()
        .expect("a socket takes options");
}

async fn abandon(service: &Service, at_work: &AtWork, path: &str) {
    let connection = service
        .send(&format!("GET {path} HTTP/1.1\r\nhost: shop\r\n\r\n"))
        .await;
    at_work.wait().await;
    reset(&connection);
    drop(connection);
}

fn assert_cancelled(span: &Span) {
    assert_eq!(
        span.tag("biztrace.outcome"),
        Some("cancelled".into()),
        "{}",
        span.name
    );
    assert_eq!(
        span.outcome(),
        (StatusCode::Unset, ""),
        "to cancel is no error"
    );
    assert_eq!(span.tag("error.type"), None);
    assert_eq!(span.tag("http.response.status_code"), None, "none was sent");
}

fn assert_panicked(span: &Span) {
    assert_eq!(
        span.tag("biztrace.outcome"),
        Some("panicked".into()),
        "{}",
        span.name
    );
    assert_eq!(
        span.tag("error.type"),
        Some("panic".into()),
        "{}",
        span.name
    );
    assert_eq!(span.outcome(), (StatusCode::Error, ""), "{}", span.name);
}

#[actix_web::test]
async fn a_client_that_goes_away_cancels_its_request() {
    let (service, at_work) = service();
    abandon(&service, &at_work, "/orders/7").await;
    let spans = service.spans(3).await;
    let server = spans.server();
    assert_cancelled(server);
    assert_eq!(
        server.name, "GET /orders/{id}",
        "the handler has the request, and it the route"
    );
    assert_cancelled(spans.named("never"));
    assert!(is_child(spans.named("never"), server));
    assert!(
        is_child(spans.named("clean_up"), server),
        "what is dropped then is dropped in the span"
    );
}

#[actix_web::test]
async fn cancelled_request_has_a_route_without_a_request_argument() {
    let (service, at_work) = service();
    assert_eq!(service.get("/carts/0").await.0, 200);
    abandon(&service, &at_work, "/carts/7").await;
    let spans = service.spans(3).await;
    let is_cancelled =
        |span: &&Span| span.tag("biztrace.outcome").is_some() && span.name != "never";
    let cancelled = spans.iter().find(is_cancelled).expect("one was cancelled");
    assert_cancelled(cancelled);
    assert_eq!(cancelled.name, "GET /carts/{id}");
    assert_eq!(cancelled.tag("http.route"), Some("/carts/{id}".into()));
}

#[actix_web::test]
async fn a_client_that_only_stops_sending_still_gets_its_answer() {
    let (service, _) = service();
    let mut connection = service
        .send("GET /orders/7?now HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")
        .await;
    tokio::io::AsyncWriteExt::shutdown(&mut connection)
        .await
        .unwrap();
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut connection, &mut answer)
        .await
        .unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    let spans = service.spans(1).await;
    assert_eq!(spans.server().tag("biztrace.outcome"), None);
}

#[actix_web::test]
async fn a_panic_ends_the_spans_around_it_and_the_server_goes_on() {
    for (path, children) in [("at-once", 1), ("later", 1), ("below", 2)] {
        let (service, _) = service();
        let request = service.request(reqwest::Method::GET, &format!("/panics/{path}"));
        assert!(
            request.send().await.is_err(),
            "actix hangs up where a handler panics"
        );
        assert_eq!(service.get("/panics/not").await, (200, "calm".into()));
        let spans = service.spans(1 + children + 2).await;

        let panicked: Vec<_> = spans
            .iter()
            .filter(|span| span.tag("biztrace.outcome").is_some())
            .collect();
        assert_eq!(
            panicked.len() as u64,
            children,
            "{path}: the request's span, and that of what panicked below"
        );
        panicked.iter().for_each(|span| assert_panicked(span));
        let server = panicked
            .iter()
            .find(|span| span.tag("url.path").is_some())
            .expect("a SERVER span");
        assert_eq!(
            server.tag("http.response.status_code"),
            None,
            "none was sent"
        );
        let clean_up = spans
            .iter()
            .find(|span| span.name == "clean_up" && is_child(span, server));
        assert!(
            clean_up.is_some(),
            "what is dropped by the panic is dropped in the span"
        );
    }
}

#[actix_web::test]
async fn caught_panic_ends_the_spans_below_its_catch() {
    let (service, _) = service();
    assert_eq!(service.get("/contained").await, (200, "contained".into()));
    let spans = service.spans(2).await;
    assert_panicked(spans.named("panics_below"));
    assert_eq!(spans.server().outcome(), (StatusCode::Unset, ""));
    assert_eq!(spans.server().tag("biztrace.outcome"), None);
}

async fn catch_panics(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    response.unwrap_or_else(|_| Err(error::ErrorInternalServerError("caught")))
}

#[actix_web::test]
async fn panic_turned_into_a_response_is_a_server_error() {
    let service = Service::start(|tracing| {
        App::new()
            .service(panics)
            .wrap(from_fn(catch_panics))
            .wrap(tracing)
    });
    assert_eq!(service.get("/panics/later").await, (500, "caught".into()));
    let spans = service.spans(2).await;
    let server = spans.server();
    assert_eq!(server.outcome(), (StatusCode::Error, ""));
    assert_eq!(server.tag("http.response.status_code"), Some(500.into()));
}

#[actix_web::test]
async fn panic_caught_by_an_outer_middleware_is_recorded_as_one() {
    let service = Service::start(|tracing| {
        App::new()
            .service(panics)
            .wrap(tracing)
            .wrap(from_fn(catch_panics))
    });
    assert_eq!(service.get("/panics/later").await, (500, "caught".into()));
    let spans = service.spans(2).await;
    assert_panicked(spans.server());
}

#[actix_web::test]
async fn a_panic_in_the_call_of_an_inner_middleware_ends_the_span() {
    let service = Service::start(|tracing| {
        App::new()
            .service(panics)
            .wrap_fn(|request, inner| {
                assert!(request.query_string() != "panic", "in the synchronous part");
                inner.call(request)
            })
            .wrap(tracing)
    });
    let request = service.request(reqwest::Method::GET, "/panics/not?panic");
    assert!(request.send().await.is_err());
    assert_eq!(service.get("/panics/not").await.0, 200);
    let spans = service.spans(3).await;
    let has_failed = |span: &&Span| span.tag("biztrace.outcome").is_some();
    let panicked = spans.iter().find(has_failed).expect("one has panicked");
    assert_panicked(panicked);
    assert_eq!(panicked.name, "GET /panics/{when}");
}

#[actix_web::test]
async fn future_dropped_by_a_handler_is_cancelled_alone() {
    let service = Service::start(|tracing| {
        App::new().wrap(tracing).route(
            "/",
            web::get().to(|| async {
                let mut never = Box::pin(never());
                poll_fn(|cx| {
                    assert!(never.poll_unpin(cx).is_pending());
                    Poll::Ready(())
                })
                .await;
                drop(never);
                "done"
            }),
        )
    });
    assert_eq!(service.get("/").await, (200, "done".into()));
    let spans = service.spans(2).await;
    assert_cancelled(spans.named("never"));
    assert!(is_child(spans.named("never"), spans.server()));
    assert_eq!(spans.server().tag("biztrace.outcome"), None);
}

#[actix_web::test]
async fn a_server_that_stops_ends_the_spans_of_its_pending_requests() {
    let at_work = AtWork::default();
    let instance = behaviour::Instance::default();
    let (tracing, data) = (instance.tracing(), at_work.clone());
    let server = HttpServer::new(move || {
        App::new()
            .wrap(tracing.clone())
            .app_data(web::Data::new(data.clone()))
            .service(order)
    });
    let server = server
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    actix_web::rt::spawn(server);

    let mut connection = TcpStream::connect(address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut connection,
        b"GET /orders/7 HTTP/1.1\r\nhost: shop\r\n\r\n",
    )
    .await
    .unwrap();
    at_work.wait().await;
    handle.stop(false).await;
    let spans = instance.spans(3).await;
    assert_cancelled(spans.server());
}
