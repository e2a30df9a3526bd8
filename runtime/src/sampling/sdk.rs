//! Samplers of the OpenTelemetry SDK.

use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::trace::ShouldSample;

use super::sample::{Added, Decision, NewTrace, Sample};
use super::sampler::Sampler;
use crate::diag;

#[derive(Debug)]
struct SdkSampler {
    sampler: Box<dyn ShouldSample>,
    name: String,
}

impl Sampler {
    /// Any sampler of the OpenTelemetry SDK. It decides on a trace when the first local span starts, and is told the parent, the trace's
    /// id, the span's name and its kind, but neither attributes nor links: none are recorded yet. Its attributes go to that span, its
    /// tracestate to the whole trace. Spans of a trace that is to be recorded only are recorded, and not exported. A sampler that panics
    /// drops the trace, with a warning.
    ///
    /// ```
    /// use biztrace::Telemetry;
    /// use biztrace::settings::Sampler;
    /// use opentelemetry::trace::{Link, SpanKind, TraceId, TraceState};
    /// use opentelemetry::{Context, KeyValue};
    /// use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
    ///
    /// #[derive(Debug, Clone)]
    /// struct NoHealthChecks;
    ///
    /// impl ShouldSample for NoHealthChecks {
    ///     fn should_sample(
    ///         &self,
    ///         _parent: Option<&Context>,
    ///         _id: TraceId,
    ///         name: &str,
    ///         _kind: &SpanKind,
    ///         _attributes: &[KeyValue],
    ///         _links: &[Link],
    ///     ) -> SamplingResult {
    ///         let decision = match name {
    ///             "health" => SamplingDecision::Drop,
    ///             _ => SamplingDecision::RecordAndSample,
    ///         };
    ///         SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::NONE }
    ///     }
    /// }
    ///
    /// let telemetry = Telemetry::builder().sampler(Sampler::new(NoHealthChecks).parent_based());
    /// # let _ = telemetry;
    /// ```
    #[must_use]
    pub fn new(sampler: impl ShouldSample + 'static) -> Self {
        Self::of(SdkSampler {
            name: name_of(&sampler),
            sampler: Box::new(sampler),
        })
    }
}

impl Sample for SdkSampler {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let parent = trace.parent.map(|parent| {
            let flags = parent
                .trace_flags()
                .with_sampled(trace.caller == Some(true));
            let parent = SpanContext::new(
                parent.trace_id(),
                parent.span_id(),
                flags,
                parent.is_remote(),
                parent.trace_state().clone(),
            );
            Context::new().with_remote_span_context(parent)
        });
        let ask = || {
            self.sampler
                .should_sample(parent.as_ref(), trace.id, trace.name, trace.kind, &[], &[])
        };
        let Ok(result) = catch_unwind(AssertUnwindSafe(ask)) else {
            static ONCE: diag::Once = diag::Once::new();
            ONCE.warn(format_args!(
                "`Sampler::new`: {self} has panicked: the trace is not recorded"
            ));
            return Decision::new(false, Some(REASON));
        };
        Decision {
            decision: result.decision,
            added: Some(Box::new(Added {
                attributes: result.attributes,
                trace_state: Some(result.trace_state),
            })),
            ..Decision::new(false, Some(REASON))
        }
    }
}

const REASON: &str = "sampler";

/// The name of a sampler's type, as its `Debug` begins. `Debug` is code of the application's: it may fail or panic.
fn name_of(sampler: &dyn ShouldSample) -> String {
    let mut text = String::new();
    let write = AssertUnwindSafe(|| {
        let _ = write!(text, "{sampler:?}");
    });
    let _ = catch_unwind(write);
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    text.truncate(end.unwrap_or(text.len()));
    text
}

impl fmt::Display for SdkSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
