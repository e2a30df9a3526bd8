//! What a request brings, whichever server takes it: the caller and how far it is trusted, the host, the ids, the SERVER span, and
//! the one begin and end of the request.
//!
//! Stands on the recorder. Knows HTTP, by [`RequestHead`] and [`HeaderLines`], and no server: the module of a server implements these
//! two on its own types.

mod client;
mod exchange;
mod forwarded;
mod header_capture;
mod header_lines;
mod host;
mod proxies;
mod request_head;
mod request_id;
mod response_ids;
mod route;
mod route_url;
mod sampled_head;
mod server_span;
mod tenant;
#[cfg(test)]
mod test_request;

pub(crate) use self::client::TrustRule;
pub(crate) use self::exchange::Exchange;
pub(crate) use self::forwarded::ForwardedInfo;
pub(crate) use self::header_capture::HeaderCapture;
pub(crate) use self::header_lines::HeaderLines;
pub(crate) use self::proxies::Proxies;
pub(crate) use self::request_head::{IncomingRequest, RequestHead};
pub use self::request_id::RequestId;
pub(crate) use self::response_ids::{IdOptions, ResponseIds};
pub(crate) use self::route::{RouteGuess, note_route};
pub(crate) use self::server_span::{start_alone, tag_baggage};
