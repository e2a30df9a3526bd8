//! The receiver of spans: keeps what it is sent, and counts it when it is asked.
//!
//! Decoding takes longer than anything else here, and the machine may have no more than two cores. So it is done when
//! the counts are asked for, which is not while anything is measured.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::error::ErrorInternalServerError;
use actix_web::{App, HttpResponse, Result, web};
use anyhow::Context;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::{DecodeError, Message};
use serde::{Deserialize, Serialize};

use crate::child::{Child, this_binary};
use crate::http::exchange;
use crate::process;

/// The largest export that is taken; a batch of 512 spans has some 300 KiB.
const LIMIT: usize = 64 << 20;

/// What has arrived since the last reset.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    pub(crate) spans: u64,
    pub(crate) server_spans: u64,
    /// of spans, not of their resource
    pub(crate) attributes: u64,
}

impl Counts {
    fn add(&mut self, export: &[u8]) -> Result<(), DecodeError> {
        let decoded = ExportTraceServiceRequest::decode(export)?;
        self.requests += 1;
        self.bytes += export.len() as u64;
        let scopes = decoded.resource_spans.iter().flat_map(|it| &it.scope_spans);
        for span in scopes.flat_map(|scope| &scope.spans) {
            self.spans += 1;
            self.server_spans += u64::from(span.kind() == SpanKind::Server);
            self.attributes += span.attributes.len() as u64;
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Inbox {
    exports: Vec<web::Bytes>,
    counts: Counts,
}

fn open(inbox: &Mutex<Inbox>) -> MutexGuard<'_, Inbox> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(export: web::Bytes, inbox: web::Data<Mutex<Inbox>>) -> HttpResponse {
    open(&inbox).exports.push(export);
    HttpResponse::Ok()
        .content_type("application/x-protobuf")
        .finish()
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

/// Serves until stdin closes.
pub(crate) fn serve() -> io::Result<()> {
    let inbox = web::Data::new(Mutex::new(Inbox::default()));
    process::run(1, (), move || {
        App::new()
            .app_data(inbox.clone())
            .app_data(web::PayloadConfig::new(LIMIT))
            .route("/v1/traces", web::post().to(take))
            .route("/counts", web::get().to(counts))
            .route("/reset", web::post().to(reset))
    })
}

/// The sink's process, as the driver sees it.
#[derive(Debug)]
pub(crate) struct Sink(Child);

impl Sink {
    pub(crate) fn start() -> anyhow::Result<Self> {
        Ok(Self(Child::start(this_binary("sink")?)?))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address()
    }

    pub(crate) fn counts(&self) -> anyhow::Result<Counts> {
        let counts = exchange(self.address(), "GET", "/counts").context("cannot ask the sink")?;
        Ok(serde_json::from_slice(&counts)?)
    }

    pub(crate) fn reset(&self) -> anyhow::Result<()> {
        exchange(self.address(), "POST", "/reset").context("cannot reset the sink")?;
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
        let export = export.encode_to_vec();
        let mut counts = Counts::default();
        counts.add(&export).unwrap();
        let expected = Counts {
            requests: 1,
            bytes: export.len() as u64,
            spans: 4,
            server_spans: 2,
            attributes: 16,
        };
        assert_eq!(counts, expected);
        assert!(counts.add(b"garbage").is_err());
    }
}
