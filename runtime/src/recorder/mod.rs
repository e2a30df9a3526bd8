//! Recording: spans as their OTLP bytes, and the OpenTelemetry API's provider, tracer and span over them.
//!
//! Above: attributes, settings, sampling. Below: the pipeline, which takes what has ended through [`Sink`].

mod annotated;
mod api_span;
mod attributes;
mod baggage;
mod cells;
mod clock;
mod current;
mod current_span;
mod descendants;
mod encoded_spans;
mod exception;
mod exception_policy;
mod handler;
mod head_copy;
mod heads;
mod inherited;
mod instance;
mod instrument;
mod key_index;
mod known_spans;
mod local;
mod locked_span;
mod memory;
#[cfg(test)]
mod model_tests;
mod noted_tenant;
mod observer;
mod open;
mod phase;
mod pool;
mod private_url;
mod request_reader;
mod route_privacy;
mod run_scope;
mod scope;
mod scoped;
mod seal;
mod sink;
mod site;
mod span;
mod span_fields;
mod start;
mod state;
#[cfg(test)]
mod stress_tests;
#[cfg(test)]
mod tests;
mod thread_scope;
mod trace;
mod tracer;
mod undecided;
mod verdict;

pub use self::annotated::{annotate, annotated, traced, traced_root};
#[cfg(feature = "testing")]
pub(crate) use self::current::with_recorder;
pub(crate) use self::current::{Current, install, recorder};
pub use self::current_span::{CurrentSpan, current};
pub(crate) use self::encoded_spans::EncodedSpans;
pub use self::handler::{HandlerRequest, child_handler, handler};
pub(crate) use self::head_copy::HeadCopy;
pub(crate) use self::instance::{Mode, Recorder, Sampled};
pub use self::instrument::{BodySpan, ResultSpan, Traced, TracedStream};
pub(crate) use self::local::LocalSpan;
pub(crate) use self::locked_span::LockedSpan;
pub(crate) use self::memory::{MemoryBudget, Reservation};
pub(crate) use self::observer::{ObservedRequest, Observer};
pub(crate) use self::request_reader::ReadHead;
pub use self::request_reader::{NoRequest, Recording, RequestReader, RequestSource};
pub(crate) use self::route_privacy::RoutePrivacy;
pub(crate) use self::run_scope::{ActiveSpan, RunScope};
pub(crate) use self::scope::Scope;
pub(crate) use self::scoped::{Enter, Scoped};
pub(crate) use self::sink::{Refusal, Sink, Waiting};
pub use self::site::Site;
pub use self::span::Span;
pub(crate) use self::start::{Start, Started};
#[cfg(test)]
pub(crate) use self::tests::doubles::Received;
pub(crate) use self::thread_scope::ScopeGuard;
pub use self::tracer::{Tracer, TracerProvider};
