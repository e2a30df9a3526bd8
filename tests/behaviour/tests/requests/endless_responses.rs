//! Responses without an end: what has ended below them is exported all the same, after `Limits::hold`.

use std::io;
use std::time::Duration;

use actix_web::web::{Bytes, Payload};
use actix_web::{App, HttpRequest, HttpResponse, get};
use behaviour::{Instance, Service, eventually, is_child};
use biztrace::opentelemetry::trace::FutureExt;
use biztrace::{traced, traced_handler};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[traced]
async fn subscribe() {}

#[traced]
async fn message() {}

/// Server-sent events, of which the second is long in coming.
#[get("/events")]
#[traced_handler]
async fn events() -> HttpResponse {
    subscribe().await;
    let event = || Ok::<_, io::Error>(Bytes::from_static(b"data: 1\n\n"));
    let second = async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        event()
    };
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .streaming(stream::once(async move { event() }).chain(stream::once(second)))
}

/// A WebSocket that answers each message, with a span for it.
#[get("/socket")]
#[traced_handler]
async fn socket(request: HttpRequest, body: Payload) -> actix_web::Result<HttpResponse> {
    subscribe().await;
    let (response, mut session, mut messages) = actix_ws::handle(&request, body)?;
    let answers = async move {
        while let Some(Ok(actix_ws::Message::Text(text))) = messages.next().await {
            message().await;
            if session.text(text).await.is_err() {
                return;
            }
        }
    };
    // The span of the request is current where the messages are answered.
    actix_web::rt::spawn(answers.with_current_context());
    Ok(response)
}

fn service() -> Service {
    let instance = Instance::new(|settings| {
        settings
            .schedule_delay(Duration::from_millis(20))
            .limits(|limits| limits.hold = Duration::from_millis(100))
    });
    Service::recording_to(instance, |tracing| {
        App::new().wrap(tracing).service(events).service(socket)
    })
}

#[actix_web::test]
async fn events_without_end_hold_back_no_span_that_has_ended() {
    let service = service();
    let mut connection = service
        .send("GET /events HTTP/1.1\r\nhost: shop\r\n\r\n")
        .await;
    eventually("the span below is delivered", || {
        service.instance.telemetry.report().delivered == 1
    })
    .await;
    assert_eq!(service.instance.receiver.spans().len(), 1);
    let mut answer = String::new();
    // It ends with the chunk of no bytes.
    while !answer.ends_with("0\r\n\r\n") {
        let mut bytes = [0; 512];
        let read = connection.read(&mut bytes).await.unwrap();
        answer.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
    }

    let spans = service.spans(2).await;
    let (server, subscribe) = (spans.server(), spans.named("subscribe"));
    assert!(is_child(subscribe, server));
    assert_eq!(server.tag("biztrace.outcome"), None, "it is whole");
}

#[actix_web::test]
async fn a_socket_exports_its_messages_while_it_is_open() {
    let service = service();
    let mut connection = service
        .send(
            "GET /socket HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
    let mut answer = [0; 512];
    let read = connection.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 101"));
    for _ in 0..3 {
        // "hi", masked with zeros.
        let text = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
        connection.write_all(&text).await.unwrap();
        let read = connection.read(&mut answer).await.unwrap();
        assert_eq!(&answer[..read], [0x81, 2, b'h', b'i']);
    }
    let arrived = || service.instance.receiver.spans().len();
    eventually("all that has ended has arrived", || arrived() == 4).await;
    connection
        .write_all(&[0x88, 0x80, 0, 0, 0, 0])
        .await
        .unwrap();
    drop(connection);
    let spans = service.spans(5).await;
    let server = spans.server();
    let below = spans.iter().filter(|span| is_child(span, server));
    assert_eq!(below.count(), 4);
    assert_eq!(server.tag("http.response.status_code"), Some(101.into()));
}
