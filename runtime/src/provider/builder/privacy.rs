//! Settings of which values are hidden, and which hosts get baggage.

use super::TelemetryBuilder;
use crate::attribute::{HashKey, PiiPolicy};
use crate::error::Error;
use crate::semconv::Redaction;

impl TelemetryBuilder {
    /// The secret by which `#[hash]` hashes values, of 16 bytes or more, the same in all services whose values are to be
    /// compared. `BIZTRACE_HASH_KEY`; without a key, such values are left out.
    pub fn hash_key(mut self, key: impl AsRef<[u8]>) -> Self {
        let key = key.as_ref();
        match HashKey::new(key) {
            Some(key) => self.settings.privacy.hash_key.set(Some(key)),
            None => self.mistake = self.mistake.or(Some(Error::HashKey(key.len()))),
        }
        self
    }

    /// What becomes of values that are marked `#[pii]`. Default: they are dropped; `BIZTRACE_PII`, one of `keep`, `hash` and
    /// `drop`. Hashing needs a [`hash_key`](Self::hash_key).
    pub fn pii(mut self, policy: PiiPolicy) -> Self {
        self.settings.privacy.pii.set(policy);
        self
    }

    /// Redacts the values of these parameters in `url.query`, in `url.full` and in URLs in messages of errors, beside those of usual
    /// secrets. `BIZTRACE_REDACT_QUERY`, separated by commas.
    ///
    /// The usual secrets are `token`, `access_token`, `refresh_token`, `id_token`, `auth_token`, `jwt`, `api_key`, `key`, `secret`, `client_secret`,
    /// `password`, `passwd`, `pwd`, `auth`, `authorization`, `session`, `session_id`, `signature`, `sig`, `credential`, `security_token`,
    /// `AWSAccessKeyId`, and `code` in a query that has `state`.
    ///
    /// Names are compared without their case, `-`, `_`, `.` and brackets. The last part of a name counts alone, too: `password` is that of
    /// `user[password]`. `!key` takes a default out, and `!*` all of them. `code&state` is `code` in a query that has `state`.
    ///
    /// ```
    /// let telemetry = biztrace::Telemetry::builder().redact_query(["pin", "email", "!key"]);
    /// # let _ = telemetry;
    /// ```
    pub fn redact_query<P: Into<String>>(
        mut self,
        parameters: impl IntoIterator<Item = P>,
    ) -> Self {
        let parameters = parameters.into_iter().map(Into::into).collect();
        self.settings.redact_query.set(Redaction::new(parameters));
        self
    }

    /// Hosts that requests of [`client`](crate::client) carry baggage to, beside one's own; `BIZTRACE_BAGGAGE_TO`, a list with commas.
    /// Others get the trace without baggage, and a warning says so once. Needs the feature `reqwest` or `awc`.
    ///
    /// One's own are loopback, private and link-local addresses, names of a single label, `localhost`, and what ends in `.localhost`,
    /// `.internal`, `.svc` or `.cluster.local`. A name is not resolved: it is the text in the URL that counts.
    ///
    /// ```
    /// use biztrace::Telemetry;
    ///
    /// // Names, all names below a domain, addresses, networks; `*` is all hosts.
    /// let telemetry = Telemetry::builder()
    ///     .baggage_to(["api.example.com", "*.shop.example.com", "203.0.113.0/24"])
    ///     .build()?;
    /// # drop(telemetry);
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    #[cfg(any(feature = "awc", feature = "reqwest"))]
    pub fn baggage_to(mut self, hosts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut all = std::mem::take(&mut self.settings.baggage_to.value);
        for host in hosts {
            let text = host.as_ref();
            if !all.add(text) {
                let text = text.to_owned();
                self.mistake = self.mistake.or(Some(Error::Host { text }));
            }
        }
        self.settings.baggage_to.set(all);
        self
    }
}
