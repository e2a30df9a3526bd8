//! Settings in code.

mod build;
mod privacy;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::trace::{IdGenerator, SpanExporter};

use super::Telemetry;
use super::exporters::Exporters;
use crate::config::{ExceptionSignal, Limits, Propagator, Settings};
use crate::diag;
use crate::error::Error;
use crate::exporter::console::spec::ConsoleSpec;
#[cfg(feature = "json")]
use crate::exporter::json_lines::{JsonFile, JsonStdout};
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
use crate::exporter::otlp::Otlp;
use crate::exporter::sdk::SdkSpec;
use crate::exporter::spec::ExporterSpec;
#[cfg(feature = "zipkin")]
use crate::exporter::zipkin::Zipkin;
use crate::propagation::Foreign;
use crate::sampling::{Keep, Rule, Sampler, Tenants};
use crate::semconv::KnownMethods;

/// Settings of a [`Telemetry`] instance in code. What is not set comes from the `OTEL_*` environment variables, what is not
/// there either from the defaults of the OpenTelemetry specification.
///
/// ```
/// use biztrace::Telemetry;
/// use biztrace::settings::Sampler;
///
/// let telemetry = Telemetry::builder()
///     .service(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
///     .otlp("http://localhost:4318")
///     .sampler(Sampler::trace_id_ratio(0.1).parent_based())
///     .build()?;
/// # drop(telemetry);
/// # Ok::<(), biztrace::Error>(())
/// ```
#[derive(Default)]
#[must_use = "settings do nothing until `install` or `build`"]
pub struct TelemetryBuilder {
    pub(crate) settings: Settings,
    /// Changes of limits, over those of the environment.
    limits: Vec<Box<ChangeLimits>>,
    exporters: Exporters,
    foreign_propagators: Vec<Foreign>,
    pub(crate) ids: Option<Box<dyn IdGenerator>>,
    /// The first mistake.
    mistake: Option<Error>,
}

type ChangeLimits = dyn FnOnce(&mut Limits) + Send;

impl fmt::Debug for TelemetryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not all of it is for a log: the key is a secret.
        f.debug_struct("TelemetryBuilder").finish_non_exhaustive()
    }
}

impl Telemetry {
    /// Settings in code. What is not set there comes from the environment.
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder::default()
    }
}

impl TelemetryBuilder {
    /// `service.name` and `service.version` of the resource.
    pub fn service(self, name: impl Into<String>, version: impl Into<String>) -> Self {
        let name = KeyValue::new("service.name", name.into());
        self.resource([name, KeyValue::new("service.version", version.into())])
    }

    /// Further attributes of the resource. Of a repeated key the last counts.
    pub fn resource(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        self.settings.own_resource.extend(attributes);
        self
    }

    /// Attributes of the span of each request, and of the first span of a trace in this process otherwise; what such a span
    /// sets itself takes precedence. Of a repeated key the last counts.
    ///
    /// What describes the process as a whole belongs to the [`resource`](Self::resource): it is sent once a batch. This is for
    /// what people search spans by, and their backend does not find there.
    ///
    /// ```
    /// use biztrace::{Telemetry, opentelemetry::KeyValue};
    ///
    /// let telemetry = Telemetry::builder().default_tags([KeyValue::new("env.region", "eu-west-1")]).build()?;
    /// # drop(telemetry);
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    pub fn default_tags(mut self, tags: impl IntoIterator<Item = KeyValue>) -> Self {
        let mut all = std::mem::take(&mut self.settings.tags.value);
        all.extend(tags);
        self.settings.tags.set(all);
        self
    }

    /// Sends traces by OTLP to `receiver`: an [`Otlp`], or the text of an endpoint for OTLP over HTTP. Needs the feature `otlp-http` or
    /// `otlp-grpc`.
    ///
    /// An exporter that is named in code takes the place of those of the environment, and a warning names the variables that are not
    /// used. Several may be named: each has its own queue, and gets all traces.
    #[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
    pub fn otlp(self, receiver: impl Into<Otlp>) -> Self {
        self.exporter(receiver.into())
    }

    /// Shows traces as trees on stderr.
    pub fn console(self) -> Self {
        self.exporter(ConsoleSpec::default())
    }

    /// Appends traces to a file, as lines of OTLP in JSON. Needs the feature `json`.
    #[cfg(feature = "json")]
    pub fn json_file(self, file: JsonFile) -> Self {
        self.exporter(file)
    }

    /// Writes traces to stdout, as lines of OTLP in JSON, for what collects the output of containers. Needs the feature `json`.
    #[cfg(feature = "json")]
    pub fn json_stdout(self) -> Self {
        self.exporter(JsonStdout)
    }

    /// Sends spans in Zipkin's format to `receiver`: a [`Zipkin`], or the text of its endpoint. Needs the feature `zipkin`.
    #[cfg(feature = "zipkin")]
    pub fn zipkin(self, receiver: impl Into<Zipkin>) -> Self {
        self.exporter(receiver.into())
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
        self,
        name: &'static str,
        make: impl FnOnce() -> Result<E, F> + Send + 'static,
    ) -> Self
    where
        E: SpanExporter + 'static,
        F: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let make = move || make().map_err(Into::into);
        self.exporter(SdkSpec { name, make })
    }

    fn exporter(mut self, exporter: impl ExporterSpec + 'static) -> Self {
        self.exporters.push(exporter);
        self
    }

    /// The formats in which context travels between services, instead of Trace Context and Baggage; `OTEL_PROPAGATORS`. Of several
    /// that a request has, the last of these names its caller; requests to others get all.
    ///
    /// ```
    /// use biztrace::Telemetry;
    /// use biztrace::settings::Propagator;
    ///
    /// // From services that speak B3 or Trace Context, and to them.
    /// let telemetry = Telemetry::builder()
    ///     .propagators([Propagator::B3, Propagator::TraceContext, Propagator::Baggage])
    ///     .build()?;
    /// # drop(telemetry);
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    pub fn propagators(mut self, propagators: impl IntoIterator<Item = Propagator>) -> Self {
        self.settings
            .propagators
            .set(propagators.into_iter().collect());
        self
    }

    /// Adds a propagator of another crate, which is read and written after those of [`propagators`](Self::propagators).
    pub fn propagator(
        mut self,
        propagator: impl TextMapPropagator + Send + Sync + 'static,
    ) -> Self {
        self.foreign_propagators.push(Arc::new(propagator));
        self
    }

    /// How errors are recorded: as span events, as log events, or both. Default: span events;
    /// `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN`.
    pub fn exceptions(mut self, signal: ExceptionSignal) -> Self {
        self.settings.exceptions.set(signal);
        self
    }

    /// Which traces to keep, decided when they start.
    pub fn sampler(mut self, sampler: impl Into<Sampler>) -> Self {
        self.settings.sampler.set(sampler.into());
        self
    }

    /// What is done with requests that match a condition, in place of what the sampler says. May be called several times: the first rule
    /// that matches decides.
    ///
    /// ```
    /// use biztrace::Telemetry;
    /// use biztrace::settings::Rule;
    ///
    /// let telemetry = Telemetry::builder()
    ///     .rule(Rule::path("/health*").never())
    ///     .rule(Rule::path("/search/**").rate(0.1))
    ///     .build()?;
    /// # drop(telemetry);
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    pub fn rule(mut self, rule: Rule) -> Self {
        let mut rules = std::mem::take(&mut self.settings.rules.value);
        rules.push(rule);
        self.settings.rules.set(rules);
        self
    }

    /// Which traces to keep beside those that the sampler keeps, decided when they are over. All traces are recorded then, and what is not
    /// kept is dropped before it is sent. What leaves with requests is the sampler's decision. `BIZTRACE_KEEP`, for example `errors,slow=500ms`.
    ///
    /// Default: errors, if [`Sampler::probability`], a rule or a tier keeps a share; otherwise nothing. [`Keep::none`] switches that off.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.settings.keep.set(Some(keep));
        self
    }

    /// Who the tenant of each trace is, and what its tier gets: a rate in place of the sampler's, a budget for each tenant, a queue of its own. All
    /// traces are recorded then, and decided when they are over: see [`Tenants`]. Where a tier has a rate or a budget, errors are kept, unless
    /// [`keep`](Self::keep) says something else. Default: none.
    ///
    /// ```
    /// use biztrace::Telemetry;
    /// use biztrace::settings::{Tenants, Tier};
    ///
    /// let telemetry = Telemetry::builder()
    ///     .tenants(Tenants::from_tag().tier("vip", Tier::of(["acme"]).queue(8192)))
    ///     .build()?;
    /// # drop(telemetry);
    /// # Ok::<(), biztrace::Error>(())
    /// ```
    pub fn tenants(mut self, tenants: Tenants) -> Self {
        self.settings.tenants.set(Some(tenants));
        self
    }

    /// Makes the ids of traces and spans, in place of random ones. It must make no id of zero, and no id of a span twice. Trace Context
    /// Level 2 wants the right 7 bytes of a trace's id random: samplers in other services decide by them.
    ///
    /// ```
    /// use biztrace::Telemetry;
    /// use opentelemetry_sdk::trace::RandomIdGenerator;
    ///
    /// let telemetry = Telemetry::builder().id_generator(RandomIdGenerator::default());
    /// # let _ = telemetry;
    /// ```
    pub fn id_generator(mut self, ids: impl IdGenerator + 'static) -> Self {
        self.ids = Some(Box::new(ids));
        self
    }

    /// Switches telemetry off: nothing is recorded and exported, and what a caller sends is passed on. `OTEL_SDK_DISABLED`.
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.settings.disabled.set(disabled);
        self
    }

    /// The HTTP methods that spans are named after, instead of those of RFC 9110 with PATCH and QUERY; any other is `_OTHER`.
    /// `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`.
    pub fn known_methods<M: Into<String>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        let methods = methods.into_iter().map(Into::into).collect();
        self.settings.known_methods.set(KnownMethods::new(methods));
        self
    }

    /// Changes what a span, a trace and all telemetry may hold; what is left alone stays as the environment has it.
    /// [`Telemetry::describe`] names the code as the source of a limit if this changes it: a limit that is set to the value that it
    /// has is not told from one that is left alone.
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
    pub fn limits(mut self, change: impl FnOnce(&mut Limits) + Send + 'static) -> Self {
        self.limits.push(Box::new(change));
        self
    }

    /// How long a finished trace waits for its batch to fill. Default 5 s, and 0.5 s for the console and `json_stdout`, which people
    /// watch; `OTEL_BSP_SCHEDULE_DELAY`.
    pub fn schedule_delay(mut self, delay: Duration) -> Self {
        self.settings.batch.schedule_delay.set(delay);
        self
    }

    /// How long one request to the receiver may take with all its attempts. Default 30 s; `OTEL_BSP_EXPORT_TIMEOUT`.
    pub fn export_timeout(mut self, timeout: Duration) -> Self {
        self.settings.batch.export_timeout.set(timeout);
        self
    }

    /// Spans that may wait for the receiver, beside one unfinished batch a thread; more are dropped and counted.
    /// Default 2048; `OTEL_BSP_MAX_QUEUE_SIZE`.
    pub fn max_queue_size(mut self, spans: usize) -> Self {
        self.settings.batch.max_queue_size.set(spans);
        self
    }

    /// Spans in one request, no more than the queue holds. Default 512; `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`.
    pub fn max_export_batch_size(mut self, spans: usize) -> Self {
        self.settings.batch.max_export_batch_size.set(spans);
        self
    }

    /// How long a shutdown may take. Default 10 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.settings.shutdown_timeout.set(timeout);
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
