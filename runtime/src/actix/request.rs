//! What actix-web's requests and headers are to the modules that know no server.

use std::net::SocketAddr;

use actix_web::HttpRequest;
use actix_web::http::Version;
use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::inbound::{HeaderLines, RequestHead, note_route, start_alone};
use crate::recorder::{
    BodySpan, HandlerRequest, ReadHead, Recording, RequestReader, RequestSource,
};
use crate::semconv::protocol_version;

// Statics, so that a look-up does not build the name: 40 bytes of it.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
static BAGGAGE: HeaderName = HeaderName::from_static("baggage");
static FORWARDED: HeaderName = header::FORWARDED;
static FORWARDED_FOR: HeaderName = header::X_FORWARDED_FOR;
static HOST: HeaderName = header::HOST;
static USER_AGENT: HeaderName = header::USER_AGENT;

impl HeaderLines for HeaderMap {
    type Name = HeaderName;

    #[inline(always)]
    fn lines<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'a {
        // A look-up by text copies a name that HTTP itself does not have. To check such a name takes as long as to look it up.
        let lines = match name {
            "traceparent" => self.get_all(&TRACEPARENT),
            "tracestate" => self.get_all(&TRACESTATE),
            "baggage" => self.get_all(&BAGGAGE),
            "forwarded" => self.get_all(&FORWARDED),
            "x-forwarded-for" => self.get_all(&FORWARDED_FOR),
            "host" => self.get_all(&HOST),
            "user-agent" => self.get_all(&USER_AGENT),
            _ => self.get_all(HeaderName::from_static(name)),
        };
        lines.map(|value| value.as_bytes())
    }

    fn named<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.get_all(name).map(|value| value.as_bytes())
    }

    #[inline]
    fn all(&self) -> impl Iterator<Item = (&str, &[u8])> {
        Lines(self.iter())
    }
}

/// All lines of the headers. A closure in its place is not inlined into the loop over them.
struct Lines<'a>(header::map::Iter<'a>);

impl<'a> Iterator for Lines<'a> {
    type Item = (&'a str, &'a [u8]);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.0.next()?;
        Some((name.as_str(), value.as_bytes()))
    }
}

impl RequestHead for HttpRequest {
    type Headers = HeaderMap;

    #[inline]
    fn headers(&self) -> &HeaderMap {
        self.headers()
    }

    #[inline]
    fn method(&self) -> &str {
        self.method().as_str()
    }

    #[inline]
    fn path(&self) -> &str {
        self.path()
    }

    #[inline]
    fn query(&self) -> &str {
        self.query_string()
    }

    #[inline]
    fn authority(&self) -> Option<&str> {
        Some(self.uri().authority()?.as_str())
    }

    #[inline]
    fn scheme(&self) -> &'static str {
        match self.app_config().secure() {
            true => "https",
            false => "http",
        }
    }

    #[inline]
    fn version(&self) -> Option<&'static str> {
        protocol_version!(self.version(), Version)
    }

    #[inline]
    fn peer(&self) -> Option<SocketAddr> {
        self.peer_addr()
    }
}

impl ReadHead for HttpRequest {
    fn query(&self) -> &str {
        self.query_string()
    }

    fn find_line<'s>(
        &'s self,
        name: &str,
        find: &mut dyn FnMut(&'s str) -> Option<&'s str>,
    ) -> Option<&'s str> {
        let lines = self.headers().get_all(name);
        lines
            .filter_map(|line| std::str::from_utf8(line.as_bytes()).ok())
            .find_map(find)
    }
}

impl RequestSource for &HttpRequest {
    fn head<'a>(&'a self, _: &'a Recording<'_>) -> RequestReader<'a> {
        RequestReader::of(*self)
    }
}

impl HandlerRequest for &HttpRequest {
    fn note_route(&self, server: &Recording<'_>) {
        if let Some(route) = self.match_pattern() {
            note_route(server.0, self.method().as_str(), &route);
        }
    }

    fn begin(&self) -> Option<BodySpan> {
        Some(BodySpan(start_alone(*self)))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn authority_is_that_of_the_uri_as_in_http_2() {
        let request = TestRequest::get().uri("http://user:secret@other:81/");
        let request = request.insert_header(("host", "shop")).to_http_request();
        assert_eq!(request.authority(), Some("user:secret@other:81"));
        let request = TestRequest::get().insert_header(("host", "shop"));
        let request = request.to_http_request();
        assert_eq!(request.authority(), None);
    }

    #[test]
    fn lines_of_a_header_come_in_their_order() {
        let request = TestRequest::get()
            .append_header(("x-forwarded-for", "1.1.1.1"))
            .append_header(("host", "shop"))
            .append_header(("x-forwarded-for", "2.2.2.2"))
            .to_http_request();
        let lines = |name| request.headers().lines(name).collect::<Vec<_>>();
        assert_eq!(lines("x-forwarded-for"), [b"1.1.1.1", b"2.2.2.2"]);
        assert_eq!(lines("host"), [b"shop"]);
        assert_eq!(lines("user-agent"), [b""; 0]);
    }
}
