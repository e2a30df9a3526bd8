//! Sampling decisions. Reads settings, knows nothing of how spans are recorded.

pub(crate) mod head;
#[cfg_attr(
    not(feature = "otlp-grpc"),
    allow(dead_code, reason = "servers of strategies are asked over gRPC")
)]
pub(crate) mod remote;
