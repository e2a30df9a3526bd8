//! A traced actix-web server on a real port, and its client.

use std::net::SocketAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpServer, rt};
use biztrace::actix::RequestTracing;
use biztrace::report::Report;
use reqwest::{Client, Method, RequestBuilder, Response};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::{Instance, Spans};

/// A caller's sampled span: trace `0af7…`, span `b7ad…`.
pub const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A running server which records to an instance of its own.
#[derive(Debug)]
pub struct Service {
    /// Where its spans go.
    pub instance: Instance,
    address: SocketAddr,
    client: Client,
    server: ServerHandle,
}

impl Service {
    /// Serves the app that `app` makes around the middleware.
    pub fn start<F, T, B>(app: F) -> Self
    where
        F: Fn(RequestTracing) -> App<T> + Send + Clone + 'static,
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        Self::recording_to(Instance::default(), app)
    }

    /// Serves the app that `app` makes around the middleware, and records to `instance`.
    ///
    /// # Panics
    ///
    /// If the machine has no free port.
    pub fn recording_to<F, T, B>(instance: Instance, app: F) -> Self
    where
        F: Fn(RequestTracing) -> App<T> + Send + Clone + 'static,
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        Self::with_workers(1, instance, app)
    }

    /// As [`Service::recording_to`], with so many workers.
    ///
    /// # Panics
    ///
    /// If the machine has no free port.
    pub fn with_workers<F, T, B>(workers: usize, instance: Instance, app: F) -> Self
    where
        F: Fn(RequestTracing) -> App<T> + Send + Clone + 'static,
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        let tracing = instance.tracing();
        let server = HttpServer::new(move || app(tracing.clone()))
            .workers(workers)
            .disable_signals()
            .bind("127.0.0.1:0")
            .expect("a free port");
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        Self {
            instance,
            address,
            client: Client::new(),
            server: handle,
        }
    }

    /// Where it serves `path`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A request that is yet to be sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// Asks for `path`, and takes the whole answer.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    pub async fn get(&self, path: &str) -> (u16, String) {
        answer(self.request(Method::GET, path).send().await).await
    }

    /// Asks for `path` as a caller who is being traced.
    ///
    /// # Panics
    ///
    /// If there is no answer.
    pub async fn get_traced(&self, path: &str, traceparent: &str) -> (u16, String) {
        let request = self
            .request(Method::GET, path)
            .header("traceparent", traceparent);
        answer(request.send().await).await
    }

    /// Sends `request` as it stands, on a connection of its own.
    ///
    /// # Panics
    ///
    /// If the server does not take it.
    pub async fn send(&self, request: &str) -> TcpStream {
        let mut connection = TcpStream::connect(self.address)
            .await
            .expect("the server listens");
        connection
            .write_all(request.as_bytes())
            .await
            .expect("the server reads");
        connection
    }

    /// Waits until `count` spans have ended, shuts down, and returns what became of them, and those that have arrived.
    ///
    /// # Panics
    ///
    /// If the books do not balance, or if there are more spans.
    pub async fn outcome(&self, count: u64) -> (Report, Spans) {
        let report = self.instance.report_of(count).await;
        (report, self.instance.receiver.spans())
    }

    /// The spans of all requests, of which there must be `count`: see [`Instance::spans`].
    pub async fn spans(&self, count: u64) -> Spans {
        self.instance.spans(count).await
    }
}

async fn answer(response: reqwest::Result<Response>) -> (u16, String) {
    let response = response.expect("the server answers");
    let status = response.status().as_u16();
    (
        status,
        response
            .text()
            .await
            .expect("the server sends the whole body"),
    )
}

impl Drop for Service {
    fn drop(&mut self) {
        // The order is given by the call; nobody waits for it.
        drop(self.server.stop(false));
    }
}
