//! What is kept of a trace when it is over, whatever the sampler has said when it began.

use std::fmt;

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SamplingDecision;

use super::ot_entry::with_threshold;
use super::sample::{Added, Decision, NewTrace, RecordedTrace, Sample};
use super::sampler::Sampler;
use super::threshold::Threshold;

/// The traces that are kept in any case, decided when they are over: [`TelemetryBuilder::keep`](crate::TelemetryBuilder::keep), or
/// `BIZTRACE_KEEP`.
///
/// ```
/// use biztrace::Telemetry;
/// use biztrace::settings::{Keep, Sampler};
///
/// // One ordinary trace in a hundred, and each that has failed.
/// let telemetry = Telemetry::builder().sampler(Sampler::probability(0.01)).keep(Keep::errors());
/// # let _ = telemetry;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "`TelemetryBuilder::keep` takes it"]
pub struct Keep(());

impl Keep {
    /// Each trace in which a span of this process has failed: the response is a 5xx, a function or a handler has returned an error that
    /// counts as one, or has panicked.
    pub fn errors() -> Self {
        Self(())
    }
}

/// As `BIZTRACE_KEEP` has it.
impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("errors")
    }
}

/// Asks a sampler when a trace begins, has it recorded in any case, and keeps what the sampler or `Keep` keeps.
#[derive(Debug)]
struct Keeping {
    head: Sampler,
    /// Whether the threshold of what is kept in any case is told, since others are.
    tells_threshold: bool,
}

impl Sampler {
    /// This sampler, and what is kept beside it.
    pub(crate) fn keeping(self, keep: Option<&Keep>) -> Self {
        match keep {
            None => self,
            Some(Keep(())) => Self::of(Keeping {
                tells_threshold: self.sample().tells_threshold(),
                head: self,
            }),
        }
    }
}

impl Sample for Keeping {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let head = self.head.sample().sample(trace);
        Decision {
            decision: match head.is_kept() {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::RecordOnly,
            },
            is_final: false,
            ..head
        }
    }

    fn verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
        let head = trace.head;
        if !trace.has_failed {
            return Decision {
                decision: match head.is_kept() {
                    true => SamplingDecision::RecordAndSample,
                    false => SamplingDecision::Drop,
                },
                is_final: true,
                ..head.clone()
            };
        }
        // Each such trace is kept, so that it stands for itself, also if the head has kept it as one of many.
        let all = self.tells_threshold.then_some(Threshold::ALL);
        let upgraded = (!head.is_kept()).then(|| KeyValue::new("sampling.upgraded", true));
        Decision {
            decision: SamplingDecision::RecordAndSample,
            is_final: true,
            reason: Some("error"),
            adjusted_count: Some(1.0),
            added: Some(Box::new(Added {
                attributes: upgraded.into_iter().collect(),
                trace_state: all.and_then(|all| with_threshold(trace.state, Some(all))),
            })),
        }
    }
}

impl fmt::Display for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use opentelemetry::Value;
    use opentelemetry::trace::{SpanKind, TraceId, TraceState};

    use super::*;

    /// The verdict on a trace of that id, of which a span has failed or not, and what its state becomes.
    fn verdict(head: Sampler, id: u128, has_failed: bool) -> (Decision, Option<String>) {
        let sampler = head.keeping(Some(&Keep::errors()));
        let head = sampler.sample().sample(&NewTrace {
            id: TraceId::from(id),
            name: "GET",
            kind: &SpanKind::Server,
            parent: None,
            caller: None,
            now: &Instant::now,
        });
        assert!(head.is_recorded() && head.waits());
        let added = head.added.as_deref();
        let state = added.and_then(|added| added.trace_state.clone());
        let verdict = sampler.sample().verdict(&RecordedTrace {
            head: &Decision {
                added: None,
                ..head.clone()
            },
            state: &state.unwrap_or_default(),
            has_failed,
        });
        let added = verdict.added.as_deref();
        let state = added.and_then(|added| added.trace_state.as_ref());
        let state = state.map(TraceState::header);
        (verdict, state)
    }

    const LOW: u128 = 0;
    const HIGH: u128 = u128::MAX;

    fn is_upgraded(verdict: &Decision) -> bool {
        let added = verdict.added.as_deref();
        added.is_some_and(|added| {
            added.attributes == [KeyValue::new("sampling.upgraded", Value::Bool(true))]
        })
    }

    #[test]
    fn failed_traces_are_kept_and_stand_for_themselves() {
        for (id, was_kept) in [(LOW, false), (HIGH, true)] {
            let (verdict, state) = verdict(Sampler::probability(0.1), id, true);
            assert!(verdict.is_kept());
            assert_eq!(verdict.reason, Some("error"));
            assert_eq!(verdict.adjusted_count, Some(1.0));
            assert_eq!(state.as_deref(), Some("ot=th:0"));
            assert_eq!(is_upgraded(&verdict), !was_kept);
        }
    }

    #[test]
    fn threshold_is_told_only_beside_those_of_others() {
        let ratio = Sampler::trace_id_ratio(0.1);
        for head in [ratio.clone(), ratio.parent_based(), Sampler::always_off()] {
            let (verdict, state) = verdict(head, LOW, true);
            assert!(verdict.is_kept() && is_upgraded(&verdict));
            assert_eq!((verdict.adjusted_count, state), (Some(1.0), None));
        }
        let (_, state) = verdict(Sampler::probability(0.1).parent_based(), LOW, true);
        assert_eq!(state.as_deref(), Some("ot=th:0"));
    }

    #[test]
    fn other_traces_are_the_samplers() {
        for (id, is_kept) in [(LOW, false), (HIGH, true)] {
            let (verdict, state) = verdict(Sampler::trace_id_ratio(0.25), id, false);
            assert_eq!(verdict.is_kept(), is_kept);
            assert_eq!(verdict.reason, Some("trace_id_ratio"));
            assert_eq!(verdict.adjusted_count, Some(4.0));
            assert!(!verdict.waits() || !is_kept);
            assert_eq!(state, None);
        }
    }
}
