//! Where and how OTLP is sent.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::Sourced;
use crate::exporter::transport::{Compression, Options, OptionsHelp, masked};

/// A receiver of OTLP, and how to reach it. What is not set here comes from the `OTEL_EXPORTER_OTLP_*` variables, what is not
/// there either from the defaults of the OpenTelemetry specification.
///
/// Headers and a client certificate of the environment are credentials for one receiver: the one that `OTEL_EXPORTER_OTLP_ENDPOINT` or
/// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` names. Without these, the only receiver that the code names gets them. If it names several,
/// none of them gets them, and a warning says so.
///
/// The text of an endpoint is one, too: that of OTLP over HTTP.
///
/// ```
/// use biztrace::Telemetry;
/// use biztrace::settings::Otlp;
///
/// let receiver = Otlp::http("https://otlp.example.com")
///     .header("x-api-key", "secret")
///     .gzip();
/// let telemetry = Telemetry::builder().otlp(receiver);
/// # let _ = telemetry;
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a receiver gets nothing until `TelemetryBuilder::otlp` is given it"]
pub struct Otlp {
    pub(super) protocol: Sourced<Protocol>,
    pub(super) endpoint: Sourced<Option<Endpoint>>,
    pub(super) options: Options,
    /// Whether a gRPC endpoint without a scheme is reached without TLS.
    pub(super) insecure: Sourced<Option<bool>>,
    /// Whether the code names several receivers of OTLP.
    pub(super) is_one_of_several: bool,
}

/// How requests are encoded and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Protocol {
    #[default]
    HttpProtobuf,
    HttpJson,
    Grpc,
}

/// The address of a receiver, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Of all signals: over HTTP, `v1/traces` comes behind it.
    Base(String),
    /// Of traces alone, used as it is.
    Traces(String),
}

impl Endpoint {
    pub(super) fn written(&self) -> &str {
        let (Self::Base(url) | Self::Traces(url)) = self;
        url
    }
}

const HELP: OptionsHelp = OptionsHelp {
    headers: "`Otlp::header(name, value)`, or as name=value by OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    certificates: "`Otlp::ca_file`, `Otlp::identity_files`, and OTEL_EXPORTER_OTLP_CERTIFICATE, OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, \
                   OTEL_EXPORTER_OTLP_CLIENT_KEY, or OTEL_EXPORTER_OTLP_TRACES_… for traces alone",
};

impl Default for Otlp {
    fn default() -> Self {
        Self {
            protocol: Sourced::default(),
            endpoint: Sourced::default(),
            options: Options::new(&HELP),
            insecure: Sourced::default(),
            is_one_of_several: false,
        }
    }
}

/// What comes behind an endpoint for all signals, over HTTP.
const TRACES_PATH: &str = "/v1/traces";

/// A URL up to its query or fragment, and these.
fn split_query(url: &str) -> (&str, &str) {
    url.split_at(url.find(['?', '#']).unwrap_or(url.len()))
}

impl Otlp {
    /// OTLP over HTTP with protobuf bodies, to the receiver at `endpoint`, as in `http://localhost:4318`; `/v1/traces` is
    /// appended, as to `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[cfg(feature = "otlp-http")]
    pub fn http(endpoint: impl Into<String>) -> Self {
        Self::to(Protocol::HttpProtobuf, Endpoint::Base(endpoint.into()))
    }

    /// The same with JSON bodies, for receivers that take nothing else.
    #[cfg(feature = "otlp-http")]
    pub fn http_json(endpoint: impl Into<String>) -> Self {
        Self::to(Protocol::HttpJson, Endpoint::Base(endpoint.into()))
    }

    /// OTLP over gRPC, to the receiver at `endpoint`, as in `http://localhost:4317`. Needs the feature `otlp-grpc`.
    #[cfg(feature = "otlp-grpc")]
    pub fn grpc(endpoint: impl Into<String>) -> Self {
        Self::to(Protocol::Grpc, Endpoint::Base(endpoint.into()))
    }

    fn to(protocol: Protocol, endpoint: Endpoint) -> Self {
        Self {
            protocol: Sourced::in_code(protocol),
            endpoint: Sourced::in_code(Some(endpoint)),
            ..Self::default()
        }
    }

    /// The URL for traces, used as it is, path included: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
    pub fn traces_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint.set(Some(Endpoint::Traces(url.into())));
        self
    }

    /// A header of each request, for example an API key. It takes precedence over one of the same name in the environment.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.headers.push((name.into(), value.into()));
        self
    }

    /// Compresses requests.
    pub fn gzip(mut self) -> Self {
        self.options.compression.set(Compression::Gzip);
        self
    }

    /// How long one request may take. Default 10 s; a request that may be repeated has the export timeout in all.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout.set(timeout);
        self
    }

    /// Trusts the certificates in this PEM file alone, instead of those of well-known authorities.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.ca_file.set(Some(path.into()));
        self
    }

    /// Shows the receiver this certificate, with its chain, and proves it by that key (mutual TLS). Both are PEM files.
    pub fn identity_files(mut self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.options.cert_file.set(Some(cert.into()));
        self.options.key_file.set(Some(key.into()));
        self
    }

    /// Whether the path for traces is written already where it is appended.
    pub(super) fn doubles_path(&self) -> bool {
        match &self.endpoint.value {
            Some(Endpoint::Base(base)) if self.protocol.value != Protocol::Grpc => {
                let (path, _) = split_query(base.trim());
                path.trim_end_matches('/').ends_with(TRACES_PATH)
            }
            _ => false,
        }
    }

    /// The endpoint as it was written, or by default.
    pub(super) fn written(&self) -> &str {
        match &self.endpoint.value {
            None if self.protocol.value == Protocol::Grpc => "http://localhost:4317",
            None => "http://localhost:4318",
            Some(endpoint) => endpoint.written(),
        }
    }

    /// The URL for traces; it is not checked yet.
    pub(super) fn url(&self) -> String {
        let written = self.written().trim();
        match &self.endpoint.value {
            Some(Endpoint::Traces(_)) => written.into(),
            _ if self.protocol.value == Protocol::Grpc => written.into(),
            None | Some(Endpoint::Base(_)) => {
                let (path, query) = split_query(written);
                format!("{}{TRACES_PATH}{query}", path.trim_end_matches('/'))
            }
        }
    }
}

#[cfg(feature = "otlp-http")]
impl From<&str> for Otlp {
    fn from(endpoint: &str) -> Self {
        Self::http(endpoint)
    }
}

#[cfg(feature = "otlp-http")]
impl From<&String> for Otlp {
    fn from(endpoint: &String) -> Self {
        Self::http(endpoint)
    }
}

#[cfg(feature = "otlp-http")]
impl From<String> for Otlp {
    fn from(endpoint: String) -> Self {
        Self::http(endpoint)
    }
}

/// Not the headers' values, which are secrets as often as not.
impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.options.all_headers().map(|((name, _), _)| name);
        let names: Vec<_> = names.collect();
        f.debug_struct("Otlp")
            .field("protocol", &self.protocol.value)
            .field("url", &masked(&self.url()))
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}
