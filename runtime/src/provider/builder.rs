//! Settings in code, over those of the environment.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter;

use super::description::{Describe, Description};
use super::start::SpanExporterOf;
use super::{Telemetry, resource};
use crate::attribute::{HashKey, PiiPolicy};
use crate::config::{
    self, Batch, Environment, ExceptionSignal, Exporter, JaegerRemote, JsonLines, Limits, Otlp,
    Propagator, Sampler, Settings, Warning, Zipkin,
};
use crate::diag;
use crate::error::Error;
use crate::propagation::{Foreign, Propagators};
use crate::recorder::Mode;

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

    /// Over the process's environment. The caller has all said that comes of it, since a process may end by an error.
    fn build_here(self) -> Result<Telemetry, Error> {
        self.build_over(config::from_env(&|name| std::env::var_os(name)))
    }

    pub(super) fn build_over(mut self, environment: Environment) -> Result<Telemetry, Error> {
        let mut span_exporters = std::mem::take(&mut self.span_exporters);
        let settings = self.over(environment.settings.clone());
        let mut settings = settings.inspect_err(|_| say(&environment.warnings))?;
        if !span_exporters.is_empty() && self.exporters.is_empty() {
            settings.exporters = Some(Vec::new());
        }
        let mode = if settings.disabled {
            settings.exporters = Some(Vec::new());
            span_exporters.clear();
            Mode::Disabled
        } else {
            let exporters = settings
                .exporters
                .get_or_insert_with(|| vec![choose(&settings.otlp)]);
            if exporters.is_empty() && span_exporters.is_empty() {
                Mode::Propagate
            } else {
                Mode::Record
            }
        };
        let resource = resource::resource(&settings, &self.resource);
        let names: Vec<_> = span_exporters.iter().map(|it| it.name).collect();
        let (description, warnings) = self.describe(&settings, &names, &resource, &environment);
        say(&warnings);
        let propagators = Propagators::new(settings.propagators.clone(), self.foreign_propagators);
        Telemetry::start(
            mode,
            settings,
            span_exporters,
            propagators,
            resource,
            description,
        )
    }

    /// What is active, and the warnings that still matter.
    pub(super) fn describe(
        &self,
        settings: &Settings,
        span_exporters: &[&str],
        resource: &Resource,
        environment: &Environment,
    ) -> (Description, Vec<Warning>) {
        let mut describe = Describe::new(environment);
        if settings.disabled {
            describe.setting("disabled", true, false, &["OTEL_SDK_DISABLED"]);
        }
        describe.resource(resource, &self.resource);
        let exporters = settings.exporters.iter().flatten().enumerate();
        for (i, exporter) in exporters {
            describe.exporter(exporter, self.exporters.get(i));
        }
        for name in span_exporters {
            describe.setting("exporter", name, true, &["OTEL_TRACES_EXPORTER"]);
        }
        if settings.exporters.iter().flatten().count() + span_exporters.len() == 0 {
            let variable = if settings.disabled {
                "OTEL_SDK_DISABLED"
            } else {
                "OTEL_TRACES_EXPORTER"
            };
            describe.setting("exporter", "none", false, &[variable]);
        } else if self.exporters.is_empty() && span_exporters.is_empty() {
            // Of an endpoint that no exporter is named for.
            describe.count(&["OTEL_EXPORTER_ZIPKIN_ENDPOINT"]);
        }
        describe.setting(
            "sampler",
            &settings.sampler,
            self.sampler.is_some(),
            &["OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"],
        );
        let asked = environment.settings.batch.max_export_batch_size;
        let asked = self.max_export_batch_size.unwrap_or(asked);
        describe.batch(&settings.batch, asked, |name| match name {
            "schedule_delay" => self.schedule_delay.is_some(),
            "export_timeout" => self.export_timeout.is_some(),
            "max_queue_size" => self.max_queue_size.is_some(),
            _ => self.max_export_batch_size.is_some(),
        });
        describe.limits(&settings.limits);
        describe.privacy(settings, self.hash_key.is_some(), self.pii.is_some());
        if !settings.tags.is_empty() {
            let keys: Vec<_> = settings.tags.iter().map(|tag| tag.key.as_str()).collect();
            describe.setting("tags", keys.join(","), true, &[]);
        }
        let timeout = format!("{:?}", settings.shutdown_timeout);
        describe.setting(
            "shutdown_timeout",
            timeout,
            self.shutdown_timeout.is_some(),
            &[],
        );
        let propagators = settings.propagators.iter().map(ToString::to_string);
        let foreign = self.foreign_propagators.iter().map(|it| format!("{it:?}"));
        let mut names: Vec<_> = propagators.chain(foreign).collect();
        if names.is_empty() {
            names.push("none".into());
        }
        let in_code = self.propagators.is_some() || !self.foreign_propagators.is_empty();
        describe.setting(
            "propagators",
            names.join(","),
            in_code,
            &["OTEL_PROPAGATORS"],
        );
        describe.setting(
            "exceptions",
            settings.exceptions,
            self.exceptions.is_some(),
            &["OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN"],
        );
        describe.setting(
            "known_methods",
            &settings.known_methods,
            false,
            &["OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS"],
        );
        describe.finish(settings.disabled)
    }

    /// These settings over those of the environment.
    pub(crate) fn over(&self, mut settings: Settings) -> Result<Settings, Error> {
        fn set<T>(to: &mut T, from: Option<T>) {
            if let Some(value) = from {
                *to = value;
            }
        }
        let Batch {
            schedule_delay,
            export_timeout,
            max_queue_size,
            max_export_batch_size,
        } = &mut settings.batch;
        set(schedule_delay, self.schedule_delay);
        set(export_timeout, self.export_timeout);
        set(max_queue_size, self.max_queue_size);
        set(max_export_batch_size, self.max_export_batch_size);
        let zeros = [
            (schedule_delay.is_zero(), "Builder::schedule_delay"),
            (export_timeout.is_zero(), "Builder::export_timeout"),
            (*max_queue_size == 0, "Builder::max_queue_size"),
            (
                *max_export_batch_size == 0,
                "Builder::max_export_batch_size",
            ),
            (self.exporters.iter().any(has_no_time), "Otlp::timeout"),
        ];
        if let Some((_, name)) = zeros.into_iter().find(|(is_zero, _)| *is_zero) {
            return Err(Error::Zero(name));
        }
        *max_export_batch_size = (*max_export_batch_size).min(*max_queue_size);

        set(&mut settings.shutdown_timeout, self.shutdown_timeout);
        set(&mut settings.propagators, self.propagators.clone());
        set(&mut settings.exceptions, self.exceptions);
        set(&mut settings.sampler, self.sampler.clone());
        for change in &self.limits {
            change(&mut settings.limits);
        }
        set(&mut settings.privacy.pii, self.pii);
        if let Some(key) = &self.hash_key {
            let key = HashKey::new(key).ok_or(Error::HashKey(key.len()))?;
            settings.privacy.hash_key = Some(key);
        }
        if settings.privacy.pii == PiiPolicy::Hash && settings.privacy.hash_key.is_none() {
            if self.pii.is_some() {
                return Err(Error::NoHashKey);
            }
            diag::warn(format_args!(
                "BIZTRACE_PII=hash needs a key: set BIZTRACE_HASH_KEY; until then such values are left out"
            ));
        }
        if self.tags.iter().any(|tag| tag.key.as_str().is_empty()) {
            return Err(Error::UnnamedTag);
        }
        settings.tags = self.tags.clone();
        if !self.exporters.is_empty() {
            let over = |exporter| match exporter {
                Exporter::Otlp(otlp) => Exporter::Otlp(otlp.over(&settings.otlp)),
                Exporter::Zipkin(zipkin) => Exporter::Zipkin(Zipkin {
                    timeout: settings.zipkin.timeout,
                    ..zipkin
                }),
                other => other,
            };
            settings.exporters = Some(self.exporters.iter().cloned().map(over).collect());
        }
        check(&settings.sampler)?;
        Ok(settings)
    }
}

fn say<'a>(warnings: impl IntoIterator<Item = &'a Warning>) {
    for warning in warnings {
        diag::warn(format_args!("{warning}"));
    }
}

fn has_no_time(exporter: &Exporter) -> bool {
    matches!(exporter, Exporter::Otlp(otlp) if otlp.request_timeout().is_zero())
}

fn check(sampler: &Sampler) -> Result<(), Error> {
    match sampler {
        Sampler::TraceIdRatio(ratio)
        | Sampler::JaegerRemote(JaegerRemote {
            initial_rate: ratio,
            ..
        }) if !(0.0..=1.0).contains(ratio) => Err(Error::Ratio(*ratio)),
        Sampler::ParentBased(root) => check(root),
        Sampler::JaegerRemote(remote) if remote.polling_interval.is_zero() => {
            Err(Error::Zero("JaegerRemote::polling_interval"))
        }
        _ => Ok(()),
    }
}

/// Where nobody says where traces should go: to the person in front of a terminal, else where the specification says.
fn choose(otlp: &Otlp) -> Exporter {
    if !io::stderr().is_terminal() {
        return Exporter::Otlp(otlp.clone());
    }
    diag::to_stderr(format_args!(
        "traces are shown here; set OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 to send them to a receiver instead \
         (OTEL_TRACES_EXPORTER=none for neither)"
    ));
    Exporter::Console
}
