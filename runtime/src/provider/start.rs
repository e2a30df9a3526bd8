//! Starts what an instance is made of: a pipeline for each exporter, and the recorder that feeds them.

use std::sync::{Arc, mpsc};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter;

use super::description::Description;
use super::{Instance, Telemetry, resource};
use crate::config::{Batch, Exporter, JsonLines, Otlp, Protocol, Settings, Zipkin};
use crate::error::Error;
use crate::exporter::console::Console;
use crate::exporter::sdk::{Sdk, Unmade};
use crate::pipeline::{FanOut, Pipeline};
use crate::recorder::{Mode, Recorder, Sink};

impl Telemetry {
    pub(super) fn start(
        mode: Mode,
        settings: Settings,
        span_exporters: Vec<SpanExporterOf>,
        resource: Resource,
        description: Description,
    ) -> Result<Self, Error> {
        let mut pipelines = Vec::new();
        if mode == Mode::Record {
            let encoded = resource::encode(&resource);
            for exporter in settings.exporters.clone().unwrap_or_default() {
                pipelines.push(pipeline(exporter, &settings, &encoded)?);
            }
            for exporter in span_exporters {
                let batch = settings.batch.clone();
                pipelines.push((exporter.start)(batch, encoded.clone(), resource.clone())?);
            }
        }
        let recorder = Recorder::new(mode, settings.sampler, settings.limits, sink(&pipelines))
            .with_privacy(settings.privacy)
            .with_tags(&settings.tags);
        Ok(Self(Arc::new(Instance {
            recorder: Arc::new(recorder),
            pipelines,
            shutdown_timeout: settings.shutdown_timeout,
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
fn pipeline(exporter: Exporter, settings: &Settings, resource: &[u8]) -> Result<Pipeline, Error> {
    let (batch, resource) = (settings.batch.clone(), resource.to_vec());
    let pipeline = match exporter {
        Exporter::Otlp(otlp) => return start_otlp(&otlp, batch, resource),
        Exporter::File(file) => return start_json_lines(Some(file), batch, resource),
        Exporter::Stdout => return start_json_lines(None, batch, resource),
        Exporter::Zipkin(zipkin) => return start_zipkin(&zipkin, batch, resource),
        Exporter::Console => {
            let no_color = settings.no_color;
            Pipeline::start("console", batch, resource, move || {
                Console::stderr(no_color)
            })
        }
    };
    pipeline.map_err(Error::Thread)
}

#[cfg(feature = "otlp-file")]
fn start_json_lines(
    file: Option<JsonLines>,
    batch: Batch,
    resource: Vec<u8>,
) -> Result<Pipeline, Error> {
    use crate::exporter::json_lines::{JsonLines, Rotating};

    let (name, lines) = match file {
        None => ("stdout", JsonLines::Stdout),
        Some(settings) => {
            let path = settings.path.display().to_string();
            let file = Rotating::open(settings).map_err(|source| Error::File { path, source })?;
            ("file", JsonLines::File(file))
        }
    };
    Pipeline::start(name, batch, resource, move || lines).map_err(Error::Thread)
}

#[cfg(not(feature = "otlp-file"))]
fn start_json_lines(_: Option<JsonLines>, _: Batch, _: Vec<u8>) -> Result<Pipeline, Error> {
    Err(Error::NotBuilt {
        exporter: "file",
        feature: "otlp-file",
    })
}

fn start_otlp(otlp: &Otlp, batch: Batch, resource: Vec<u8>) -> Result<Pipeline, Error> {
    match otlp.protocol() {
        Protocol::Grpc => start_grpc(otlp, batch, resource),
        Protocol::HttpProtobuf | Protocol::HttpJson => start_http(otlp, batch, resource),
    }
}

#[cfg(feature = "otlp-http")]
fn start_http(otlp: &Otlp, batch: Batch, resource: Vec<u8>) -> Result<Pipeline, Error> {
    use crate::exporter::otlp::http::{OtlpHttp, Settings};

    let settings = Settings::new(otlp)?;
    Pipeline::start("otlp", batch, resource, move || OtlpHttp::new(settings)).map_err(Error::Thread)
}

#[cfg(not(feature = "otlp-http"))]
fn start_http(_: &Otlp, _: Batch, _: Vec<u8>) -> Result<Pipeline, Error> {
    Err(Error::NotBuilt {
        exporter: "OTLP over HTTP",
        feature: "otlp-http",
    })
}

#[cfg(feature = "otlp-grpc")]
fn start_grpc(otlp: &Otlp, batch: Batch, resource: Vec<u8>) -> Result<Pipeline, Error> {
    use crate::exporter::otlp::grpc::{OtlpGrpc, Settings};

    let settings = Settings::new(otlp)?;
    Pipeline::start("otlp", batch, resource, move || OtlpGrpc::new(settings)).map_err(Error::Thread)
}

#[cfg(not(feature = "otlp-grpc"))]
fn start_grpc(_: &Otlp, _: Batch, _: Vec<u8>) -> Result<Pipeline, Error> {
    Err(Error::NotBuilt {
        exporter: "OTLP over gRPC",
        feature: "otlp-grpc",
    })
}

#[cfg(feature = "zipkin")]
fn start_zipkin(zipkin: &Zipkin, batch: Batch, resource: Vec<u8>) -> Result<Pipeline, Error> {
    use crate::exporter::zipkin::{Settings, ZipkinHttp};

    let settings = Settings::new(zipkin)?;
    Pipeline::start("zipkin", batch, resource, move || ZipkinHttp::new(settings))
        .map_err(Error::Thread)
}

#[cfg(not(feature = "zipkin"))]
fn start_zipkin(_: &Zipkin, _: Batch, _: Vec<u8>) -> Result<Pipeline, Error> {
    Err(Error::NotBuilt {
        exporter: "zipkin",
        feature: "zipkin",
    })
}

/// An exporter of the SDK that is to be started.
pub(super) struct SpanExporterOf {
    pub(super) name: &'static str,
    start: Box<StartSpanExporter>,
}

type StartSpanExporter = dyn FnOnce(Batch, Vec<u8>, Resource) -> Result<Pipeline, Error> + Send;

impl SpanExporterOf {
    pub(super) fn new<E: SpanExporter + 'static>(
        name: &'static str,
        make: impl FnOnce() -> Result<E, Unmade> + Send + 'static,
    ) -> Self {
        let start = move |batch, encoded, resource| {
            start_span_exporter(name, make, batch, encoded, resource)
        };
        Self {
            name,
            start: Box::new(start),
        }
    }
}

fn start_span_exporter<E: SpanExporter + 'static>(
    name: &'static str,
    make: impl FnOnce() -> Result<E, Unmade> + Send + 'static,
    batch: Batch,
    encoded: Vec<u8>,
    resource: Resource,
) -> Result<Pipeline, Error> {
    let (made, outcome) = mpsc::sync_channel(1);
    let pipeline = Pipeline::start(name, batch, encoded, move || {
        Sdk::start(make, resource, made)
    })
    .map_err(Error::Thread)?;
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
