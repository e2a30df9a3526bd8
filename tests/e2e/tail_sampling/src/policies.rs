//! Each policy twice: as the Collector is configured, and as biztrace is.

use std::time::Duration;

use biztrace::settings::{Keep, Policy};

pub struct Pair {
    pub name: &'static str,
    /// A list, as YAML's flow style has it.
    pub collectors: &'static str,
    pub ours: Keep,
}

fn pair(name: &'static str, collectors: &'static str, ours: Keep) -> Pair {
    Pair {
        name,
        collectors,
        ours,
    }
}

fn ours(policy: Policy) -> Keep {
    Keep::none().policy(policy)
}

const fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

pub fn pairs() -> Vec<Pair> {
    let plan = |value: &str| Policy::equals("plan", value);
    vec![
        pair(
            "errors",
            "[{name: p, type: status_code, status_code: {status_codes: [ERROR]}}]",
            Keep::errors(),
        ),
        pair(
            "slow",
            "[{name: p, type: latency, latency: {threshold_ms: 500}}]",
            Keep::none().slower_than(millis(500)),
        ),
        pair(
            "latency-range",
            "[{name: p, type: latency, latency: {threshold_ms: 200, upper_threshold_ms: 800}}]",
            ours(Policy::latency(millis(200)..=millis(800))),
        ),
        pair(
            "text",
            "[{name: p, type: string_attribute, string_attribute: {key: plan, values: [gold, trial]}}]",
            ours(Policy::one_of("plan", ["gold", "trial"])),
        ),
        pair(
            "not-text",
            "[{name: p, type: string_attribute, string_attribute: {key: plan, values: [gold, trial], invert_match: true}}]",
            ours(!Policy::one_of("plan", ["gold", "trial"])),
        ),
        pair(
            "regex",
            "[{name: p, type: string_attribute, string_attribute: {key: tenant.id, values: ['x-(eu|us)'], enabled_regex_matching: true}}]",
            ours(Policy::regex("tenant.id", "x-(eu|us)")),
        ),
        pair(
            "regex-of-all",
            "[{name: p, type: string_attribute, string_attribute: {key: tenant.id, values: ['^globex-[a-z]+$'], enabled_regex_matching: true}}]",
            ours(Policy::regex("tenant.id", "^globex-[a-z]+$")),
        ),
        pair(
            "number",
            "[{name: p, type: numeric_attribute, numeric_attribute: {key: cart.total, min_value: 100, max_value: 1000}}]",
            ours(Policy::number("cart.total", 100..=1000)),
        ),
        pair(
            "not-number",
            "[{name: p, type: numeric_attribute, numeric_attribute: {key: cart.total, min_value: 100, max_value: 1000, invert_match: true}}]",
            ours(!Policy::number("cart.total", 100..=1000)),
        ),
        pair(
            "bool",
            "[{name: p, type: boolean_attribute, boolean_attribute: {key: risk.review, value: true}}]",
            ours(Policy::equals("risk.review", true)),
        ),
        pair(
            "spans",
            "[{name: p, type: span_count, span_count: {min_spans: 2, max_spans: 4}}]",
            ours(Policy::spans(2..=4)),
        ),
        pair(
            "and",
            "[{name: p, type: and, and: {and_sub_policy: [
                {name: a, type: string_attribute, string_attribute: {key: plan, values: [gold]}},
                {name: b, type: numeric_attribute, numeric_attribute: {key: cart.total, min_value: 500, max_value: 5000}}]}}]",
            ours(plan("gold").and(Policy::number("cart.total", 500..=5000))),
        ),
        pair(
            "and-not",
            "[{name: p, type: and, and: {and_sub_policy: [
                {name: a, type: status_code, status_code: {status_codes: [ERROR]}},
                {name: b, type: not, not: {not_sub_policy: {name: c, type: string_attribute, string_attribute: {key: plan, values: [free]}}}}]}}]",
            ours(Policy::errors().and(!plan("free"))),
        ),
        pair(
            "drop",
            "[{name: d, type: drop, drop: {drop_sub_policy: [{name: e, type: boolean_attribute, boolean_attribute: {key: risk.review, value: true}}]}},
              {name: p, type: status_code, status_code: {status_codes: [ERROR]}}]",
            Keep::errors().drop(Policy::equals("risk.review", true)),
        ),
        pair(
            "several",
            "[{name: a, type: status_code, status_code: {status_codes: [ERROR]}},
              {name: b, type: latency, latency: {threshold_ms: 1500}},
              {name: c, type: string_attribute, string_attribute: {key: plan, values: [trial]}}]",
            Keep::errors().slower_than(millis(1500)).policy(plan("trial")),
        ),
        pair(
            "share",
            "[{name: p, type: probabilistic, probabilistic: {sampling_percentage: 25}}]",
            ours(Policy::probability(0.25)),
        ),
        pair(
            "share-of-some",
            "[{name: p, type: and, and: {and_sub_policy: [
                {name: a, type: string_attribute, string_attribute: {key: plan, values: [free]}},
                {name: b, type: probabilistic, probabilistic: {sampling_percentage: 50}}]}},
              {name: q, type: probabilistic, probabilistic: {sampling_percentage: 12.5}},
              {name: e, type: status_code, status_code: {status_codes: [ERROR]}}]",
            Keep::errors()
                .policy(plan("free").and(Policy::probability(0.5)))
                .policy(Policy::probability(0.125)),
        ),
    ]
}
