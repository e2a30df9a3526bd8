//! A request for tests, of no server.

use std::net::SocketAddr;

use super::header_lines::HeaderLines;
use super::request_head::RequestHead;

#[derive(Debug, Default)]
pub(super) struct TestRequest {
    pub(super) headers: Vec<(String, String)>,
    pub(super) authority: Option<&'static str>,
}

impl TestRequest {
    pub(super) fn with_headers(headers: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            headers: headers.iter().map(owned).collect(),
            authority: None,
        }
    }
}

impl HeaderLines for TestRequest {
    type Name = String;

    fn lines<'a>(&'a self, name: &'static str) -> impl DoubleEndedIterator<Item = &'a [u8]> + 'a {
        let lines = self.headers.iter().filter(move |(other, _)| other == name);
        lines.map(|(_, line)| line.as_bytes())
    }

    fn named<'a>(&'a self, name: &'a String) -> impl Iterator<Item = &'a [u8]> {
        let lines = self.headers.iter().filter(move |(other, _)| other == name);
        lines.map(|(_, line)| line.as_bytes())
    }

    fn all(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let lines = self.headers.iter();
        lines.map(|(name, line)| (name.as_str(), line.as_bytes()))
    }
}

impl RequestHead for TestRequest {
    type Headers = Self;

    fn headers(&self) -> &Self {
        self
    }

    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/"
    }

    fn query(&self) -> &str {
        ""
    }

    fn authority(&self) -> Option<&str> {
        self.authority
    }

    fn scheme(&self) -> &'static str {
        "http"
    }

    fn version(&self) -> Option<&'static str> {
        Some("1.1")
    }

    fn peer(&self) -> Option<SocketAddr> {
        None
    }
}
