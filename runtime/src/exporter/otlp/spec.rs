//! The exporter `otlp`: its settings in the environment, and its start.

use opentelemetry_sdk::Resource;

use super::settings::{Endpoint, Otlp, Protocol};
use crate::config::format::{BOOLEAN, Format};
use crate::config::{Environment, Pass, Source, Sourced};
use crate::error::Error;
use crate::exporter::spec::ExporterSpec;
use crate::exporter::transport::endpoint::is_same_server;
use crate::exporter::transport::masked;
use crate::pipeline::{Pipeline, Setup};

const PROTOCOL: Format<Protocol> = Format {
    parse: |value, refused| {
        let parsed = match value.to_ascii_lowercase().as_str() {
            "http/protobuf" => Some(Protocol::HttpProtobuf),
            "http/json" => Some(Protocol::HttpJson),
            "grpc" => Some(Protocol::Grpc),
            _ => None,
        };
        refused.or_add(parsed, value, "http/protobuf, http/json or grpc")
    },
    shown: |protocol| Some(name(*protocol).to_owned()),
    written: |protocol| name(*protocol).to_owned(),
};

fn name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::HttpProtobuf => "http/protobuf",
        Protocol::HttpJson => "http/json",
        Protocol::Grpc => "grpc",
    }
}

const INSECURE: Format<Option<bool>> = Format {
    parse: |value, refused| (BOOLEAN.parse)(value, refused).map(Some),
    shown: |insecure| insecure.map(|insecure| insecure.to_string()),
    written: |insecure| insecure.unwrap_or(false).to_string(),
};

/// An endpoint for traces alone, and one for all signals. The URL is described with its path.
const TRACES: Format<Option<Endpoint>> = Format {
    parse: |url, _| Some(Some(Endpoint::Traces(url.to_owned()))),
    shown: |_| None,
    written: |_| String::new(),
};
const BASE: Format<Option<Endpoint>> = Format {
    parse: |url, _| Some(Some(Endpoint::Base(url.to_owned()))),
    ..TRACES
};

/// The variables that set that: the one for traces takes precedence over that for all signals.
fn variables(setting: &str) -> Vec<String> {
    ["OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"]
        .map(|prefix| format!("{prefix}{setting}"))
        .into()
}

fn read_endpoint(environment: Environment<'_>, endpoint: &mut Sourced<Option<Endpoint>>) {
    let variables = variables("ENDPOINT");
    let Sourced { value, origin } = endpoint;
    environment.read(&variables[1..], &BASE, value, origin);
    environment.read(&variables[..1], &TRACES, value, origin);
}

impl Otlp {
    /// Leaves out credentials of the environment that may be meant for another receiver.
    fn withhold_credentials(&mut self, environment: Environment<'_>) {
        if !self.endpoint.origin.is_code() {
            return;
        }
        let mut named = Sourced::default();
        read_endpoint(environment, &mut named);
        let why = match &named.value {
            Some(endpoint) if is_same_server(endpoint.written(), self.written()) => return,
            Some(_) => format!("it is for the receiver of {}", named.origin.source),
            None if self.is_one_of_several => {
                "the code names several receivers, and it is for one".to_owned()
            }
            None => return,
        };
        let url = masked(&self.url());
        self.options.withhold_credentials(&format!(
            " is not used for {url}: {why}. Set it in code, by `Otlp::header` or `Otlp::identity_files`"
        ));
    }
}

impl ExporterSpec for Otlp {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn set_one_of_several(&mut self) {
        self.is_one_of_several = true;
    }

    fn visit(&mut self, pass: &mut Pass<'_>) {
        if let Pass::Read(environment) = pass {
            read_endpoint(*environment, &mut self.endpoint);
        }
        pass.variables(&variables("ENDPOINT"));
        let url = masked(&self.url());
        pass.described("otlp.endpoint", Some(url), &self.endpoint.origin);
        pass.setting(
            "otlp.protocol",
            &variables("PROTOCOL"),
            &PROTOCOL,
            &mut self.protocol,
        );
        pass.setting(
            "otlp.insecure",
            &variables("INSECURE"),
            &INSECURE,
            &mut self.insecure,
        );
        self.options.visit("otlp", variables, pass);
        if let Pass::Read(environment) = pass {
            self.withhold_credentials(*environment);
        }
    }

    fn named_by(&self) -> Option<&Source> {
        self.endpoint
            .value
            .is_some()
            .then_some(&self.endpoint.origin.source)
    }

    fn start(self: Box<Self>, setup: Setup, _: &Resource) -> Result<Pipeline, Error> {
        if self.options.timeout.value.is_zero() {
            return Err(Error::Zero("Otlp::timeout"));
        }
        match self.protocol.value {
            Protocol::Grpc => start_grpc(&self, setup),
            Protocol::HttpProtobuf | Protocol::HttpJson => start_http(&self, setup),
        }
    }
}

#[cfg(feature = "otlp-http")]
fn start_http(otlp: &Otlp, setup: Setup) -> Result<Pipeline, Error> {
    let exporter = super::http::OtlpHttp::new(otlp)?;
    Pipeline::start("otlp", setup, || exporter)
}

#[cfg(not(feature = "otlp-http"))]
fn start_http(_: &Otlp, _: Setup) -> Result<Pipeline, Error> {
    Err(Error::NotBuilt {
        part: "exporter of OTLP over HTTP",
        feature: "otlp-http",
        setting: "OTEL_TRACES_EXPORTER, or another protocol by OTEL_EXPORTER_OTLP_PROTOCOL",
    })
}

#[cfg(feature = "otlp-grpc")]
fn start_grpc(otlp: &Otlp, setup: Setup) -> Result<Pipeline, Error> {
    let client = super::grpc::GrpcReceiver::new(otlp)?;
    Pipeline::start("otlp", setup, move || super::grpc::OtlpGrpc::new(client))
}

#[cfg(not(feature = "otlp-grpc"))]
fn start_grpc(_: &Otlp, _: Setup) -> Result<Pipeline, Error> {
    Err(Error::NotBuilt {
        part: "exporter of OTLP over gRPC",
        feature: "otlp-grpc",
        setting: "OTEL_TRACES_EXPORTER, or another protocol by OTEL_EXPORTER_OTLP_PROTOCOL",
    })
}
