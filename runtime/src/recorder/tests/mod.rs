//! What comes out of the recorder.

pub(crate) mod doubles;
mod limits;
mod memory;
mod spans;
mod tenants;
mod traces;

use std::sync::Arc;

use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span as Otlp;

use self::doubles::Received;
use super::exception_policy;
use super::{LocalSpan, MemoryBudget, Mode, Recorder, Sink, Tracer, TracerProvider};
use crate::config::{Limits, Settings};
use crate::propagation::Propagators;
use crate::sampling::Sampler;
use crate::semconv::Outcome;

impl Recorder {
    /// Records every trace, with a memory of its own.
    pub(crate) fn for_tests(mode: Mode, limits: Limits, sink: Arc<dyn Sink>) -> Self {
        let memory = Arc::new(MemoryBudget::new(limits.memory));
        Self::with_memory(mode, limits, memory, sink)
    }

    /// The same over a memory in which others count, too.
    pub(crate) fn with_memory(
        mode: Mode,
        limits: Limits,
        memory: Arc<MemoryBudget>,
        sink: Arc<dyn Sink>,
    ) -> Self {
        let mut settings = Settings::default();
        settings.limits.change(|own| *own = limits);
        let propagators = Propagators::new(settings.propagators.value.clone(), Vec::new());
        settings.sampler.set(Sampler::always_on());
        Self::new(mode, settings, propagators, memory, sink)
    }
}

fn recorder(limits: Limits) -> (Tracer, Arc<Received>) {
    let (recorder, sink) = recording(limits);
    (TracerProvider::new(recorder).tracer("test"), sink)
}

fn recording(limits: Limits) -> (Arc<Recorder>, Arc<Received>) {
    let sink = Arc::new(Received::default());
    let recorder = Recorder::for_tests(Mode::Record, limits, Arc::clone(&sink) as Arc<dyn Sink>);
    (Arc::new(recorder), sink)
}

/// Ends a span of which handles stay.
fn end(span: &LocalSpan) {
    if exception_policy::end(span, Outcome::Ok) {
        span.give_cell_back();
    }
}

/// The one span that `record` makes.
fn recorded(limits: Limits, record: impl FnOnce(&mut super::Span)) -> Otlp {
    let (tracer, sink) = recorder(limits);
    let mut span = tracer.start("span");
    record(&mut span);
    span.end();
    let mut traces = sink.traces();
    assert_eq!((traces.len(), traces[0].len()), (1, 1));
    let mut span = traces.remove(0).remove(0);
    span.attributes
        .retain(|attribute| !attribute.key.starts_with("sampling."));
    span
}

fn attributes(span: &Otlp) -> Vec<(&str, &AnyValue)> {
    span.attributes
        .iter()
        .map(|attribute| {
            let value = attribute
                .value
                .as_ref()
                .and_then(|value| value.value.as_ref());
            (
                attribute.key.as_str(),
                value.expect("each attribute has a value"),
            )
        })
        .collect()
}
