//! What stands in for TLS in a build without it: an `https` endpoint has been refused already.

use std::error::Error as StdError;

use super::Certificates;
use crate::error::Error;

#[cfg(feature = "_http")]
pub(super) type Connector = hyper_util::client::legacy::connect::HttpConnector;

#[cfg(feature = "_http")]
pub(super) fn connector(
    connector: hyper_util::client::legacy::connect::HttpConnector,
    _: &http::Uri,
    _: &Certificates,
) -> Result<Connector, Error> {
    Ok(connector)
}

#[cfg(feature = "otlp-grpc")]
pub(super) fn endpoint(
    endpoint: tonic::transport::Endpoint,
    _: &Certificates,
) -> Result<tonic::transport::Endpoint, Error> {
    Ok(endpoint)
}

pub(super) fn hint(_: &(dyn StdError + 'static), _: &'static str) -> &'static str {
    ""
}
