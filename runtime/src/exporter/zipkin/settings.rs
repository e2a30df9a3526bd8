//! Where spans go in Zipkin's format, and how.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use opentelemetry_sdk::Resource;

use super::client::{ENDPOINT, ZipkinHttp};
use crate::config::format::Format;
use crate::config::{Pass, Sourced};
use crate::error::Error;
use crate::exporter::spec::ExporterSpec;
use crate::exporter::transport::{Compression, Options, OptionsHelp, masked};
use crate::pipeline::{Pipeline, Setup};

/// A receiver of Zipkin's format, and how to reach it. What is not set here comes from the `OTEL_EXPORTER_ZIPKIN_*` variables, and then
/// from the defaults of the OpenTelemetry specification. Needs the feature `zipkin`.
///
/// The text of an endpoint is one, too.
///
/// The format is that of the OpenTelemetry specification's page "OpenTelemetry to Zipkin Transformation". What Zipkin has no place for is
/// left out: the links of a span, its tracestate, the flags of its trace, and attributes named `error`, since Zipkin takes each span with
/// that tag for a failed one. Spans whose status is an error have the tag.
///
/// ```
/// use std::time::Duration;
///
/// use biztrace::Telemetry;
/// use biztrace::settings::Zipkin;
///
/// let receiver = Zipkin::new("https://zipkin.example.com/api/v2/spans").timeout(Duration::from_secs(3));
/// let telemetry = Telemetry::builder().zipkin(receiver);
/// # let _ = telemetry;
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a receiver gets nothing until `TelemetryBuilder::zipkin` is given it"]
pub struct Zipkin {
    endpoint: Sourced<String>,
    options: Options,
}

impl Default for Zipkin {
    fn default() -> Self {
        Self {
            endpoint: Sourced::new(ENDPOINT.into()),
            options: Options::new(&HELP),
        }
    }
}

impl Zipkin {
    /// The receiver at `endpoint`, for example `http://localhost:9411/api/v2/spans`. The URL is used as it is.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: Sourced::in_code(endpoint.into()),
            ..Self::default()
        }
    }

    /// A header of each request, for example an API key.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.headers.push((name.into(), value.into()));
        self
    }

    /// Compresses requests.
    pub fn gzip(mut self) -> Self {
        self.options.compression.set(Compression::Gzip);
        self
    }

    /// How long one request may take. Default 10 s; `OTEL_EXPORTER_ZIPKIN_TIMEOUT`.
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
}

impl From<&str> for Zipkin {
    fn from(endpoint: &str) -> Self {
        Self::new(endpoint)
    }
}

impl From<&String> for Zipkin {
    fn from(endpoint: &String) -> Self {
        Self::new(endpoint)
    }
}

impl From<String> for Zipkin {
    fn from(endpoint: String) -> Self {
        Self::new(endpoint)
    }
}

/// Not the headers, whose values may be secrets.
impl fmt::Debug for Zipkin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zipkin")
            .field("url", &masked(&self.endpoint.value))
            .finish_non_exhaustive()
    }
}

const HELP: OptionsHelp = OptionsHelp {
    headers: "`Zipkin::header(name, value)`",
    certificates: "`Zipkin::ca_file`, `Zipkin::identity_files`",
};

const URL: Format<String> = Format {
    parse: |url, _| Some(url.to_owned()),
    shown: |url| Some(masked(url)),
    written: |url| masked(url),
};

/// No variables set the headers, the compression and the certificates.
fn variables(setting: &str) -> Vec<String> {
    match setting {
        "TIMEOUT" => vec!["OTEL_EXPORTER_ZIPKIN_TIMEOUT".to_owned()],
        _ => Vec::new(),
    }
}

impl ExporterSpec for Zipkin {
    fn name(&self) -> &'static str {
        "zipkin"
    }

    fn visit(&mut self, pass: &mut Pass<'_>) {
        let variable = ["OTEL_EXPORTER_ZIPKIN_ENDPOINT"];
        pass.setting("zipkin.endpoint", &variable, &URL, &mut self.endpoint);
        self.options.visit("zipkin", variables, pass);
    }

    fn start(self: Box<Self>, setup: Setup, _: &Resource) -> Result<Pipeline, Error> {
        if self.options.timeout.value.is_zero() {
            return Err(Error::Zero("Zipkin::timeout"));
        }
        let exporter = ZipkinHttp::new(&self.endpoint.value, &self.options)?;
        Pipeline::start("zipkin", setup, || exporter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Telemetry;

    #[test]
    fn mistake_names_the_settings_of_zipkin_and_no_others() {
        let receiver = || Zipkin::new("https://localhost:9411/api/v2/spans");
        for receiver in [
            receiver().header("x key", "1"),
            receiver().ca_file("/nowhere/ca.pem"),
            Zipkin::new("http://ada:s3cret@localhost:9411"),
            Zipkin::new("localhost"),
        ] {
            let error = Telemetry::builder().zipkin(receiver).build().unwrap_err();
            let error = error.to_string();
            assert!(
                error.contains("Zipkin::") || error.contains("ZIPKIN"),
                "{error}"
            );
            assert!(!error.to_lowercase().contains("otlp"), "{error}");
        }
    }
}
