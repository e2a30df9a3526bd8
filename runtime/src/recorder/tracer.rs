//! The OpenTelemetry API's tracer provider and tracer.

use std::sync::Arc;

use opentelemetry::trace::{SpanBuilder, SpanContext, SpanKind, TraceContextExt};
use opentelemetry::{Context, InstrumentationScope};

use super::current::Current;
use super::instance::Recorder;
use super::local::LocalSpan;
use super::open::Attributes;
use super::scope::Scope;
use super::span::Span;
use super::start::{Start, Started};
use crate::attribute::Tags;

/// Gives tracers to libraries that are instrumented with the OpenTelemetry API.
///
/// Once installed it is the global provider; [`Telemetry::tracer_provider`](crate::Telemetry::tracer_provider) gives the
/// one of an instance that is not.
#[derive(Debug, Clone)]
pub struct TracerProvider {
    recorder: Arc<Recorder>,
}

/// Starts spans for one instrumentation scope.
#[derive(Debug, Clone)]
pub struct Tracer {
    pub(super) recorder: Arc<Recorder>,
    scope: Scope,
}

impl TracerProvider {
    pub(crate) fn new(recorder: Arc<Recorder>) -> Self {
        Self { recorder }
    }

    pub(crate) fn into_recorder(self) -> Arc<Recorder> {
        self.recorder
    }
}

impl opentelemetry::trace::TracerProvider for TracerProvider {
    type Tracer = Tracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> Tracer {
        Tracer {
            recorder: Arc::clone(&self.recorder),
            scope: Scope::library(&scope),
        }
    }
}

impl opentelemetry::trace::Tracer for Tracer {
    type Span = Span;

    /// May run while the API has the thread's context borrowed: attaches, detaches and logs nothing.
    fn build_with_context(&self, builder: SpanBuilder, parent_cx: &Context) -> Span {
        let parent = parent_cx.span();
        let parent = parent.span_context();
        let attributes = |tags: &mut Tags| {
            for attribute in builder.attributes.iter().flatten() {
                tags.set_any(attribute.key.as_str(), &attribute.value);
            }
        };
        let start = Start {
            name: &builder.name,
            kind: builder.span_kind.clone().unwrap_or(SpanKind::Internal),
            scope: self.scope.clone(),
            time: builder.start_time,
            tags: Some(&attributes),
            head: None,
        };
        let started = match Current::of(parent_cx) {
            Current::Silent if parent.is_valid() => {
                return Span::silent(self.recorder.silent_child(parent));
            }
            Current::Silent => return Span::silent(SpanContext::NONE),
            Current::Local(local) if local.is_of(&self.recorder) => local.start_child(start),
            Current::Local(_) | Current::Foreign(_) => self.recorder.start(Some(parent), start),
            Current::Nothing => self.recorder.start(None, start),
        };
        match started {
            Started::Recording(local) => {
                record(&local, builder);
                Span::recording(local)
            }
            Started::Dropped(context) => Span::silent(context),
        }
    }
}

/// Records the events and links that a builder gives a span.
fn record(span: &LocalSpan, builder: SpanBuilder) {
    for event in builder.events.into_iter().flatten() {
        span.add_event(
            &event.name,
            event.timestamp,
            Attributes::Api(&event.attributes, event.dropped_attributes_count),
        );
    }
    for link in builder.links.into_iter().flatten() {
        span.add_link(
            &link.span_context,
            Attributes::Api(&link.attributes, link.dropped_attributes_count),
        );
    }
}
