//! The variables of the OTLP exporter: those for traces go before those for all signals.

use std::fmt;

use super::super::{Certificates, Compression, Endpoint, Otlp, Protocol};
use super::{Reader, boolean, milliseconds, pair};

const ALL: &str = "OTEL_EXPORTER_OTLP_";
const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_";

impl Reader<'_> {
    pub(super) fn otlp(&mut self) -> Otlp {
        let path = |reader: &mut Self, setting| {
            let (_, path) = reader.signal(setting)?;
            Some(path.into())
        };
        Otlp {
            protocol: self.read_signal(
                "PROTOCOL",
                "http/protobuf, http/json or grpc",
                "http/protobuf",
                protocol,
            ),
            endpoint: self.endpoint(),
            headers: self.headers(),
            compression: self.read_signal("COMPRESSION", "gzip or none", "none", compression),
            timeout: self.read_signal(
                "TIMEOUT",
                milliseconds::EXPECTED,
                10_000,
                milliseconds::parse,
            ),
            certificates: Certificates {
                ca_file: path(self, "CERTIFICATE"),
                cert_file: path(self, "CLIENT_CERTIFICATE"),
                key_file: path(self, "CLIENT_KEY"),
            },
            insecure: self.read_signal("INSECURE", "true or false", false, boolean),
        }
    }

    fn endpoint(&mut self) -> Option<Endpoint> {
        let (variable, url) = self.signal("ENDPOINT")?;
        Some(if variable.starts_with(TRACES) {
            Endpoint::Traces(url)
        } else {
            Endpoint::Base(url)
        })
    }

    /// In the format of W3C Baggage. The values are not shown: they are secrets as often as not.
    fn headers(&mut self) -> Vec<(String, String)> {
        let Some((variable, value)) = self.signal("HEADERS") else {
            return Vec::new();
        };
        let members = value.split(',').filter(|member| !member.trim().is_empty());
        // A name alone is a secret as often as not, the padding of one included.
        let has_value = |(_, value): &(String, String)| !value.trim_matches('=').is_empty();
        let headers: Option<_> = members
            .map(|member| pair(member).filter(has_value))
            .collect();
        headers.unwrap_or_else(|| {
            let expected = "a comma-separated list of percent-encoded name=value pairs";
            self.warn(variable, "…", expected, "none of them");
            Vec::new()
        })
    }

    /// The variable of a setting, and its value.
    fn signal(&mut self, setting: &str) -> Option<(String, String)> {
        [TRACES, ALL].into_iter().find_map(|prefix| {
            let variable = format!("{prefix}{setting}");
            let value = self.text(&variable)?;
            Some((variable, value))
        })
    }

    /// As `parse` reads it. A variable for traces that cannot be read leaves it to the one for all signals.
    fn read_signal<T>(
        &mut self,
        setting: &str,
        expected: &str,
        instead: impl fmt::Display,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let [traces, all] = [TRACES, ALL].map(|prefix| format!("{prefix}{setting}"));
        let general = (self.lookup)(&all).filter(|value| !value.is_empty());
        let next: &dyn fmt::Display = if general.is_some() { &all } else { &instead };
        self.read(&traces, expected, next, &parse)
            .or_else(|| self.read(&all, expected, instead, parse))
    }
}

fn protocol(value: &str) -> Option<Protocol> {
    match value.to_ascii_lowercase().as_str() {
        "http/protobuf" => Some(Protocol::HttpProtobuf),
        "http/json" => Some(Protocol::HttpJson),
        "grpc" => Some(Protocol::Grpc),
        _ => None,
    }
}

fn compression(value: &str) -> Option<Compression> {
    match value.to_ascii_lowercase().as_str() {
        "gzip" => Some(Compression::Gzip),
        "none" => Some(Compression::None),
        _ => None,
    }
}
