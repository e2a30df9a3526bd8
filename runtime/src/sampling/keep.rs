//! What is kept of a trace when it is over, whatever the sampler has said when it began.

use std::fmt;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SamplingDecision;

use super::ot_entry::{threshold, with_threshold};
use super::sample::{Added, Decision, NewTrace, RecordedTrace, Sample};
use super::sampler::Sampler;
use super::threshold::Threshold;
use crate::error::Error;

/// The traces that are kept in any case, decided when they are over: [`TelemetryBuilder::keep`](crate::TelemetryBuilder::keep), or
/// `BIZTRACE_KEEP`.
///
/// ```
/// use std::time::Duration;
///
/// use biztrace::Telemetry;
/// use biztrace::settings::{Keep, Sampler};
///
/// // One ordinary trace in a hundred, and each that has failed or was slow.
/// let telemetry = Telemetry::builder()
///     .sampler(Sampler::probability(0.01))
///     .keep(Keep::errors().slower_than(Duration::from_millis(500)));
/// # let _ = telemetry;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "`TelemetryBuilder::keep` takes it"]
pub struct Keep {
    errors: bool,
    slower_than: Option<Duration>,
}

impl Keep {
    /// Each trace in which a span of this process has failed: the response is a 5xx, a function or a handler has returned an error that
    /// counts as one, or has panicked, or a request to another service was answered with a 4xx or 5xx.
    pub fn errors() -> Self {
        Self {
            errors: true,
            slower_than: None,
        }
    }

    /// And each trace whose first span here takes longer than that. For a request it is the time to the response's head: a long download
    /// is not slow, nor is a WebSocket.
    pub fn slower_than(mut self, latency: Duration) -> Self {
        self.slower_than = Some(latency);
        self
    }

    /// As `BIZTRACE_KEEP` has it: `errors`, `slow=500ms`, `slow=2s`, with commas between them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut keep = Self {
            errors: false,
            slower_than: None,
        };
        for policy in text.split(',').map(str::trim) {
            match policy.split_once('=') {
                None if policy.eq_ignore_ascii_case("errors") => keep.errors = true,
                Some((name, latency)) if name.trim().eq_ignore_ascii_case("slow") => {
                    keep.slower_than = Some(duration(latency.trim())?);
                }
                _ => return None,
            }
        }
        Some(keep)
    }

    /// Refuses settings that cannot work.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.slower_than {
            Some(Duration::ZERO) => Err(Error::Zero("Keep::slower_than")),
            _ => Ok(()),
        }
    }

    /// Why a trace is kept in any case.
    fn reason(&self, trace: &RecordedTrace<'_>) -> Option<&'static str> {
        if self.errors && trace.has_failed {
            return Some("error");
        }
        let is_slow = self.slower_than.is_some_and(|least| trace.latency > least);
        is_slow.then_some("slow")
    }
}

/// A whole number above 0, and a unit.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
    match unit {
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        _ => None,
    }
}

/// As `BIZTRACE_KEEP` has it.
impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slow = self.slower_than.map(|latency| format!("slow={latency:?}"));
        let errors = self.errors.then(|| "errors".to_owned());
        let policies: Vec<_> = errors.into_iter().chain(slow).collect();
        f.write_str(&policies.join(","))
    }
}

/// Asks a sampler when a trace begins, has it recorded in any case, and keeps what the sampler or `Keep` keeps.
#[derive(Debug)]
struct Keeping {
    head: Sampler,
    keep: Keep,
    /// Whether the threshold of what is kept in any case is told, since others are.
    tells_threshold: bool,
}

impl Sampler {
    /// This sampler, and what is kept beside it.
    pub(crate) fn keeping(self, keep: Option<Keep>) -> Self {
        match keep {
            None => self,
            Some(keep) => Self::of(Keeping {
                keep,
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
        let Some(reason) = self.keep.reason(trace) else {
            return Decision {
                decision: match head.is_kept() {
                    true => SamplingDecision::RecordAndSample,
                    false => SamplingDecision::Drop,
                },
                is_final: true,
                ..head.clone()
            };
        };
        // Each such trace is kept, so that it stands for itself, also if the head or a caller has kept it as one of many.
        let tells = self.tells_threshold || threshold(trace.state).is_some();
        let all = tells.then_some(Threshold::ALL);
        let upgraded = (!head.is_kept()).then(|| KeyValue::new("sampling.upgraded", true));
        Decision {
            decision: SamplingDecision::RecordAndSample,
            is_final: true,
            reason: Some(reason),
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

    const BOUND: Duration = Duration::from_millis(500);

    /// The verdict on a trace of that id, of which a span has failed or not, and what its state becomes.
    fn verdict(head: Sampler, id: u128, has_failed: bool) -> (Decision, Option<String>) {
        verdict_after(head, id, has_failed, BOUND)
    }

    fn verdict_after(
        head: Sampler,
        id: u128,
        has_failed: bool,
        latency: Duration,
    ) -> (Decision, Option<String>) {
        let sampler = head.keeping(Some(Keep::errors().slower_than(BOUND)));
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
            latency,
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
    fn threshold_of_a_caller_gives_way() {
        let sampler = Sampler::default().keeping(Some(Keep::errors()));
        let head = Decision::new(true, None);
        let state = "ot=th:e666,a=1".parse().unwrap();
        let verdict = sampler.sample().verdict(&RecordedTrace {
            head: &head,
            state: &state,
            has_failed: true,
            latency: Duration::ZERO,
        });
        let added = verdict.added.unwrap().trace_state.unwrap();
        assert_eq!(added.header(), "ot=th:0,a=1");
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

    #[test]
    fn slow_traces_are_kept_and_errors_are_the_first_reason() {
        let later = BOUND + Duration::from_nanos(1);
        for (has_failed, latency, reason) in [
            (false, later, Some("slow")),
            (true, later, Some("error")),
            (false, BOUND, None),
            (false, Duration::ZERO, None),
        ] {
            let head = Sampler::probability(0.1);
            let (verdict, state) = verdict_after(head, LOW, has_failed, latency);
            assert_eq!(verdict.is_kept(), reason.is_some());
            let expected = reason.unwrap_or("probability");
            assert_eq!(verdict.reason, Some(expected), "{latency:?}");
            let state = state.as_deref();
            assert_eq!(state, reason.map(|_| "ot=th:0"), "{latency:?}");
        }
    }

    #[test]
    fn policies_are_read_as_they_are_written() {
        let both = Keep::errors().slower_than(BOUND);
        for (text, shown) in [
            ("errors", Some("errors")),
            ("errors,slow=500ms", Some("errors,slow=500ms")),
            ("Slow=2s", Some("slow=2s")),
            (" slow = 500ms , ERRORS", Some("errors,slow=500ms")),
            ("", None),
            ("errors,", None),
            ("slow", None),
            ("slow=", None),
            ("slow=0ms", None),
            ("slow=500", None),
            ("slow=-1s", None),
            ("slow=1.5s", None),
            ("slow=5 s", None),
            ("slow=99999999999s", None),
            ("error", None),
        ] {
            let keep = Keep::parse(text);
            assert_eq!(
                keep.map(|keep| keep.to_string()).as_deref(),
                shown,
                "{text:?}"
            );
        }
        assert_eq!(Keep::parse(&both.to_string()), Some(both));
        let zero = Keep::errors().slower_than(Duration::ZERO).check();
        let error = zero.unwrap_err().to_string();
        assert!(error.contains("`Keep::slower_than` is zero"), "{error}");
    }
}
