//! Settings in code.

mod build;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::trace::SpanExporter;

use super::Telemetry;
use super::start::SpanExporterOf;
use crate::attribute::PiiPolicy;
use crate::config::{
    ExceptionSignal, Exporter, JsonLines, Limits, Otlp, Propagator, Sampler, Zipkin,
};
use crate::diag;
use crate::error::Error;
use crate::propagation::Foreign;

/// Settings of a [`Telemetry`] instance in code. What is not set comes from the `OTEL_*` environment variables, what is not
/// there either from the defaults of the OpenTelemetry specification.
///
/// ```
/// use biztrace::{Sampler, Telemetry};
///
/// let telemetry = Telemetry::builder()
///     .service(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
///     .otlp("http://localhost:4318")
///     .sampler(Sampler::parent_based(Sampler::TraceIdRatio(0.1)))
///     .build()?;
/// # drop(telemetry);
/// # Ok::<(), biztrace::Error>(())
/// ```
#[derive(Default)]
#[must_use = "settings do nothing until `install` or `build`"]
pub struct Builder {
    resource: Vec<KeyValue>,
    tags: Vec<KeyValue>,
    exporters: Vec<Exporter>,
    span_exporters: Vec<SpanExporterOf>,
    propagators: Option<Vec<Propagator>>,
    foreign_propagators: Vec<Foreign>,
    exceptions: Option<ExceptionSignal>,
    sampler: Option<Sampler>,
    limits: Vec<Box<ChangeLimits>>,
    hash_key: Option<Vec<u8>>,
    pii: Option<PiiPolicy>,
    schedule_delay: Option<Duration>,
    export_timeout: Option<Duration>,
    max_queue_size: Option<usize>,
    max_export_batch_size: Option<usize>,
    shutdown_timeout: Option<Duration>,
}

type ChangeLimits = dyn Fn(&mut Limits) + Send;

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not all of it is for a log: the key is a secret.
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}

impl Builder {
    /// `service.name` and `service.version` of the resource.
    pub fn service(self, name: impl Into<String>, version: impl Into<String>) -> Self {
        let name = KeyValue::new("service.name", name.into());
        self.resource([name, KeyValue::new("service.version", version.into())])
    }

    /// Further attributes of the resource. Of a repeated key the last counts.
    pub fn resource(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        self.resource.extend(attributes);
        self
    }

    /// Attributes of the span of each request, and of the first span of a trace in this process otherwise; what such a span
    /// sets itself goes before. Of a repeated key the last counts.
    ///
    /// What describes the process as a whole belongs to the [`resource`](Self::resource): it is sent once a batch. This is for
    /// what people search spans by, and their backend does not find there.
    ///
    /// ```
    /// use biztrace::{Telemetry, opentelemetry::KeyValue};
    ///
    /// let telemetry = Telemetry::builder().tags([KeyValue::new("env.region", "eu-west-1")]).build()?;
    /// # drop(telemetry);
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    pub fn tags(mut self, tags: impl IntoIterator<Item = KeyValue>) -> Self {
        self.tags.extend(tags);
        self
    }

    /// Sends traces by OTLP to `receiver`: an [`Otlp`], or the text of an endpoint for OTLP over HTTP.
    ///
    /// An exporter that is named in code takes the place of those of the environment. Several may be: each has its own queue,
    /// and gets all traces.
    pub fn otlp(self, receiver: impl Into<Otlp>) -> Self {
        self.exporter(Exporter::Otlp(receiver.into()))
    }

    /// Shows traces as trees on stderr.
    pub fn console(self) -> Self {
        self.exporter(Exporter::Console)
    }

    /// Appends traces to a file, as lines of OTLP in JSON. Needs the feature `otlp-file`.
    pub fn file(self, file: JsonLines) -> Self {
        self.exporter(Exporter::File(file))
    }

    /// Writes traces to stdout, as lines of OTLP in JSON, for what collects the output of containers. Needs the feature
    /// `otlp-file`.
    pub fn stdout(self) -> Self {
        self.exporter(Exporter::Stdout)
    }

    /// Sends spans in Zipkin's format to `endpoint`, as in `http://localhost:9411/api/v2/spans`, used as it is. Needs the feature
    /// `zipkin`.
    ///
    /// What Zipkin has no place for is left out: the links of a span, its tracestate and the flags of its trace, and attributes named
    /// `error`, since Zipkin takes every span with that tag for a failed one: those whose status says so have it. A request may
    /// take 10 s, or what `OTEL_EXPORTER_ZIPKIN_TIMEOUT` says. The format is that of the OpenTelemetry specification's page
    /// "OpenTelemetry to Zipkin Transformation".
    pub fn zipkin(self, endpoint: impl Into<String>) -> Self {
        self.exporter(Exporter::Zipkin(Zipkin {
            endpoint: endpoint.into(),
            ..Zipkin::default()
        }))
    }

    /// Hands spans to an exporter of the OpenTelemetry SDK, whatever it is. `name` is what reports, logs and
    /// [`describe`](Telemetry::describe) call it.
    ///
    /// `make` runs on the plain thread that all its calls are made on, one at a time: a client that blocks may be made and
    /// called there, and one that needs a tokio runtime finds one around it.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use biztrace::Telemetry;
    /// use opentelemetry_sdk::error::OTelSdkResult;
    /// use opentelemetry_sdk::trace::{SpanData, SpanExporter};
    ///
    /// #[derive(Debug)]
    /// struct Names;
    ///
    /// impl SpanExporter for Names {
    ///     async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
    ///         batch.iter().for_each(|span| println!("{}", span.name));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let telemetry = Telemetry::builder()
    ///     .span_exporter("names", || Ok::<_, Infallible>(Names))
    ///     .build()?;
    /// # telemetry.shutdown_blocking();
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    pub fn span_exporter<E, F>(
        mut self,
        name: &'static str,
        make: impl FnOnce() -> Result<E, F> + Send + 'static,
    ) -> Self
    where
        E: SpanExporter + 'static,
        F: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let make = move || make().map_err(Into::into);
        self.span_exporters.push(SpanExporterOf::new(name, make));
        self
    }

    fn exporter(mut self, exporter: Exporter) -> Self {
        self.exporters.push(exporter);
        self
    }

    /// The formats in which context travels between services, instead of Trace Context and Baggage; `OTEL_PROPAGATORS`. Of several
    /// that a request has, the last of these names its caller; requests to others get all.
    ///
    /// ```
    /// use biztrace::{Propagator, Telemetry};
    ///
    /// // From services that speak B3 or Trace Context, and to them.
    /// let telemetry = Telemetry::builder()
    ///     .propagators([Propagator::B3, Propagator::TraceContext, Propagator::Baggage])
    ///     .build()?;
    /// # drop(telemetry);
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    pub fn propagators(mut self, propagators: impl IntoIterator<Item = Propagator>) -> Self {
        self.propagators = Some(propagators.into_iter().collect());
        self
    }

    /// Adds a format of somebody else's, which is read and written after those of [`propagators`](Self::propagators).
    pub fn propagator(
        mut self,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) -> Self {
        self.foreign_propagators.push(Arc::new(propagator));
        self
    }

    /// As what the errors that spans end with are recorded. Default: events of the spans;
    /// `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN`.
    pub fn exceptions(mut self, signal: ExceptionSignal) -> Self {
        self.exceptions = Some(signal);
        self
    }

    /// Which traces to keep, decided when they start.
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = Some(sampler);
        self
    }

    /// Changes what a span, a trace and all telemetry may hold; what is left alone stays as the environment has it.
    ///
    /// ```
    /// use biztrace::Telemetry;
    ///
    /// let telemetry = Telemetry::builder()
    ///     .limits(|limits| {
    ///         limits.attributes = 64;
    ///         limits.memory = 64 * 1024 * 1024;
    ///     })
    ///     .build()?;
    /// # drop(telemetry);
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    pub fn limits(mut self, change: impl Fn(&mut Limits) + Send + 'static) -> Self {
        self.limits.push(Box::new(change));
        self
    }

    /// The secret by which `#[hash]` hashes values, of 16 bytes or more, the same in all services whose values are to be
    /// compared. `BIZTRACE_HASH_KEY`; without a key, such values are left out.
    pub fn hash_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.hash_key = Some(key.as_ref().to_vec());
        self
    }

    /// What becomes of values that are marked `#[pii]`. Default: they are dropped; `BIZTRACE_PII`, one of `keep`, `hash` and
    /// `drop`. Hashing needs a [`hash_key`](Self::hash_key).
    pub fn pii(mut self, policy: PiiPolicy) -> Self {
        self.pii = Some(policy);
        self
    }

    /// How long a finished trace waits for its batch to fill. Default 5 s; `OTEL_BSP_SCHEDULE_DELAY`.
    pub fn schedule_delay(mut self, delay: Duration) -> Self {
        self.schedule_delay = Some(delay);
        self
    }

    /// How long one request to the receiver may take with all its attempts. Default 30 s; `OTEL_BSP_EXPORT_TIMEOUT`.
    pub fn export_timeout(mut self, timeout: Duration) -> Self {
        self.export_timeout = Some(timeout);
        self
    }

    /// Spans that may wait for the receiver, beside one unfinished batch a thread; more are dropped and counted.
    /// Default 2048; `OTEL_BSP_MAX_QUEUE_SIZE`.
    pub fn max_queue_size(mut self, spans: usize) -> Self {
        self.max_queue_size = Some(spans);
        self
    }

    /// Spans in one request, no more than the queue holds. Default 512; `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`.
    pub fn max_export_batch_size(mut self, spans: usize) -> Self {
        self.max_export_batch_size = Some(spans);
        self
    }

    /// How long a shutdown may take. Default 10 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = Some(timeout);
        self
    }

    /// Makes an instance of its own, for those that it is given to.
    ///
    /// # Errors
    ///
    /// If it cannot work with its settings.
    pub fn build(self) -> Result<Telemetry, Error> {
        let built = self.build_here();
        diag::settle();
        built
    }

    /// Makes the instance that serves the whole process: annotated functions, `RequestTracing`, and libraries that use
    /// OpenTelemetry's global tracer provider and propagator.
    ///
    /// # Errors
    ///
    /// If it cannot work with its settings, or another instance is installed.
    pub fn install(self) -> Result<Telemetry, Error> {
        let installed = super::install(|| self.build_here());
        diag::settle();
        installed
    }
}
