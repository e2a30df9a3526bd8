//! The budgets of tenants, in simulated time.

use std::time::{Duration, Instant};

use super::random_ids;
use super::tenants::{HIGH, LOW, Trace, keeping, of, plan};
use crate::sampling::threshold::{Threshold, randomness_of};
use crate::sampling::{Keep, Parent, Plan, Rule, Sampler, Tenants, Tier};

#[test]
fn tenant_with_ten_times_its_budget_is_kept_at_a_tenth_with_true_weights() {
    const SECONDS: u64 = 60;
    const TRACES: u64 = 5_000;
    let budgeted = |tier: Tier| {
        let tier = tier.spans_per_second_per_tenant(1_000);
        Tenants::from_tag().tier("all", tier)
    };
    for (tier, sampler, in_first) in [
        (Tier::rest(), Sampler::always_on(), 1.0),
        (Tier::rest(), Sampler::probability(0.5), 0.5),
        (Tier::rest().rate(0.5), Sampler::always_off(), 0.5),
    ] {
        let sampler = plan(budgeted(tier), sampler);
        let begin = Instant::now() + Duration::from_millis(1);
        let (mut kept, mut sum, mut variance, mut small) = (Vec::new(), 0.0, 0.0, 0);
        let mut ids = random_ids(3);
        for second in 0..SECONDS {
            let now = begin + Duration::from_secs(second);
            let mut number = 0;
            for id in ids.by_ref().take(TRACES as usize) {
                let trace = Trace {
                    spans: 2,
                    now,
                    ..of(Some("flood"), id)
                };
                let decided = trace.decide(&sampler);
                if decided.verdict.is_kept() {
                    number += 1;
                    let count = decided.verdict.adjusted_count.unwrap_or(1.0);
                    sum += count;
                    let told = decided.told.map(Threshold::adjusted_count);
                    assert_eq!(told.unwrap_or(1.0), count);
                }
            }
            kept.push(f64::from(number));
            let share = if second == 0 { in_first } else { 0.1 };
            variance += TRACES as f64 * (1.0 - share) / share;
            let trace = Trace {
                now,
                ..of(Some("small"), HIGH)
            };
            let decided = trace.decide(&sampler);
            small += u64::from(decided.verdict.is_kept());
        }
        let sigma = (TRACES as f64 * 0.1 * 0.9).sqrt();
        assert!((kept[0] - TRACES as f64 * in_first).abs() < 5.0 * sigma * 2.0);
        for number in &kept[1..] {
            assert!((number - 500.0).abs() < 5.0 * sigma, "{number}");
        }
        let off = (sum - (SECONDS * TRACES) as f64).abs();
        assert!(off < 5.0 * variance.sqrt(), "a sum of {sum}");
        assert_eq!(small, SECONDS, "another tenant has its own");
    }
}

#[test]
fn budget_thins_neither_what_a_caller_samples_nor_what_keep_keeps() {
    let tier = Tier::rest().spans_per_second_per_tenant(1);
    let tenants = Tenants::from_tag().tier("all", tier);
    let sampler = keeping(tenants, Sampler::always_on(), Some(Keep::errors()));
    let start = Instant::now();
    for second in 0..3 {
        for _ in 0..100 {
            let trace = Trace {
                now: start + Duration::from_secs(second),
                ..of(None, LOW)
            };
            let ordinary = trace.decide(&sampler).verdict;
            let failed = Trace {
                has_failed: true,
                ..trace
            };
            let failed = failed.decide(&sampler);
            let sampled = Trace {
                caller: Some(true),
                ..trace
            };
            assert_eq!(ordinary.is_kept(), second == 0);
            assert!(sampled.decide(&sampler).verdict.is_kept());
            assert!(failed.verdict.is_kept());
            assert_eq!(failed.told, Some(Threshold::ALL));
        }
    }
}

#[test]
fn made_up_tenants_change_nothing_for_a_real_one() {
    let tier = Tier::rest().spans_per_second_per_tenant(10);
    let sampler = plan(Tenants::from_tag().tier("all", tier), Sampler::always_on());
    let start = Instant::now();
    let mut made_up = 0;
    for second in 0..100 {
        let now = start + Duration::from_secs(second);
        let decide = |tenant: &str| {
            let trace = Trace {
                now,
                ..of(Some(tenant), LOW)
            };
            trace.decide(&sampler).verdict.is_kept()
        };
        for _ in 0..10 {
            assert!(decide("real"));
        }
        for _ in 0..1_000 {
            made_up += 1;
            decide(&format!("tenant-{made_up}"));
        }
    }
    assert_eq!(made_up, 100_000);
}

/// A caller keeps a quarter, the tier a half, and the budget a tenth: a quarter is kept, those of the caller, and stands for all.
#[test]
fn weights_are_true_below_a_caller_that_samples() {
    const TRACES: usize = 20_000;
    let quarter = Threshold::of(0.25);
    let tier = Tier::rest().rate(0.5).spans_per_second_per_tenant(1_500);
    let sampler = plan(Tenants::from_tag().tier("all", tier), Sampler::always_off());
    let start = Instant::now() + Duration::from_millis(1);
    for second in 0..4 {
        let (mut sum, mut kept) = (0.0, 0.0);
        for id in random_ids(second + 1).take(TRACES) {
            let is_sampled = quarter.keeps(randomness_of(id));
            let trace = Trace {
                caller: Some(is_sampled),
                state: if is_sampled { "ot=th:c" } else { "" },
                now: start + Duration::from_secs(second),
                ..of(Some("acme"), id)
            };
            let verdict = trace.decide(&sampler).verdict;
            if verdict.is_kept() {
                kept += 1.0;
                sum += verdict.adjusted_count.unwrap();
            }
        }
        let share = if second == 0 { 0.5 } else { 0.25 };
        let all = TRACES as f64;
        let sigma = (all * (1.0 - share) / share).sqrt();
        assert!((kept / share - all).abs() < 5.0 * sigma, "{kept}");
        assert!((sum - all).abs() < 5.0 * sigma, "a sum of {sum}");
    }
}

/// What the rate of a rule leaves of a flood takes little of a budget, so that the tenant's other traces are kept.
#[test]
fn budget_counts_what_would_be_kept() {
    let mut tenants =
        Tenants::from_tag().tier("all", Tier::rest().spans_per_second_per_tenant(500));
    tenants.settle(|warning| panic!("{warning}")).unwrap();
    let rules = [
        Rule::parent(Parent::None).rate(0.01),
        Rule::parent(Parent::Remote).rate(1.0),
    ];
    let sampler = Plan::new(Sampler::always_off(), &rules, None, Some(tenants)).sampler;
    let start = Instant::now() + Duration::from_millis(1);
    for second in 0..5 {
        let mut kept = [0, 0];
        for (n, id) in random_ids(second + 1).take(10_000).enumerate() {
            let is_called = n % 100 == 0;
            let trace = Trace {
                caller: is_called.then_some(false),
                now: start + Duration::from_secs(second),
                ..of(Some("acme"), id)
            };
            kept[usize::from(is_called)] += u32::from(trace.decide(&sampler).verdict.is_kept());
        }
        assert_eq!(kept[1], 100, "{second}");
        assert!((50..150).contains(&kept[0]), "{kept:?}");
    }
}

#[test]
fn pulses_get_no_more_than_the_budget() {
    let tier = Tier::rest().spans_per_second_per_tenant(100);
    let sampler = plan(Tenants::from_tag().tier("all", tier), Sampler::always_on());
    let start = Instant::now() + Duration::from_millis(1);
    let kept = (0..20).map(|pulse| {
        let now = start + Duration::from_secs(3 * pulse);
        let mut ids = random_ids(pulse + 1).take(10_000);
        let is_kept = |id| {
            Trace {
                now,
                ..of(Some("acme"), id)
            }
            .decide(&sampler)
            .verdict
            .is_kept()
        };
        ids.by_ref().filter(|id| is_kept(*id)).count()
    });
    for (pulse, kept) in kept.enumerate().skip(1) {
        assert!((200..400).contains(&kept), "{kept} of pulse {pulse}");
    }
}

#[test]
fn storm_of_errors_is_thinned_with_true_weights_where_that_is_asked_for() {
    const STORM: usize = 2_000;
    let tier = Tier::rest().errors_per_second_per_tenant(100);
    let tenants = Tenants::from_tag().tier("all", tier);
    let sampler = keeping(tenants, Sampler::probability(0.01), Some(Keep::errors()));
    let start = Instant::now() + Duration::from_millis(1);
    let failed = |tenant, second, id| Trace {
        has_failed: true,
        now: start + Duration::from_secs(second),
        ..of(Some(tenant), id)
    };
    for second in 0..20 {
        let (mut kept, mut sum) = (0, 0.0);
        for id in random_ids(second + 1).take(STORM) {
            let decided = failed("storm", second, id).decide(&sampler);
            if decided.verdict.is_kept() {
                kept += 1;
                sum += decided.verdict.adjusted_count.unwrap();
                assert_eq!(decided.verdict.reason, Some("error"));
                let told = decided.told.map(Threshold::adjusted_count);
                assert_eq!(told, decided.verdict.adjusted_count);
            }
        }
        let share = if second == 0 { 1.0 } else { 0.05 };
        let sigma = (STORM as f64 * (1.0 - share) / share).sqrt();
        assert!((sum - STORM as f64).abs() <= 5.0 * sigma, "{sum}");
        assert!(second == 0 || kept < 160, "{kept}");
        let other = failed("other", second, LOW).decide(&sampler);
        assert_eq!(other.told, Some(Threshold::ALL), "{second}");
    }
}
