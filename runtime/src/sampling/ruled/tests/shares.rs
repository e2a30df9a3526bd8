//! What a rate keeps below callers, and what it tells of it.

use super::*;
use crate::sampling::tests::random_ids;

/// What the caller has told, whether it samples, and the rate; then whether the trace is kept, by what, what it stands for, and what its
/// state becomes if it changes.
type Case = (
    &'static str,
    Option<bool>,
    f64,
    TraceId,
    bool,
    &'static str,
    Option<f64>,
    Option<&'static str>,
);

const MIDDLE: &str = "ot=rv:90000000000000";

#[test]
fn rate_has_a_sampled_caller_for_its_floor_and_counts_by_the_lower_threshold() {
    let cases: &[Case] = &[
        (
            "",
            None,
            0.5,
            HIGH,
            true,
            "rule",
            Some(2.0),
            Some("ot=th:8"),
        ),
        ("", None, 0.5, LOW, false, "rule", None, None),
        ("", None, 0.0, HIGH, false, "rule", None, None),
        ("", None, 1.0, LOW, true, "rule", Some(1.0), Some("ot=th:0")),
        // It decides anew what the caller does not sample.
        (
            "",
            Some(false),
            0.5,
            HIGH,
            true,
            "rule",
            Some(2.0),
            Some("ot=th:8"),
        ),
        ("", Some(false), 0.5, LOW, false, "rule", None, None),
        (
            MIDDLE,
            Some(false),
            0.5,
            LOW,
            true,
            "rule",
            Some(2.0),
            Some("ot=th:8;rv:90000000000000"),
        ),
        // The caller keeps what the rate does not: nobody knows for how many.
        ("", Some(true), 0.5, LOW, true, "parent", None, None),
        ("", Some(true), 0.0, HIGH, true, "parent", None, None),
        (
            "",
            Some(true),
            0.5,
            HIGH,
            true,
            "rule",
            Some(2.0),
            Some("ot=th:8"),
        ),
        // The lower of two thresholds.
        (
            "ot=th:8",
            Some(true),
            0.25,
            HIGH,
            true,
            "rule",
            Some(2.0),
            None,
        ),
        (
            "ot=th:c",
            Some(true),
            0.5,
            HIGH,
            true,
            "rule",
            Some(2.0),
            Some("ot=th:8"),
        ),
        (
            "ot=th:c",
            Some(true),
            1.0,
            HIGH,
            true,
            "rule",
            Some(1.0),
            Some("ot=th:0"),
        ),
        (
            "ot=th:8;rv:90000000000000",
            Some(true),
            0.25,
            LOW,
            true,
            "parent",
            Some(2.0),
            None,
        ),
        // A threshold that the caller has not decided by.
        (
            "ot=th:c",
            Some(true),
            0.5,
            LOW,
            true,
            "parent",
            None,
            Some(""),
        ),
    ];
    for (state, caller, rate, id, is_kept, reason, count, after) in cases {
        let parent = caller.map(|is_sampled| parent(is_sampled, true, state));
        let what = format!("{state} {caller:?} {rate}");
        let by_head = Fixture::new(Sampler::always_off(), [Rule::path("/**").rate(*rate)], None);
        let decision = by_head.head(*id, parent.as_ref(), Some(GET));
        assert_eq!(decision.is_kept(), *is_kept, "{what}");
        assert_eq!(decision.reason, Some(*reason), "{what}");
        assert_eq!(decision.adjusted_count, *count, "{what}");
        assert_eq!(state_after(&decision).as_deref(), *after, "{what}");
        // At the verdict alike, over a sampler that leaves the state as it is.
        let sampler = Sampler::always_off().parent_based();
        let by_route = Fixture::new(sampler, [Rule::route("/**").rate(*rate)], None);
        let (_, verdict, _) = by_route.verdict(*id, parent.as_ref(), "/orders/{id}", false);
        assert_eq!(verdict.is_kept(), *is_kept, "{what}");
        assert_eq!(verdict.reason, Some(*reason), "{what}");
        assert_eq!(verdict.adjusted_count, *count, "{what}");
    }
}

const TRACES: usize = 50_000;

/// Whether so many kept traces of that weight are a share of all, within 5 sigma, and stand for all of them.
fn check(what: &str, share: f64, kept: f64, sum: f64) {
    let traces = TRACES as f64;
    let sigma = (traces * share * (1.0 - share)).sqrt();
    assert!(
        (kept - traces * share).abs() < 5.0 * sigma,
        "{what}: {kept} kept"
    );
    let off = (sum - traces).abs();
    assert!(off < 5.0 * sigma / share, "{what}: a sum of {sum}");
}

#[test]
fn rate_keeps_its_share_with_true_weights_in_both_phases() {
    for rate in [0.5, 0.1, 0.01] {
        let by_head = Fixture::new(
            Sampler::probability(0.3),
            [Rule::path("/**").rate(rate)],
            None,
        );
        let by_route = Fixture::new(
            Sampler::probability(0.3),
            [Rule::route("/orders/**").rate(rate)],
            None,
        );
        let (mut kept, mut sum) = (0.0, 0.0);
        for id in random_ids(7).take(TRACES) {
            let decision = by_head.head(id, None, Some(GET));
            let (_, verdict, _) = by_route.verdict(id, None, "/orders/{id}", false);
            assert_eq!(decision.is_kept(), verdict.is_kept());
            assert_eq!(decision.adjusted_count, verdict.adjusted_count);
            if decision.is_kept() {
                kept += 1.0;
                sum += decision.adjusted_count.unwrap();
            }
        }
        check(&rate.to_string(), rate, kept, sum);
    }
}

/// The caller samples a share, too: what both keep together stands for all.
#[test]
fn weights_are_true_below_a_caller_that_samples_a_share() {
    for (rate, callers, share) in [(0.1, 0.5, 0.5), (0.5, 0.1, 0.5), (0.25, 0.25, 0.25)] {
        let test = Fixture::new(Sampler::always_off(), [Rule::path("/**").rate(rate)], None);
        let caller = Sampler::probability(callers);
        let (mut kept, mut sum) = (0.0, 0.0);
        for id in random_ids(11).take(TRACES) {
            let above = caller.sample().sample(&NewTrace {
                id,
                name: "GET",
                kind: &SpanKind::Server,
                parent: None,
                caller: None,
                request: None,
                tenant: None,
                now: &Instant::now,
            });
            let state = state_after(&above).unwrap_or_default();
            let parent = parent(above.is_kept(), true, &state);
            let decision = test.head(id, Some(&parent), Some(GET));
            if decision.is_kept() {
                kept += 1.0;
                sum += decision.adjusted_count.unwrap();
            }
        }
        check(&format!("{rate} below {callers}"), share, kept, sum);
    }
}
