//! Each sampler decides as the specification says.

use std::time::Instant;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use super::*;

mod budgets;
mod shares;
mod tenants;

fn sample(sampler: &Sampler, parent: Option<&SpanContext>, id: TraceId) -> Decision {
    sampler.sample().sample(&NewTrace {
        id,
        name: "GET",
        kind: &SpanKind::Server,
        parent,
        caller: parent.map(SpanContext::is_sampled),
        request: None,
        tenant: None,
        now: &Instant::now,
    })
}

fn parent(is_sampled: bool, is_remote: bool) -> SpanContext {
    let flags = TraceFlags::default().with_sampled(is_sampled);
    let state = TraceState::NONE;
    SpanContext::new(TraceId::from(1), SpanId::from(2), flags, is_remote, state)
}

const LOW: TraceId = TraceId::from_bytes([0; 16]);
const HIGH: TraceId = TraceId::from_bytes([0xff; 16]);

/// Numbers that look random, the same on each run.
pub(super) fn random_ids(seed: u64) -> impl Iterator<Item = TraceId> {
    let mut state = seed;
    // SplitMix64.
    let mut next = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u128::from(mixed ^ (mixed >> 31))
    };
    std::iter::repeat_with(move || TraceId::from(next() << 64 | next()))
}

#[test]
fn each_sampler_decides_as_the_specification_says() {
    let ratio = Sampler::trace_id_ratio;
    let (on, off) = (Sampler::always_on, Sampler::always_off);
    let cases = [
        (on(), None, LOW, true, ""),
        (on(), Some(false), LOW, true, ""),
        (off(), Some(true), HIGH, false, "always_off"),
        (ratio(0.0), None, HIGH, false, "trace_id_ratio"),
        (ratio(1.0), None, LOW, true, "trace_id_ratio"),
        (ratio(0.5), None, LOW, false, "trace_id_ratio"),
        (ratio(0.5), None, HIGH, true, "trace_id_ratio"),
        (ratio(0.5), Some(false), HIGH, true, "trace_id_ratio"),
        (off().parent_based(), Some(true), LOW, true, "parent"),
        (on().parent_based(), Some(false), LOW, false, ""),
        (off().parent_based(), None, LOW, false, "always_off"),
        (
            ratio(0.25).parent_based(),
            None,
            HIGH,
            true,
            "trace_id_ratio",
        ),
    ];
    for (sampler, is_sampled, id, keep, reason) in cases {
        let parent = is_sampled.map(|is_sampled| parent(is_sampled, true));
        let decision = sample(&sampler, parent.as_ref(), id);
        assert_eq!(
            (decision.is_kept(), decision.reason.unwrap_or_default()),
            (keep, reason),
            "{sampler} below {is_sampled:?}"
        );
    }
}

#[test]
fn each_kind_of_parent_has_its_sampler() {
    let followed = ParentBased::new(Sampler::always_on());
    let (on, off) = (Sampler::always_on, Sampler::always_off);
    for is_remote in [true, false] {
        for is_sampled in [true, false] {
            let followed = followed.clone();
            let turned = match (is_remote, is_sampled) {
                (true, true) => followed.remote_parent_sampled(off()),
                (true, false) => followed.remote_parent_not_sampled(on()),
                (false, true) => followed.local_parent_sampled(off()),
                (false, false) => followed.local_parent_not_sampled(on()),
            };
            let turned = Sampler::from(turned);
            for remote in [true, false] {
                for sampled in [true, false] {
                    let is_turned = (remote, sampled) == (is_remote, is_sampled);
                    let decision = sample(&turned, Some(&parent(sampled, remote)), LOW);
                    assert_eq!(decision.is_kept(), sampled != is_turned, "{turned}");
                }
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Theirs;

impl ShouldSample for Theirs {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        use opentelemetry::trace::TraceContextExt;
        assert_eq!(
            (name, kind, attributes),
            ("GET", &SpanKind::Server, &[][..])
        );
        let parent = parent.expect("this test has a parent");
        let is_sampled = parent.span().span_context().is_sampled();
        SamplingResult {
            decision: match is_sampled {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::RecordOnly,
            },
            attributes: vec![KeyValue::new("sampler.type", "theirs")],
            trace_state: TraceState::from_key_value([("th", "8")]).unwrap(),
        }
    }
}

#[test]
fn samplers_of_the_sdk_decide_and_add() {
    let sampler = Sampler::new(Theirs);
    assert_eq!(sampler.to_string(), "Theirs");
    for (is_sampled, decision) in [
        (true, SamplingDecision::RecordAndSample),
        (false, SamplingDecision::RecordOnly),
    ] {
        let decided = sample(&sampler, Some(&parent(is_sampled, true)), LOW);
        assert_eq!(decided.decision, decision);
        let added = decided.added.unwrap();
        assert_eq!(added.attributes, [KeyValue::new("sampler.type", "theirs")]);
        assert_eq!(
            added.trace_state.map(|state| state.header()).as_deref(),
            Some("th=8")
        );
    }
    // A panic drops the trace.
    assert!(!sample(&sampler, None, LOW).is_recorded());
}

/// Without bounds this would take 2^100 steps.
#[test]
fn sampler_of_shared_clones_is_checked_and_described_without_repetition() {
    let mut sampler = Sampler::always_on();
    for _ in 0..100 {
        sampler = ParentBased::new(sampler.clone())
            .remote_parent_sampled(sampler.clone())
            .local_parent_sampled(sampler)
            .into();
    }
    assert_eq!(sampler.all().len(), 101);
    assert!(sampler.check().is_ok() && sampler.sample().keeps_all());
    assert!(sample(&sampler, None, LOW).is_kept());
    for text in [sampler.to_string(), format!("{sampler:?}")] {
        assert!(text.contains("parentbased_parentbased_"), "{text}");
        assert!(text.len() < 1100 && text.contains('…'), "{text}");
    }
}

#[test]
fn mistake_in_a_branch_is_found() {
    let wrong = ParentBased::new(Sampler::always_on())
        .local_parent_not_sampled(Sampler::trace_id_ratio(7.0).parent_based());
    let error = Sampler::from(wrong).check().unwrap_err().to_string();
    assert!(error.contains('7'), "{error}");
}
