//! When actix-web drops a handler whose client has hung up, and what the span says: docs/guide/cancellation.md tells it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, get, rt, web};
use behaviour::{Instance, Span, eventually};
use biztrace::traced_handler;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use opentelemetry::Value;
use reqwest::Client;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

/// What a handler and its test tell each other.
#[derive(Default)]
struct Shared {
    is_at_work: AtomicBool,
    is_dropped: AtomicBool,
    go_on: Notify,
}

/// Notes that the handler is dropped before its end.
struct Guard {
    shared: Arc<Shared>,
    is_done: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.shared
            .is_dropped
            .store(!self.is_done, Ordering::SeqCst);
    }
}

async fn work(shared: &Arc<Shared>) {
    let mut guard = Guard {
        shared: Arc::clone(shared),
        is_done: false,
    };
    shared.is_at_work.store(true, Ordering::SeqCst);
    shared.go_on.notified().await;
    guard.is_done = true;
}

#[get("/works")]
#[traced_handler]
async fn works(_request: HttpRequest, shared: web::Data<Shared>) -> &'static str {
    work(&shared).await;
    "done"
}

/// The same in the midst of its body.
#[get("/streams")]
#[traced_handler]
async fn streams(_request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    let first = stream::once(async { Ok::<_, actix_web::Error>(web::Bytes::from("first")) });
    let shared = shared.into_inner();
    let second = stream::once(async move {
        work(&shared).await;
        Ok(web::Bytes::from("second"))
    });
    let body: BoxStream<'static, _> = first.chain(second).boxed();
    HttpResponse::Ok().streaming(body)
}

#[derive(Debug, Clone, Copy)]
enum Way {
    /// `close`: no more is sent, and what comes is not read.
    Fin,
    /// `SO_LINGER` of 0.
    Reset,
    /// HTTP/2, of this one request.
    ResetStream,
    /// HTTP/2, of all.
    CloseHttp2,
}

async fn ask(way: Way, address: SocketAddr, path: &str, shared: &Shared) {
    let at_work = || shared.is_at_work.load(Ordering::SeqCst);
    if let Way::ResetStream | Way::CloseHttp2 = way {
        let client = Client::builder().http2_prior_knowledge().build().unwrap();
        let request = client.get(format!("http://{address}{path}"));
        let request = rt::spawn(async move { request.send().await.unwrap().text().await });
        eventually("a handler at work", at_work).await;
        if let Way::CloseHttp2 = way {
            drop(client);
        } else {
            // The connection stays for a while.
            rt::spawn(async move {
                tokio::time::sleep(Duration::from_secs(5)).await;
                drop(client);
            });
        }
        request.abort();
        return;
    }
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: shop\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    eventually("a handler at work", at_work).await;
    match way {
        Way::Reset => connection.set_zero_linger().unwrap(),
        _ => connection.shutdown().await.unwrap(),
    }
}

/// What becomes of a request: whether it is dropped at its work, and its span.
async fn hang_up(way: Way, path: &str, half_closed: bool) -> (bool, Span) {
    let instance = Instance::default();
    let (tracing, shared) = (instance.tracing(), web::Data::new(Shared::default()));
    let data = shared.clone();
    let server = HttpServer::new(move || {
        App::new()
            .wrap(tracing.clone())
            .app_data(data.clone())
            .service((works, streams))
    })
    .workers(1)
    .disable_signals()
    .h1_allow_half_closed(half_closed)
    .bind_auto_h2c("127.0.0.1:0")
    .unwrap();
    let address = server.addrs()[0];
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);
    ask(way, address, path, &shared).await;
    let has_ended = async {
        while instance.telemetry.report().recorded == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let _ = timeout(Duration::from_millis(300), has_ended).await;
    let is_dropped = shared.is_dropped.load(Ordering::SeqCst);
    shared.go_on.notify_one();
    let spans = instance.spans(1).await;
    drop(handle.stop(false));
    (is_dropped, spans.server().clone())
}

/// How the client hangs up, whether `h1_allow_half_closed` is on, whether the work is dropped, and whether the span is cancelled.
const ROWS: [(Way, bool, bool, bool); 6] = [
    (Way::Fin, true, false, false),
    (Way::Fin, false, true, true),
    (Way::Reset, true, true, true),
    (Way::Reset, false, true, true),
    // Each request has a task of its own, which asks for the client's wish when it has something to send.
    (Way::ResetStream, false, false, true),
    (Way::CloseHttp2, false, false, true),
];

async fn hold(path: &str, status_of_dropped: Option<Value>) {
    for (way, half_closed, is_dropped, is_cancelled) in ROWS {
        let (was_dropped, span) = hang_up(way, path, half_closed).await;
        let case = format!("{path}, {way:?}, half closed {half_closed}");
        assert_eq!(was_dropped, is_dropped, "{case}");
        let outcome = is_cancelled.then(|| Value::from("cancelled"));
        assert_eq!(span.tag("biztrace.outcome"), outcome, "{case}");
        let status = span.tag("http.response.status_code");
        let expected = if is_dropped {
            status_of_dropped.clone()
        } else {
            Some(Value::I64(200))
        };
        assert_eq!(status, expected, "{case}");
        assert_eq!(
            span.tag("error.type"),
            None,
            "to cancel is no error: {case}"
        );
    }
}

#[actix_web::test]
async fn a_handler_is_dropped_as_the_guide_says() {
    hold("/works", None).await;
}

#[actix_web::test]
async fn body_is_dropped_as_the_guide_says() {
    hold("/streams", Some(Value::I64(200))).await;
}
