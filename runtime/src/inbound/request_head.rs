//! The head of a request.

use std::net::SocketAddr;

use super::forwarded::ForwardedInfo;
use super::header_lines::HeaderLines;
use crate::attribute::truncate;
use crate::recorder::HeadCopy;

/// The head of a request, in the type that the server has for it.
pub(crate) trait RequestHead {
    type Headers: HeaderLines;

    fn headers(&self) -> &Self::Headers;
    fn method(&self) -> &str;
    fn path(&self) -> &str;
    /// Without the question mark. Empty if there is none.
    fn query(&self) -> &str;
    /// The authority of the URI, which a request has in HTTP/2.
    fn authority(&self) -> Option<&str>;
    /// `http` or `https`, as the connection has it.
    fn scheme(&self) -> &'static str;
    /// As `network.protocol.version` has it.
    fn version(&self) -> Option<&'static str>;
    /// The other end of the connection. `None` if it is not of a network.
    fn peer(&self) -> Option<SocketAddr>;
}

type Name<R> = <<R as RequestHead>::Headers as HeaderLines>::Name;

/// A request as its SERVER span is to tell of it.
pub(crate) struct IncomingRequest<'r, R: RequestHead> {
    pub(crate) head: &'r R,
    /// What trusted proxies say of it.
    pub(crate) forwarded: Option<ForwardedInfo<'r>>,
    /// Whether the client's address is recorded.
    pub(crate) has_client: bool,
    /// Whether the path is recorded, and not the route in its place.
    pub(crate) has_path: bool,
    /// Whether the query is recorded.
    pub(crate) has_query: bool,
    /// The headers that tags may read after routing, if not all.
    pub(crate) readable: Option<&'r [Name<R>]>,
    /// Asks the application for the request's tenant.
    pub(crate) tenant: Option<&'r dyn Fn() -> Option<String>>,
}

impl<R: RequestHead> IncomingRequest<'_, R> {
    /// Copies what tags may read after routing: the query, and the headers that are `readable`, or all.
    #[inline]
    pub(super) fn copy(&self, to: &mut HeadCopy) {
        match self.readable {
            None => to.fill(self.head.query(), self.head.headers().all()),
            Some(names) => self.copy_named(names, to),
        }
    }

    /// Kept apart: most services copy all headers.
    #[inline(never)]
    fn copy_named(&self, names: &[Name<R>], to: &mut HeadCopy) {
        let headers = self.head.headers();
        let lines = |name| {
            let lines = headers.named(name);
            lines.map(|line| (name.as_ref(), line))
        };
        to.fill(self.head.query(), names.iter().flat_map(lines));
    }
}

/// The first 1024 characters of a value that a caller sends, which may be of any length.
pub(super) fn cut(value: &str) -> &str {
    truncate(value, 1024)
}
