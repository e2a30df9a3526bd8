//! How exporters reach receivers over HTTP and gRPC, with or without TLS.

pub(crate) mod endpoint;
#[cfg(feature = "otlp-grpc")]
pub(crate) mod grpc;
mod headers;
#[cfg(feature = "_http")]
pub(super) mod http;
mod masked;
mod options;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;

pub(crate) use self::headers::header_map;
pub(crate) use self::masked::masked;
pub(crate) use self::options::{Certificates, Compression, Options, OptionsHelp};
