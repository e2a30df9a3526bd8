//! Requests that a service sends: one CLIENT span each, and its context in the headers. Here are the ways to send them, a service
//! that sends and a service that is called.

mod attempts;
mod baggage;
mod bodies;
mod headers;
mod spans;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, get, web};
use behaviour::{Instance, Service, Span, is_child};
use biztrace::client::{self, ClientTracing};
use biztrace::traced_handler;
use futures_util::future::LocalBoxFuture;
use reqwest::{Method, Response};
use reqwest_middleware::ClientBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The ways to send a traced request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Reqwest,
    ReqwestMiddleware,
    Awc,
}

const ALL: [By; 3] = [By::Reqwest, By::ReqwestMiddleware, By::Awc];

/// A request, and how it is traced.
#[derive(Clone)]
struct Call {
    method: Method,
    url: String,
    timeout: Duration,
    tracing: ClientTracing,
}

impl Call {
    fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            url: url.into(),
            timeout: Duration::from_secs(10),
            tracing: ClientTracing::default(),
        }
    }

    fn tracing(self, tracing: ClientTracing) -> Self {
        Self { tracing, ..self }
    }

    /// Sends it. Gives the status code and the body, as far as there are any.
    async fn send(self, by: By) -> Option<(u16, Option<String>)> {
        let head = self.head(by).await?;
        Some((head.status(), head.body().await))
    }

    /// Sends it, and takes the response's head.
    async fn head(self, by: By) -> Option<Head> {
        match by {
            By::Reqwest => {
                use client::reqwest::SendTraced;
                let client = reqwest::Client::new();
                let request = client.request(self.method, self.url).timeout(self.timeout);
                let response = request.send_traced_with(self.tracing).await;
                Some(Head::Reqwest(response.ok()?))
            }
            By::ReqwestMiddleware => {
                let client = ClientBuilder::new(reqwest::Client::new());
                let client = client.with(ClientTracing::default()).build();
                let request = client.request(self.method, self.url).timeout(self.timeout);
                let response = request.with_extension(self.tracing).send().await;
                Some(Head::Reqwest(response.ok()?))
            }
            By::Awc => {
                use client::awc::SendTraced;
                let method = self.method.as_str().parse().unwrap();
                let request = awc::Client::new().request(method, self.url);
                let request = request.timeout(self.timeout);
                let response = request
                    .send_traced_with(self.tracing, |request| request.send())
                    .await;
                let mut response = response.ok()?;
                let status = response.status().as_u16();
                let body = async move {
                    let body = response.body().await.ok()?;
                    Some(String::from_utf8(body.to_vec()).unwrap())
                };
                Some(Head::Awc(status, Box::pin(body)))
            }
        }
    }
}

enum Head {
    Reqwest(Response),
    /// Its status code, and what reads its body.
    Awc(u16, LocalBoxFuture<'static, Option<String>>),
}

impl Head {
    fn status(&self) -> u16 {
        match self {
            Self::Reqwest(response) => response.status().as_u16(),
            Self::Awc(status, _) => *status,
        }
    }

    async fn body(self) -> Option<String> {
        match self {
            Self::Reqwest(response) => response.text().await.ok(),
            Self::Awc(_, body) => body.await,
        }
    }
}

/// The headers that a request came with, a line each.
#[get("/headers")]
async fn echo_headers(request: HttpRequest) -> String {
    let lines = request.headers().iter();
    lines
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
        .collect()
}

#[get("/orders/{id}")]
#[traced_handler]
async fn order(id: web::Path<u64>) -> String {
    format!("order {id}")
}

#[get("/status/{code}")]
async fn answer_with(code: web::Path<u16>) -> HttpResponse {
    HttpResponse::build(code.into_inner().try_into().unwrap()).body("told")
}

#[get("/never")]
async fn never() -> &'static str {
    std::future::pending().await
}

#[get("/moved")]
async fn moved() -> HttpResponse {
    let to = ("location", "/status/204");
    HttpResponse::Found().insert_header(to).finish()
}

/// Redirects to the URL in the query.
#[get("/redirect")]
async fn redirect(to: web::Query<HashMap<String, String>>) -> HttpResponse {
    let to = ("location", &*to["to"]);
    HttpResponse::Found().insert_header(to).finish()
}

/// A service that is called.
fn callee() -> Service {
    Service::start(|tracing| {
        App::new()
            .wrap(tracing)
            .service((echo_headers, order, answer_with, never, moved, redirect))
    })
}

/// What a service that is called itself is to send.
#[derive(Clone)]
struct Outbound {
    by: By,
    call: Call,
}

/// Sends it, and answers with the answer's body.
#[get("/calls")]
#[traced_handler]
async fn calls(outbound: web::Data<Outbound>) -> String {
    let answer = outbound.call.clone().send(outbound.by).await;
    answer.and_then(|(_, body)| body).unwrap_or_default()
}

/// A service that calls.
fn caller(instance: Instance, by: By, call: Call) -> Service {
    let outbound = Outbound { by, call };
    Service::recording_to(instance, move |tracing| {
        let outbound = web::Data::new(outbound.clone());
        App::new().wrap(tracing).app_data(outbound).service(calls)
    })
}

/// The span of a request that is sent below a span of its own.
async fn span_of(by: By, call: Call) -> Span {
    let instance = Instance::default();
    instance.under_root(call.send(by)).await;
    let spans = instance.spans(2).await;
    assert!(is_child(spans.client(), spans.named("root")), "{by:?}");
    spans.client().clone()
}

/// Answers each connection's request with these bytes, and hangs up.
async fn raw_server(answer: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listener = listener.await.unwrap();
    let address = listener.local_addr().unwrap();
    actix_web::rt::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 4096]).await;
            let _ = connection.write_all(answer).await;
        }
    });
    format!("http://{address}/")
}
