//! Whose word is taken for the trace that a request belongs to.

use std::fmt;
use std::sync::Arc;

use actix_web::dev::ServiceRequest;

use crate::inbound::TrustRule;

/// Which callers a trace is taken over from: see [`RequestTracing::trust`](super::RequestTracing::trust).
///
/// The trace of a caller that is not trusted begins anew, and links to the span that the caller names; whether that one is
/// sampled or debugged counts for nothing. Its baggage is dropped, and its request id is not taken.
///
/// By default a caller is trusted if two things hold:
///
/// - Its connection comes from a loopback, private or link-local address (RFC 1918, RFC 3927, `fc00::/7`, `fe80::/10`), or has no
///   address: a Unix socket, or a test's request. `100.64.0.0/10` is not private, since a carrier shares it with its customers.
/// - Each address in `Forwarded` and `X-Forwarded-For` is private, too. An address that is unknown, obfuscated or unreadable is not.
///
/// So the public is not trusted behind a proxy that sets one of these headers: a client can only add to them. With
/// [trusted proxies](super::RequestTracing::trusted_proxies) it is the client behind them that counts.
///
/// A load balancer that forwards connections (layer 4) or a proxy that sets no such header leaves no sign: have it add one, or trust
/// [nobody](Self::nobody).
///
/// ```
/// use biztrace::actix::{RequestTracing, Trust};
///
/// let public_endpoint = RequestTracing::default().trust(Trust::nobody());
/// let partners = RequestTracing::default()
///     .trust(Trust::when(|request| request.path().starts_with("/partners/")));
/// # let _ = (public_endpoint, partners);
/// ```
#[derive(Clone, Default)]
pub struct Trust(TrustRule<Picks>);

type Picks = Arc<dyn Fn(&ServiceRequest) -> bool + Send + Sync>;

impl Trust {
    /// Trusts every caller: for a service that only others of one's own reach.
    #[must_use]
    pub fn all() -> Self {
        Self(TrustRule::All)
    }

    /// Trusts no caller: for a public endpoint.
    #[must_use]
    pub fn nobody() -> Self {
        Self(TrustRule::Nobody)
    }

    /// Trusts the callers of the requests that `is_trusted` picks, before they are routed.
    #[must_use]
    pub fn when(is_trusted: impl Fn(&ServiceRequest) -> bool + Send + Sync + 'static) -> Self {
        Self(TrustRule::When(Arc::new(is_trusted)))
    }

    /// Whether the caller who sent `request` is trusted. `is_private` says where the request comes from.
    pub(super) fn admits(
        &self,
        request: &ServiceRequest,
        is_private: impl FnOnce() -> bool,
    ) -> bool {
        self.0.admits(is_private, |is_trusted| is_trusted(request))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            TrustRule::Private => "Trust::default()",
            TrustRule::All => "Trust::all()",
            TrustRule::Nobody => "Trust::nobody()",
            TrustRule::When(_) => "Trust::when(..)",
        })
    }
}
