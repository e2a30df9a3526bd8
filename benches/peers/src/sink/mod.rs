//! The receiver of spans: keeps what it is sent, and counts it when it is asked.
//!
//! Decoding takes longer than anything else here, and the machine may have no more than two cores. So it is done when
//! the counts are asked for, which is not while anything is measured. So is decompressing.

mod grpc;

use std::borrow::Cow;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::error::{ErrorInternalServerError, ErrorPayloadTooLarge};
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::{App, HttpRequest, HttpResponse, Result, web};
use anyhow::Context;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use serde::{Deserialize, Serialize};

use crate::child::{Child, this_binary};
use crate::http::exchange;
use crate::process;
use crate::service::Protocol;

/// The largest export that is taken; a batch of 512 spans has some 300 KiB.
const LIMIT: usize = 64 << 20;

/// What has arrived since the last reset.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    /// as they were sent
    pub(crate) bytes: u64,
    pub(crate) spans: u64,
    pub(crate) server_spans: u64,
    /// of spans, not of their resource
    pub(crate) attributes: u64,
}

impl Counts {
    fn add(&mut self, export: &Export) -> io::Result<()> {
        let message = export.message()?;
        let decoded = ExportTraceServiceRequest::decode(&*message)?;
        self.requests += 1;
        self.bytes += export.body.len() as u64;
        let scopes = decoded.resource_spans.iter().flat_map(|it| &it.scope_spans);
        for span in scopes.flat_map(|scope| &scope.spans) {
            self.spans += 1;
            self.server_spans += u64::from(span.kind() == SpanKind::Server);
            self.attributes += span.attributes.len() as u64;
        }
        Ok(())
    }
}

/// What has arrived, as it was sent.
#[derive(Debug)]
struct Export {
    body: web::Bytes,
    is_gzip: bool,
}

impl Export {
    fn message(&self) -> io::Result<Cow<'_, [u8]>> {
        if !self.is_gzip {
            return Ok(Cow::Borrowed(&self.body));
        }
        let mut message = Vec::new();
        GzDecoder::new(&*self.body).read_to_end(&mut message)?;
        Ok(Cow::Owned(message))
    }
}

#[derive(Debug, Default)]
struct Inbox {
    exports: Vec<Export>,
    counts: Counts,
}

fn open(inbox: &Mutex<Inbox>) -> MutexGuard<'_, Inbox> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(
    request: HttpRequest,
    payload: web::Payload,
    inbox: web::Data<Mutex<Inbox>>,
) -> Result<HttpResponse> {
    // As it was sent: the extractor of bytes decompresses in some builds of actix-web.
    let body = payload.to_bytes_limited(LIMIT).await;
    let body = body.map_err(ErrorPayloadTooLarge)??;
    let encoding = request.headers().get(CONTENT_ENCODING);
    let is_gzip = encoding.is_some_and(|encoding| encoding == "gzip");
    open(&inbox).exports.push(Export { body, is_gzip });
    let answer = HttpResponse::Ok()
        .content_type("application/x-protobuf")
        .finish();
    Ok(answer)
}

async fn counts(inbox: web::Data<Mutex<Inbox>>) -> Result<web::Json<Counts>> {
    let Inbox { exports, counts } = &mut *open(&inbox);
    for export in exports.drain(..) {
        counts.add(&export).map_err(ErrorInternalServerError)?;
    }
    Ok(web::Json(*counts))
}

async fn reset(inbox: web::Data<Mutex<Inbox>>) -> HttpResponse {
    *open(&inbox) = Inbox::default();
    HttpResponse::Ok().finish()
}

/// Where gRPC is served.
async fn grpc_address(address: web::Data<SocketAddr>) -> String {
    address.to_string()
}

/// Serves until stdin closes.
pub(crate) fn serve() -> io::Result<()> {
    let inbox = web::Data::new(Mutex::new(Inbox::default()));
    let grpc_inbox = inbox.clone();
    let grpc = web::Data::new(grpc::start(move |body| {
        let export = Export {
            body,
            is_gzip: false,
        };
        open(&grpc_inbox).exports.push(export);
    })?);
    process::run(1, (), move || {
        App::new()
            .app_data(inbox.clone())
            .app_data(grpc.clone())
            .route("/v1/traces", web::post().to(take))
            .route("/counts", web::get().to(counts))
            .route("/reset", web::post().to(reset))
            .route("/grpc", web::get().to(grpc_address))
    })
}

/// The sink's process, as the driver sees it.
#[derive(Debug)]
pub(crate) struct Sink {
    child: Child,
    grpc: SocketAddr,
}

impl Sink {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let child = Child::start(this_binary("sink")?)?;
        let grpc = exchange(child.address(), "GET", "/grpc").context("cannot ask the sink")?;
        let grpc = str::from_utf8(&grpc)?.parse()?;
        Ok(Self { child, grpc })
    }

    /// Its base URL.
    pub(crate) fn url(&self, protocol: Protocol) -> String {
        let address = match protocol {
            Protocol::Http => self.child.address(),
            Protocol::Grpc => self.grpc,
        };
        format!("http://{address}")
    }

    pub(crate) fn counts(&self) -> anyhow::Result<Counts> {
        let counts = exchange(self.child.address(), "GET", "/counts");
        Ok(serde_json::from_slice(
            &counts.context("cannot ask the sink")?,
        )?)
    }

    pub(crate) fn reset(&self) -> anyhow::Result<()> {
        exchange(self.child.address(), "POST", "/reset").context("cannot reset the sink")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::KeyValue;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

    use super::*;

    #[test]
    fn counts_spans_and_their_attributes() {
        let span = |kind: SpanKind, attributes| Span {
            kind: kind.into(),
            attributes: vec![KeyValue::default(); attributes],
            ..Span::default()
        };
        let scope = ScopeSpans {
            spans: vec![span(SpanKind::Server, 5), span(SpanKind::Client, 3)],
            ..ScopeSpans::default()
        };
        let resource = ResourceSpans {
            scope_spans: vec![scope],
            ..ResourceSpans::default()
        };
        let export = ExportTraceServiceRequest {
            resource_spans: vec![resource.clone(), resource],
        };
        let export = Export {
            body: export.encode_to_vec().into(),
            is_gzip: false,
        };
        let mut counts = Counts::default();
        counts.add(&export).unwrap();
        let expected = Counts {
            requests: 1,
            bytes: export.body.len() as u64,
            spans: 4,
            server_spans: 2,
            attributes: 16,
        };
        assert_eq!(counts, expected);
        let garbage = |is_gzip| Export {
            body: web::Bytes::from_static(b"garbage"),
            is_gzip,
        };
        assert!(counts.add(&garbage(false)).is_err());
        assert!(counts.add(&garbage(true)).is_err());
    }
}
