//! Reads the heads of actix-web's requests.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use opentelemetry::propagation::Extractor;

use crate::__private::{Head, Recording, RequestSource, Source};
use crate::attribute::truncate;
use crate::propagation::Carrier;
use crate::recorder;

// Statics, so that a look-up does not build the name: 40 bytes of it.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
static BAGGAGE: HeaderName = HeaderName::from_static("baggage");
pub(super) static HOST: HeaderName = header::HOST;
pub(super) static USER_AGENT: HeaderName = header::USER_AGENT;

/// The first 1024 characters of a value that a caller sends, which may be of any length.
pub(super) fn cut(value: &str) -> &str {
    truncate(value, 1024)
}

/// The request's headers as a carrier of context.
pub(super) struct Headers<'a>(pub(super) &'a HeaderMap);

impl Carrier for Headers<'_> {
    #[inline(always)]
    fn lines<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + 'a {
        // A look-up by text copies a name that HTTP itself does not have. To check such a name takes as long as to look it up.
        let lines = match name {
            "traceparent" => self.0.get_all(&TRACEPARENT),
            "tracestate" => self.0.get_all(&TRACESTATE),
            "baggage" => self.0.get_all(&BAGGAGE),
            _ => self.0.get_all(HeaderName::from_static(name)),
        };
        lines.map(|value| value.as_bytes())
    }
}

/// For propagators of others.
impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }

    fn get_all(&self, name: &str) -> Option<Vec<&str>> {
        let lines = self.0.get_all(name);
        let lines: Vec<_> = lines.filter_map(|value| value.to_str().ok()).collect();
        (!lines.is_empty()).then_some(lines)
    }
}

/// Copies what tags may read after routing: the query, and the headers that are `readable`, or all.
#[inline]
pub(super) fn copy(
    request: &HttpRequest,
    readable: Option<&[HeaderName]>,
    to: &mut recorder::Head,
) {
    let (headers, query) = (request.headers(), request.query_string());
    match readable {
        None => {
            let headers = headers.iter();
            to.fill(
                query,
                headers.map(|(name, value)| (name.as_str(), value.as_bytes())),
            );
        }
        Some(names) => copy_of(headers, names, query, to),
    }
}

/// Kept apart: most services copy all headers.
#[inline(never)]
fn copy_of(headers: &HeaderMap, names: &[HeaderName], query: &str, to: &mut recorder::Head) {
    let lines = |name| {
        let values = headers.get_all(name);
        values.map(move |value| (HeaderName::as_str(name), value.as_bytes()))
    };
    to.fill(query, names.iter().flat_map(lines));
}

impl RequestSource for &HttpRequest {
    fn head<'a>(&'a self, _: &'a Recording<'_>) -> Head<'a> {
        Head(Source::Request(self))
    }
}
