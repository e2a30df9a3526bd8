//! Settings as plain data. This layer imports only what attributes are told; everything below is told its
//! settings by it. [`from_env`] fills it from the environment, the builder from code.

mod env;
mod exceptions;
mod jaeger_remote;
mod json_lines;
mod otlp;
mod propagator;
mod zipkin;

use std::fmt;
use std::time::Duration;

pub(crate) use self::env::{Environment, Warning, from_env};
pub use self::exceptions::ExceptionSignal;
pub use self::jaeger_remote::JaegerRemote;
pub use self::json_lines::JsonLines;
pub use self::otlp::Otlp;
pub(crate) use self::otlp::{Certificates, Compression, Endpoint, Protocol, masked};
pub use self::propagator::Propagator;
pub(crate) use self::zipkin::Zipkin;

use opentelemetry::KeyValue;

use crate::attribute::Privacy;
use crate::semconv::KnownMethods;

/// All that a telemetry instance is told. The default is what an empty environment gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// Record and export nothing. Propagation goes on working.
    pub(crate) disabled: bool,
    /// The resource's `service.name`. If set, `resource` holds no `service.name`.
    pub(crate) service_name: Option<String>,
    /// Further attributes of the resource, in the order given; of a repeated key the last counts.
    pub(crate) resource: Vec<(String, String)>,
    /// `None` where neither an exporter nor an endpoint is named; empty where nothing is to be exported.
    pub(crate) exporters: Option<Vec<Exporter>>,
    /// What OTLP receivers have in common.
    pub(crate) otlp: Otlp,
    /// The receiver of Zipkin's format that the environment names.
    pub(crate) zipkin: Zipkin,
    /// The formats of context, in the order in which they are read.
    pub(crate) propagators: Vec<Propagator>,
    /// As what errors are recorded.
    pub(crate) exceptions: ExceptionSignal,
    /// The methods that spans are named after.
    pub(crate) known_methods: KnownMethods,
    /// The head sampler.
    pub(crate) sampler: Sampler,
    /// When and how much is exported at once.
    pub(crate) batch: Batch,
    /// What one span and one trace may hold.
    pub(crate) limits: Limits,
    /// How values that are marked for it are protected.
    pub(crate) privacy: Privacy,
    /// Attributes of the first span of each trace here, and of each SERVER span.
    pub(crate) tags: Vec<KeyValue>,
    /// How long a shutdown may take.
    pub(crate) shutdown_timeout: Duration,
    /// The console shows no colours (<https://no-color.org>).
    pub(crate) no_color: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            disabled: false,
            service_name: None,
            resource: Vec::new(),
            exporters: None,
            otlp: Otlp::default(),
            zipkin: Zipkin::default(),
            propagators: Propagator::DEFAULT.to_vec(),
            exceptions: ExceptionSignal::default(),
            known_methods: KnownMethods::DEFAULT,
            sampler: Sampler::default(),
            batch: Batch::default(),
            limits: Limits::default(),
            privacy: Privacy::default(),
            tags: Vec::new(),
            shutdown_timeout: Duration::from_secs(10),
            no_color: false,
        }
    }
}

/// Where finished traces go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exporter {
    /// To a receiver of OTLP.
    Otlp(Otlp),
    /// A readable tree on stderr.
    Console,
    /// A file of OTLP in JSON.
    File(JsonLines),
    /// The same lines on stdout.
    Stdout,
    /// To a receiver of Zipkin's format.
    Zipkin(Zipkin),
}

/// Which traces are recorded, decided when their first span in this process starts.
///
/// The default records every new trace and follows the caller's decision for the others.
///
/// The samplers are those of the [OpenTelemetry specification][spec].
///
/// ```
/// use biztrace::Sampler;
///
/// // One new trace in ten. A trace that began in another service is recorded if it is there.
/// let sampler = Sampler::parent_based(Sampler::TraceIdRatio(0.1));
///
/// assert_eq!(Sampler::default(), Sampler::parent_based(Sampler::AlwaysOn));
/// # let _ = sampler;
/// ```
///
/// [spec]: https://opentelemetry.io/docs/specs/otel/trace/sdk/#built-in-samplers
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Sampler {
    /// Record every trace.
    AlwaysOn,
    /// Record no trace.
    AlwaysOff,
    /// Record this share of all traces, from 0 (none) to 1 (all). The decision depends on the trace
    /// id alone, so that services with the same ratio decide alike.
    TraceIdRatio(f64),
    /// Follow the decision of the parent span; ask the inner sampler where there is none.
    /// [`Sampler::parent_based`] builds one.
    ParentBased(Box<Sampler>),
    /// Do as a server says.
    JaegerRemote(JaegerRemote),
}

impl Sampler {
    /// Follows the decision of the parent span, and asks `root` where there is none.
    pub fn parent_based(root: Self) -> Self {
        Self::ParentBased(Box::new(root))
    }

    /// What it asks, if it is a server's.
    pub(crate) fn remote(&self) -> Option<&JaegerRemote> {
        match self {
            Self::JaegerRemote(remote) => Some(remote),
            Self::ParentBased(root) => root.remote(),
            Self::AlwaysOn | Self::AlwaysOff | Self::TraceIdRatio(_) => None,
        }
    }
}

/// As `OTEL_TRACES_SAMPLER` names them, with the ratio in brackets.
impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlwaysOn => f.write_str("always_on"),
            Self::AlwaysOff => f.write_str("always_off"),
            Self::TraceIdRatio(ratio) => write!(f, "traceidratio({ratio})"),
            Self::ParentBased(root) => write!(f, "parentbased_{root}"),
            Self::JaegerRemote(remote) => write!(f, "jaeger_remote({remote})"),
        }
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::parent_based(Self::AlwaysOn)
    }
}

/// When and how much is exported at once, counted in spans (the specification's batch processor).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The longest that a finished span waits for its batch to fill.
    pub(crate) schedule_delay: Duration,
    /// The longest that one export may take.
    pub(crate) export_timeout: Duration,
    /// Spans that may wait; more are dropped.
    pub(crate) max_queue_size: usize,
    /// Spans in one export. [`Settings`] in their last form have no more of them than the queue holds.
    pub(crate) max_export_batch_size: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            schedule_delay: Duration::from_secs(5),
            export_timeout: Duration::from_secs(30),
            max_queue_size: 2048,
            max_export_batch_size: 512,
        }
    }
}

/// What one span and one trace may hold.
///
/// What goes past a limit is left out and counted: attributes, events and links in the span's own
/// `dropped_*_count` fields. Zero is a limit like any other.
///
/// The [OpenTelemetry specification][spec] defines the limits on spans and their defaults. Those
/// on traces and memory are this crate's own: they bound the memory of a trace that never ends, and of all telemetry.
///
/// ```
/// let mut limits = biztrace::Limits::default();
/// limits.attributes = 64;
/// limits.attribute_value_length = Some(1024);
/// ```
///
/// [spec]: https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-limits
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Attributes on a span. Default 128; `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`, else
    /// `OTEL_ATTRIBUTE_COUNT_LIMIT`.
    pub attributes: usize,
    /// Characters, not bytes, in a string value; longer ones are cut. No limit by default;
    /// `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`, else `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`.
    pub attribute_value_length: Option<usize>,
    /// Events on a span. Default 128; `OTEL_SPAN_EVENT_COUNT_LIMIT`.
    pub events: usize,
    /// Links on a span. Default 128; `OTEL_SPAN_LINK_COUNT_LIMIT`.
    pub links: usize,
    /// Attributes on one event. Default 128; `OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT`.
    pub event_attributes: usize,
    /// Attributes on one link. Default 128; `OTEL_LINK_ATTRIBUTE_COUNT_LIMIT`.
    pub link_attributes: usize,
    /// Spans of one trace that may be open in this process at a time. Default 1024. Ended spans that wait for open ones count, too,
    /// but they are exported early when they take half of it.
    pub spans_per_trace: usize,
    /// Encoded bytes that one trace may have in this process at a time. Default 1 MiB. Ended spans that wait are exported early when
    /// they take half of it.
    pub bytes_per_trace: usize,
    /// How long ended spans wait for open spans of their trace, for example below a handler that hangs, or a response without an
    /// end. Then they are exported without the open ones. Default 30 s. The export thread looks for such spans at each schedule
    /// delay, so the wait may take that much longer.
    pub hold: Duration,
    /// Bytes that all telemetry of an instance may hold: open traces, what waits for the exporters, and their requests. Default
    /// 256 MiB. Past it, spans are not recorded, and count as dropped for [`MemoryLimit`](crate::DropReason::MemoryLimit); what is
    /// open goes on with what it has. Each exporter keeps 1.5 MiB, and up to 128 KiB for each thread that records; less than 2 MiB for an
    /// exporter is an error. Each open trace takes blocks of 4 KiB. A quarter of it at most goes to the copies of requests' heads that tags
    /// read: past that, tags are missing and no spans
    /// ([`Report::incomplete_heads`](crate::Report::incomplete_heads)). The allocator's own share, up to as much again, is not counted.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attributes: 128,
            attribute_value_length: None,
            events: 128,
            links: 128,
            event_attributes: 128,
            link_attributes: 128,
            spans_per_trace: 1024,
            bytes_per_trace: 1024 * 1024,
            hold: Duration::from_secs(30),
            memory: 256 * 1024 * 1024,
        }
    }
}
