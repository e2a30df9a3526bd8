//! The attributes of HTTP spans. Those of CLIENT spans only are in the client module.

use crate::attribute::Key;

pub(crate) const METHOD: Key<'_> = Key::new("http.request.method");
pub(crate) const METHOD_ORIGINAL: Key<'_> = Key::new("http.request.method_original");
pub(crate) const STATUS_CODE: Key<'_> = Key::new("http.response.status_code");
pub(crate) const PROTOCOL_VERSION: Key<'_> = Key::new("network.protocol.version");
pub(crate) const SERVER_ADDRESS: Key<'_> = Key::new("server.address");
pub(crate) const SERVER_PORT: Key<'_> = Key::new("server.port");

// Of SERVER spans.
pub(crate) const CLIENT_ADDRESS: Key<'_> = Key::new("client.address");
pub(crate) const FUNCTION: Key<'_> = Key::new("code.function.name");
pub(crate) const PATH: Key<'_> = Key::new("url.path");
pub(crate) const PEER_ADDRESS: Key<'_> = Key::new("network.peer.address");
pub(crate) const PEER_PORT: Key<'_> = Key::new("network.peer.port");
pub(crate) const QUERY: Key<'_> = Key::new("url.query");
pub(crate) const ROUTE: Key<'_> = Key::new("http.route");
pub(crate) const SCHEME: Key<'_> = Key::new("url.scheme");
pub(crate) const USER_AGENT: Key<'_> = Key::new("user_agent.original");
