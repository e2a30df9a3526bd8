//! Starts what an instance is made of: a pipeline for each exporter, and the recorder that feeds them.

use std::sync::{Arc, mpsc};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter;

use super::description::Description;
use super::poller::Poller;
use super::{Instance, Telemetry, resource};
use crate::config::{Exporter, JaegerRemote, JsonLines, Otlp, Protocol, Settings, Zipkin};
use crate::error::Error;
use crate::exporter::console::Console;
use crate::exporter::sdk::{Sdk, Unmade};
use crate::pipeline::{FanOut, LEAST_BYTES, Pipeline, Setup};
use crate::propagation::Propagators;
use crate::recorder::{Memory, Mode, Recorder, Sink};
use crate::sampling::{self, remote::Remote};

impl Telemetry {
    pub(super) fn start(
        mode: Mode,
        settings: Settings,
        span_exporters: Vec<SpanExporterOf>,
        propagators: Propagators,
        resource: Resource,
        description: Description,
    ) -> Result<Self, Error> {
        let exporters = settings.exporters.iter().flatten().count() + span_exporters.len();
        let (limit, least) = (settings.limits.memory, exporters * LEAST_BYTES);
        if mode == Mode::Record && limit < least {
            return Err(Error::Memory { limit, least });
        }
        let memory = Arc::new(Memory::new(limit));
        let setup = Setup {
            batch: settings.batch.clone(),
            resource: resource::encode(&resource),
            memory: Arc::clone(&memory),
        };
        let mut pipelines = Vec::new();
        if mode == Mode::Record {
            for exporter in settings.exporters.clone().unwrap_or_default() {
                pipelines.push(pipeline(exporter, &settings, setup.clone())?);
            }
            for exporter in span_exporters {
                pipelines.push((exporter.start)(setup.clone(), resource.clone())?);
            }
        }
        let (sampler, remote) = sampling::sampler(&settings.sampler);
        let remote = remote.zip(settings.sampler.remote());
        let poller = match remote {
            Some((remote, from)) if mode != Mode::Disabled => {
                Some(keep_up_to_date(remote, from, &resource)?)
            }
            _ => None,
        };
        let shutdown_timeout = settings.shutdown_timeout;
        let sink = sink(&pipelines);
        let recorder = Recorder::new(mode, settings, sampler, propagators, memory, sink);
        let recorder = Arc::new(recorder);
        pipelines
            .iter()
            .for_each(|pipeline| pipeline.watch(&recorder));
        Ok(Self(Arc::new(Instance {
            recorder,
            pipelines,
            poller,
            shutdown_timeout,
            description,
        })))
    }
}

/// Where the recorder hands its traces to: a single pipeline directly.
fn sink(pipelines: &[Pipeline]) -> Arc<dyn Sink> {
    match pipelines {
        [only] => only.sink(),
        all => Arc::new(FanOut(all.iter().map(Pipeline::sink).collect())),
    }
}

/// Starts the pipeline of an exporter.
fn pipeline(exporter: Exporter, settings: &Settings, setup: Setup) -> Result<Pipeline, Error> {
    match exporter {
        Exporter::Otlp(otlp) => start_otlp(&otlp, setup),
        Exporter::File(file) => start_json_lines(Some(file), setup),
        Exporter::Stdout => start_json_lines(None, setup),
        Exporter::Zipkin(zipkin) => start_zipkin(&zipkin, setup),
        Exporter::Console => {
            let no_color = settings.no_color;
            Pipeline::start("console", setup, move || Console::stderr(no_color))
        }
    }
}

#[cfg(feature = "otlp-file")]
fn start_json_lines(file: Option<JsonLines>, setup: Setup) -> Result<Pipeline, Error> {
    use crate::exporter::json_lines::{JsonLines, Rotating};

    let (name, lines) = match file {
        None => ("stdout", JsonLines::Stdout),
        Some(settings) => {
            let path = settings.path.display().to_string();
            let file = Rotating::open(settings).map_err(|source| Error::File { path, source })?;
            ("file", JsonLines::File(file))
        }
    };
    Pipeline::start(name, setup, move || lines)
}

#[cfg(not(feature = "otlp-file"))]
fn start_json_lines(_: Option<JsonLines>, _: Setup) -> Result<Pipeline, Error> {
    Err(Error::NotBuilt {
        part: "exporter to files",
        feature: "otlp-file",
        setting: "`Builder::otlp`, `Builder::console` or their like",
    })
}

fn start_otlp(otlp: &Otlp, setup: Setup) -> Result<Pipeline, Error> {
    match otlp.protocol() {
        Protocol::Grpc => start_grpc(otlp, setup),
        Protocol::HttpProtobuf | Protocol::HttpJson => start_http(otlp, setup),
    }
}

#[cfg(feature = "otlp-http")]
fn start_http(otlp: &Otlp, setup: Setup) -> Result<Pipeline, Error> {
    use crate::exporter::otlp::http::OtlpHttp;

    let exporter = OtlpHttp::new(otlp)?;
    Pipeline::start("otlp", setup, || exporter)
}

#[cfg(not(feature = "otlp-http"))]
fn start_http(_: &Otlp, _: Setup) -> Result<Pipeline, Error> {
    Err(Error::NotBuilt {
        part: "exporter of OTLP over HTTP",
        feature: "otlp-http",
        setting: "`Builder` or OTEL_TRACES_EXPORTER, or another protocol by OTEL_EXPORTER_OTLP_PROTOCOL",
    })
}

#[cfg(feature = "otlp-grpc")]
fn start_grpc(otlp: &Otlp, setup: Setup) -> Result<Pipeline, Error> {
    use crate::exporter::otlp::grpc::{OtlpGrpc, Settings};

    let settings = Settings::new(otlp)?;
    Pipeline::start("otlp", setup, move || OtlpGrpc::new(settings))
}

#[cfg(not(feature = "otlp-grpc"))]
fn start_grpc(_: &Otlp, _: Setup) -> Result<Pipeline, Error> {
    Err(Error::NotBuilt {
        part: "exporter of OTLP over gRPC",
        feature: "otlp-grpc",
        setting: "`Builder` or OTEL_TRACES_EXPORTER, or another protocol by OTEL_EXPORTER_OTLP_PROTOCOL",
    })
}

#[cfg(feature = "zipkin")]
fn start_zipkin(zipkin: &Zipkin, setup: Setup) -> Result<Pipeline, Error> {
    use crate::exporter::zipkin::ZipkinHttp;

    let exporter = ZipkinHttp::new(zipkin)?;
    Pipeline::start("zipkin", setup, || exporter)
}

#[cfg(not(feature = "zipkin"))]
fn start_zipkin(_: &Zipkin, _: Setup) -> Result<Pipeline, Error> {
    Err(Error::NotBuilt {
        part: "exporter to Zipkin",
        feature: "zipkin",
        setting: "`Builder` or OTEL_TRACES_EXPORTER",
    })
}

/// Starts to ask a server for the strategy.
#[cfg(feature = "otlp-grpc")]
fn keep_up_to_date(
    remote: Arc<Remote>,
    from: &JaegerRemote,
    resource: &Resource,
) -> Result<Poller, Error> {
    use opentelemetry::Key;

    use crate::exporter::strategies::StrategyServer;

    let service = resource.get(&Key::new("service.name"));
    let service = service.map(|name| name.to_string()).unwrap_or_default();
    let server = StrategyServer::new(from, service)?;
    Poller::start(server.keep(remote, from.polling_interval))
}

#[cfg(not(feature = "otlp-grpc"))]
fn keep_up_to_date(_: Arc<Remote>, _: &JaegerRemote, _: &Resource) -> Result<Poller, Error> {
    Err(Error::NotBuilt {
        part: "sampler jaeger_remote",
        feature: "otlp-grpc",
        setting: "`Builder::sampler` or OTEL_TRACES_SAMPLER",
    })
}

/// An exporter of the SDK that is to be started.
pub(super) struct SpanExporterOf {
    pub(super) name: &'static str,
    start: Box<StartSpanExporter>,
}

type StartSpanExporter = dyn FnOnce(Setup, Resource) -> Result<Pipeline, Error> + Send;

impl SpanExporterOf {
    pub(super) fn new<E: SpanExporter + 'static>(
        name: &'static str,
        make: impl FnOnce() -> Result<E, Unmade> + Send + 'static,
    ) -> Self {
        let start = move |setup, resource| start_span_exporter(name, make, setup, resource);
        Self {
            name,
            start: Box::new(start),
        }
    }
}

fn start_span_exporter<E: SpanExporter + 'static>(
    name: &'static str,
    make: impl FnOnce() -> Result<E, Unmade> + Send + 'static,
    setup: Setup,
    resource: Resource,
) -> Result<Pipeline, Error> {
    let (made, outcome) = mpsc::sync_channel(1);
    let pipeline = Pipeline::start(name, setup, move || Sdk::start(make, resource, made))?;
    match outcome.recv() {
        Ok(Ok(())) => Ok(pipeline),
        Ok(Err(source)) => Err(Error::Exporter {
            exporter: name,
            source,
        }),
        Err(_) => Err(Error::Exporter {
            exporter: name,
            source: "its constructor panicked".into(),
        }),
    }
}
