//! Where spans go in Zipkin's format.

use std::time::Duration;

/// A receiver of Zipkin's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Zipkin {
    /// Where spans are posted to, as it was written.
    pub(crate) endpoint: String,
    /// How long one request may take.
    pub(crate) timeout: Duration,
}

impl Default for Zipkin {
    fn default() -> Self {
        Self {
            endpoint: Self::ENDPOINT.into(),
            timeout: Duration::from_secs(10),
        }
    }
}

impl Zipkin {
    pub(crate) const ENDPOINT: &str = "http://localhost:9411/api/v2/spans";
}
