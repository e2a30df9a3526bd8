//! The SERVER span of a request by HTTP/2, over TLS, as ALPN has chosen it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use behaviour::{Instance, Span, Spans};
use biztrace::traced_handler;
use conformance::{SPAN, TRACE};
use h2::client::SendRequest;
use http::{Request, StatusCode};
use opentelemetry::Value;
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

#[traced_handler]
async fn order(_request: HttpRequest) -> &'static str {
    "an order"
}

/// A server that shows a certificate of its own for `localhost`, and the settings of a client that believes it.
fn serve(instance: &Instance) -> (SocketAddr, ClientConfig) {
    let certified = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    let certificate = certified.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec()];

    let tracing = instance.tracing();
    let server = HttpServer::new(move || {
        App::new()
            .wrap(tracing.clone())
            .service(web::scope("/api").route("/orders/{id}", web::to(order)))
            .route(
                "/empty",
                web::to(async || HttpResponse::NoContent().body("no body")),
            )
    })
    .workers(1)
    .disable_signals()
    .bind_rustls_0_23("127.0.0.1:0", server)
    .unwrap();
    let address = server.addrs()[0];
    rt::spawn(server.run());
    (address, client)
}

async fn connect(address: SocketAddr, config: ClientConfig) -> SendRequest<&'static [u8]> {
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.unwrap();
    let (client, connection) = h2::client::Builder::new().handshake(stream).await.unwrap();
    rt::spawn(connection);
    client
}

async fn send(client: &SendRequest<&'static [u8]>, request: Request<()>) -> StatusCode {
    let mut client = client.clone().ready().await.unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    let (head, mut body) = response.await.unwrap().into_parts();
    while let Some(bytes) = body.data().await {
        let count = bytes.unwrap().len();
        body.flow_control().release_capacity(count).unwrap();
    }
    head.status
}

fn check(span: &Span, attributes: &[(&str, Value)]) {
    for (key, value) in attributes {
        assert_eq!(span.tag(key).as_ref(), Some(value), "{key}");
    }
}

#[actix_web::test]
async fn the_span_has_the_protocol_the_scheme_and_the_authority() {
    let instance = Instance::default();
    let (address, config) = serve(&instance);
    let client = connect(address, config).await;
    let traceparent = format!("00-{TRACE}-{SPAN}-01");
    let request = Request::post("https://shop.example.com:8443/api/orders/7?page=2")
        .header("traceparent", traceparent)
        .header("user-agent", "h2/1")
        .body(())
        .unwrap();
    assert_eq!(send(&client, request).await, StatusCode::OK);
    let spans = instance.spans(1).await;
    let span = spans.server();
    assert_eq!(span.name, "POST /api/orders/{id}");
    assert_eq!((&*span.trace(), &*span.parent()), (TRACE, SPAN));
    check(
        span,
        &[
            ("network.protocol.version", "2".into()),
            ("url.scheme", "https".into()),
            ("server.address", "shop.example.com".into()),
            ("server.port", 8443.into()),
            ("url.path", "/api/orders/7".into()),
            ("url.query", "page=2".into()),
            ("http.route", "/api/orders/{id}".into()),
            ("http.response.status_code", 200.into()),
            ("user_agent.original", "h2/1".into()),
        ],
    );
}

#[actix_web::test]
async fn the_port_is_that_of_https_where_none_is_named() {
    let instance = Instance::default();
    let (address, config) = serve(&instance);
    let client = connect(address, config).await;
    let request = Request::get("https://[2001:db8::1]/api/orders/7");
    assert_eq!(
        send(&client, request.body(()).unwrap()).await,
        StatusCode::OK
    );
    let spans = instance.spans(1).await;
    check(
        spans.server(),
        &[
            ("server.address", "2001:db8::1".into()),
            ("server.port", 443.into()),
        ],
    );
}

#[actix_web::test]
async fn a_response_that_has_no_body_is_whole_with_its_head() {
    let instance = Instance::default();
    let (address, config) = serve(&instance);
    let client = connect(address, config).await;
    let request = Request::get("https://localhost/empty").body(()).unwrap();
    assert_eq!(send(&client, request).await, StatusCode::NO_CONTENT);
    let spans = instance.spans(1).await;
    assert_eq!(spans.server().tag("biztrace.outcome"), None);
}

#[actix_web::test]
async fn requests_that_share_a_connection_are_spans_of_their_own() {
    const COUNT: usize = 20;
    let instance = Instance::default();
    let (address, config) = serve(&instance);
    let client = connect(address, config).await;
    let requests = (0..COUNT).map(|id| {
        let request = Request::get(format!("https://localhost/api/orders/{id}"));
        let (client, request) = (client.clone(), request.body(()).unwrap());
        rt::spawn(async move { send(&client, request).await })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap(), StatusCode::OK);
    }
    let spans: Spans = instance.spans(COUNT as u64).await;
    let mut paths: Vec<_> = spans.iter().map(|span| span.tag("url.path")).collect();
    paths.sort_by_key(|path| format!("{path:?}"));
    paths.dedup();
    assert_eq!(paths.len(), COUNT);
}
