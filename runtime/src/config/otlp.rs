//! Where and how OTLP is sent.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A receiver of OTLP, and how to reach it. What is not set here comes from the `OTEL_EXPORTER_OTLP_*` variables, what is not
/// there either from the defaults of the OpenTelemetry specification.
///
/// The text of an endpoint is one, too: that of OTLP over HTTP.
///
/// ```
/// use biztrace::{Otlp, Telemetry};
///
/// let receiver = Otlp::http("https://otlp.example.com")
///     .header("x-api-key", "secret")
///     .gzip();
/// let telemetry = Telemetry::builder().otlp(receiver);
/// # let _ = telemetry;
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use = "a receiver gets nothing until `Builder::otlp` is given it"]
pub struct Otlp {
    pub(crate) protocol: Option<Protocol>,
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) compression: Option<Compression>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) certificates: Certificates,
    /// Whether a gRPC endpoint without a scheme is reached without TLS.
    pub(crate) insecure: Option<bool>,
}

/// The files of TLS, in PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Certificates {
    /// What the receiver's certificate is checked by, instead of what the system trusts.
    pub(crate) ca_file: Option<PathBuf>,
    /// What the receiver is shown.
    pub(crate) cert_file: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
}

/// How requests are encoded and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Protocol {
    #[default]
    HttpProtobuf,
    HttpJson,
    Grpc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Compression {
    #[default]
    None,
    Gzip,
}

/// The address of a receiver, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Of all signals: over HTTP, `v1/traces` comes behind it.
    Base(String),
    /// Of traces alone, used as it is.
    Traces(String),
}

/// What comes behind an endpoint for all signals, over HTTP.
const TRACES_PATH: &str = "/v1/traces";

/// A URL up to its query or fragment, and these.
fn split_query(url: &str) -> (&str, &str) {
    url.split_at(url.find(['?', '#']).unwrap_or(url.len()))
}

/// How long one request may take, if nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Otlp {
    /// OTLP over HTTP with protobuf bodies, to the receiver at `endpoint`, as in `http://localhost:4318`; `/v1/traces` is
    /// appended, as to `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn http(endpoint: impl Into<String>) -> Self {
        Self::to(Protocol::HttpProtobuf, Endpoint::Base(endpoint.into()))
    }

    /// The same with JSON bodies, for receivers that take nothing else.
    pub fn http_json(endpoint: impl Into<String>) -> Self {
        Self::to(Protocol::HttpJson, Endpoint::Base(endpoint.into()))
    }

    /// OTLP over gRPC, to the receiver at `endpoint`, as in `http://localhost:4317`. Needs the feature `otlp-grpc`.
    pub fn grpc(endpoint: impl Into<String>) -> Self {
        Self::to(Protocol::Grpc, Endpoint::Base(endpoint.into()))
    }

    fn to(protocol: Protocol, endpoint: Endpoint) -> Self {
        Self {
            protocol: Some(protocol),
            endpoint: Some(endpoint),
            ..Self::default()
        }
    }

    /// The URL for traces, used as it is, path included: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
    pub fn traces_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(Endpoint::Traces(url.into()));
        self
    }

    /// A header of each request, an API key for one. It goes before one of the same name in the environment.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Compresses requests.
    pub fn gzip(mut self) -> Self {
        self.compression = Some(Compression::Gzip);
        self
    }

    /// How long one request may take. Default 10 s; a request that may be repeated has the export timeout in all.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Trusts the certificates in this PEM file alone, instead of those of well-known authorities.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.certificates.ca_file = Some(path.into());
        self
    }

    /// Shows the receiver this certificate, with its chain, and proves it by that key (mutual TLS). Both are PEM files.
    pub fn identity_files(mut self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.certificates.cert_file = Some(cert.into());
        self.certificates.key_file = Some(key.into());
        self
    }

    /// This receiver, with what is not set taken from `environment`.
    pub(crate) fn over(mut self, environment: &Self) -> Self {
        let environment = environment.clone();
        let is_set = |name: &str| {
            self.headers
                .iter()
                .any(|(set, _)| set.eq_ignore_ascii_case(name))
        };
        let missing: Vec<_> = environment
            .headers
            .into_iter()
            .filter(|(name, _)| !is_set(name))
            .collect();
        self.headers.extend(missing);
        Self {
            protocol: self.protocol.or(environment.protocol),
            endpoint: self.endpoint.or(environment.endpoint),
            headers: self.headers,
            compression: self.compression.or(environment.compression),
            timeout: self.timeout.or(environment.timeout),
            certificates: self.certificates.over(environment.certificates),
            insecure: self.insecure.or(environment.insecure),
        }
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol.unwrap_or_default()
    }

    pub(crate) fn compression(&self) -> Compression {
        self.compression.unwrap_or_default()
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.timeout.unwrap_or(TIMEOUT)
    }

    /// Whether the path for traces is written already where it is appended.
    #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
    pub(crate) fn doubles_path(&self) -> bool {
        match &self.endpoint {
            Some(Endpoint::Base(base)) if self.protocol() != Protocol::Grpc => {
                let (path, _) = split_query(base.trim());
                path.trim_end_matches('/').ends_with(TRACES_PATH)
            }
            _ => false,
        }
    }

    /// The endpoint as it was written, or by default.
    pub(crate) fn written(&self) -> &str {
        match &self.endpoint {
            None if self.protocol() == Protocol::Grpc => "http://localhost:4317",
            None => "http://localhost:4318",
            Some(Endpoint::Base(url) | Endpoint::Traces(url)) => url,
        }
    }

    /// The URL for traces; it is not checked yet.
    pub(crate) fn url(&self) -> String {
        let written = self.written().trim();
        match &self.endpoint {
            Some(Endpoint::Traces(_)) => written.into(),
            _ if self.protocol() == Protocol::Grpc => written.into(),
            None | Some(Endpoint::Base(_)) => {
                let (path, query) = split_query(written);
                format!("{}{TRACES_PATH}{query}", path.trim_end_matches('/'))
            }
        }
    }
}

impl Certificates {
    fn over(self, environment: Self) -> Self {
        Self {
            ca_file: self.ca_file.or(environment.ca_file),
            cert_file: self.cert_file.or(environment.cert_file),
            key_file: self.key_file.or(environment.key_file),
        }
    }
}

impl From<&str> for Otlp {
    fn from(endpoint: &str) -> Self {
        Self::http(endpoint)
    }
}

impl From<&String> for Otlp {
    fn from(endpoint: &String) -> Self {
        Self::http(endpoint)
    }
}

impl From<String> for Otlp {
    fn from(endpoint: String) -> Self {
        Self::http(endpoint)
    }
}

/// Not the headers' values, which are secrets as often as not.
impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Otlp")
            .field("protocol", &self.protocol())
            .field("url", &masked(&self.url()))
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

/// A URL without what may be secret in it: the name and password before its host, what is long in its path, and its query. Those
/// who write a password seldom encode it, so that it ends at the last `@`.
pub(crate) fn masked(url: &str) -> String {
    let (url, query) = match url.find(['?', '#', ';']) {
        Some(at) => (&url[..at], "?…"),
        None => (url, ""),
    };
    let (scheme, rest) = match url.find("://") {
        Some(at) if !url[..at].contains([':', '@', '/']) => url.split_at(at + "://".len()),
        _ => ("", url),
    };
    let at = ["@", "%40"].into_iter();
    let user = at.filter_map(|at| Some(rest.rfind(at)? + at.len())).max();
    let (user, rest) = match user {
        Some(end) => ("…@", &rest[end..]),
        None => ("", rest),
    };
    let mut segments = rest.split('/');
    let mut masked = format!("{scheme}{user}{}", segments.next().unwrap_or_default());
    for segment in segments {
        let shown = if segment.len() > LONG_SEGMENT {
            "…"
        } else {
            segment
        };
        masked = masked + "/" + shown;
    }
    masked + query
}

/// Bytes of a path's segment that is more than the name of something.
const LONG_SEGMENT: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_a_url_are_masked() {
        for (url, shown) in [
            (
                "http://ada:s3cret@c:4318/v1?key=s3cret@b",
                "http://…@c:4318/v1?…",
            ),
            ("https://c/v1/traces?key=s3cret", "https://c/v1/traces?…"),
            ("http://a:b@c@d", "http://…@d"),
            ("http://ada:s3/cret@c/v1", "http://…@c/v1"),
            ("ada:s3cret@c:4318/v1", "…@c:4318/v1"),
            ("ada:s3://cret@c", "…@c"),
            ("http://ada:s3cret%40c:4318/v1", "http://…@c:4318/v1"),
            (
                "https://c/s3cret0123456789/v1/traces",
                "https://c/…/v1/traces",
            ),
            ("https://c/v1/traces;key=s3cret", "https://c/v1/traces?…"),
            ("http://c:4318/v1", "http://c:4318/v1"),
            ("localhost:4317", "localhost:4317"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }
}
