//! Policies: which traces pass them, and what weight these have.

use std::cell::Cell;

use super::*;
use crate::attribute::Tags;
use crate::sampling::{Policy, Tagged};

/// A span with tags.
struct Span {
    is_first: bool,
    tags: Tags,
}

impl Tagged for Span {
    fn is_first(&self) -> bool {
        self.is_first
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }
}

fn span(is_first: bool, write: impl FnOnce(&mut Tags)) -> Span {
    let mut tags = Tags::new();
    write(&mut tags);
    Span { is_first, tags }
}

/// A trace of two spans, that has failed, and took a second.
fn spans() -> [Span; 2] {
    [
        span(true, |tags| {
            tags.set("tenant.id", "globex-eu");
            tags.set("cart.total", &1_000_i64);
            tags.set("items", &["a", "b"]);
        }),
        span(false, |tags| {
            tags.set("risk.review", &true);
            tags.set("risk.score", &0.5);
            tags.set("plan", "free");
        }),
    ]
}

struct Trace {
    id: u128,
    has_failed: bool,
    spans: [Span; 2],
    now: Cell<Instant>,
}

impl Trace {
    fn new() -> Self {
        Self {
            id: 0,
            has_failed: true,
            spans: spans(),
            now: Cell::new(Instant::now()),
        }
    }

    /// The verdict of that plan on it, and what its state becomes.
    fn verdict(&mut self, plan: &Plan) -> (Decision, Option<String>) {
        let id = TraceId::from(self.id);
        let mut head = plan.sampler.sample().sample(&NewTrace {
            id,
            name: "GET",
            kind: &SpanKind::Server,
            parent: None,
            caller: None,
            request: None,
            tenant: None,
            now: &|| self.now.get(),
        });
        let state = head.added.take().and_then(|added| added.trace_state);
        let watch = plan.watch.as_deref();
        let spans = self.spans.iter_mut();
        let hits = spans.fold(0, |hits, span| {
            hits | watch.map_or(0, |watch| watch.hits(span))
        });
        let verdict = plan.sampler.sample().verdict(&RecordedTrace {
            has_failed: self.has_failed,
            latency: Duration::from_secs(1),
            spans: 2,
            hits,
            now: &|| self.now.get(),
            ..recorded(id, &head, &state.unwrap_or_default())
        });
        let added = verdict.added.as_deref();
        let state = added.and_then(|added| added.trace_state.as_ref());
        let state = state.map(TraceState::header);
        (verdict, state)
    }
}

fn plan(share: f64, keep: Keep) -> Plan {
    keep.check().expect("it can work");
    Plan::new(Sampler::probability(share), &[], Some(&keep), None)
}

/// Whether the trace passes, if its spans are asked in any order.
fn passes(policy: Policy) -> bool {
    let plan = plan(0.0, Keep::none().policy(policy));
    let (mut trace, mut reversed) = (Trace::new(), Trace::new());
    reversed.spans.reverse();
    let verdict = trace.verdict(&plan).0;
    assert_eq!(verdict, reversed.verdict(&plan).0);
    verdict.is_kept()
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn each_policy_asks_all_spans() {
    let millis = Duration::from_millis;
    for (policy, expected) in [
        (Policy::equals("tenant.id", "globex-eu"), true),
        (Policy::equals("tenant.id", "globex"), false),
        (Policy::equals("cart.total", 1000), true),
        (Policy::equals("cart.total", 1000.0), false),
        (Policy::equals("cart.total", "1000"), false),
        (Policy::equals("risk.review", true), true),
        (Policy::equals("risk.review", false), false),
        (Policy::equals("risk.review", "true"), false),
        (Policy::equals("items", ["a", "b"]), true),
        (Policy::equals("items", "a"), false),
        (Policy::equals("missing", ""), false),
        (Policy::one_of("plan", ["free", "trial"]), true),
        (Policy::one_of("plan", ["gold"]), false),
        (Policy::glob("tenant.id", "globex-*"), true),
        (Policy::glob("tenant.id", "*us"), false),
        (Policy::glob("cart.total", "*"), false),
        (Policy::regex("tenant.id", "x-(eu|us)"), true),
        (Policy::regex("tenant.id", "^eu"), false),
        (Policy::number("cart.total", 1000..), true),
        (Policy::number("cart.total", 1001..), false),
        (Policy::number("cart.total", 1_000_i64..2_000), true),
        (Policy::number("cart.total", ..u64::MAX), true),
        (Policy::number("cart.total", ..1000), false),
        (Policy::number("risk.score", 0.5..=0.5), true),
        (Policy::number("plan", 0..), false),
        (Policy::errors(), true),
        (Policy::latency(SECOND..), true),
        (Policy::latency(..SECOND), false),
        (Policy::latency(millis(500)..millis(1500)), true),
        (Policy::latency(millis(100)..millis(500)), false),
        (Policy::spans(2..=2), true),
        (Policy::spans(3..), false),
        (Policy::probability(1.0), true),
        (Policy::probability(0.5), false),
    ] {
        assert_eq!(passes(policy.clone()), expected, "{policy:?}");
        let is_share = matches!(&*policy.to_string(), "probability");
        if !is_share {
            assert_eq!(passes(!policy.clone()), !expected, "!{policy:?}");
        }
    }
}

#[test]
fn both_may_be_passed_by_different_spans() {
    let tenant = || Policy::equals("tenant.id", "globex-eu");
    let review = || Policy::equals("risk.review", true);
    for (policy, expected) in [
        (tenant().and(review()), true),
        (tenant().and(!review()), false),
        (!tenant().and(!review()), true),
        (tenant().on_first_span(), true),
        (review().on_first_span(), false),
        (tenant().and(review()).on_first_span(), false),
        ((!review()).on_first_span(), true),
        (
            tenant()
                .and(Policy::errors())
                .and(Policy::latency(SECOND..)),
            true,
        ),
    ] {
        assert_eq!(passes(policy.clone()), expected, "{policy:?}");
    }
}

#[test]
fn a_trace_says_which_policy_keeps_it() {
    let keep = Keep::none()
        .policy(Policy::equals("plan", "gold"))
        .policy(Policy::number("cart.total", 500..).named("large"))
        .policy(Policy::equals("risk.review", true));
    let (verdict, state) = Trace::new().verdict(&plan(0.0, keep));
    assert_eq!(verdict.reason, Some("policy"));
    assert_eq!(verdict.adjusted_count, Some(1.0));
    assert_eq!(state.as_deref(), Some("ot=th:0"));
    let attributes = verdict.added.unwrap().attributes;
    let expected = [
        KeyValue::new("sampling.upgraded", true),
        KeyValue::new("sampling.policy", "large"),
    ];
    assert_eq!(attributes, expected);
}

#[test]
fn what_is_dropped_is_dropped_whatever_keeps_it() {
    let bot = || Policy::equals("plan", "free");
    let keep = Keep::errors().policy(Policy::equals("risk.review", true));
    for share in [0.0, 1.0] {
        assert!(Trace::new().verdict(&plan(share, keep.clone())).0.is_kept());
        let (verdict, _) = Trace::new().verdict(&plan(share, keep.clone().drop(bot())));
        assert!(!verdict.is_recorded());
        let (verdict, _) = Trace::new().verdict(&plan(share, keep.clone().drop(!bot())));
        assert!(verdict.is_kept());
    }
}

#[test]
fn largest_share_that_keeps_a_trace_is_its_weight() {
    const HALF: u128 = 0x80_0000_0000_0000;
    let free = || Policy::equals("plan", "free");
    let half = || free().and(Policy::probability(0.5));
    let tenth = || Policy::probability(0.1);
    for (share, id, policies, count, reason) in [
        (0.25, HALF, vec![half()], Some(2.0), "policy"),
        (0.25, HALF - 1, vec![half()], None, ""),
        (0.25, u128::MAX, vec![half()], Some(2.0), "policy"),
        (
            0.75,
            u128::MAX,
            vec![half()],
            Some(4.0 / 3.0),
            "probability",
        ),
        (0.0, u128::MAX, vec![tenth(), half()], Some(2.0), "policy"),
        (0.0, u128::MAX, vec![tenth(), free()], Some(1.0), "policy"),
        (
            0.0,
            u128::MAX,
            vec![half().and(tenth())],
            Some(10.0),
            "policy",
        ),
        (0.25, u128::MAX, vec![!free()], Some(4.0), "probability"),
    ] {
        let keep = policies.into_iter().fold(Keep::none(), Keep::policy);
        let mut trace = Trace { id, ..Trace::new() };
        let (verdict, _) = trace.verdict(&plan(share, keep.clone()));
        assert_eq!(verdict.is_kept(), count.is_some(), "{share} {keep}");
        if let Some(count) = count {
            let told = verdict.adjusted_count.unwrap();
            assert!((told / count - 1.0).abs() < 1e-4, "{share} {keep}: {told}");
            assert_eq!(verdict.reason, Some(reason), "{share} {keep}");
        }
    }
}

#[test]
fn rate_is_taken_from_only_where_nothing_else_keeps_a_trace() {
    let keep =
        Keep::errors().policy(Policy::equals("plan", "free").and(Policy::rate_limiting(1.0)));
    let plan = plan(0.5, keep);
    let mut trace = Trace::new();
    for _ in 0..5 {
        assert_eq!(trace.verdict(&plan).0.reason, Some("error"));
        trace.has_failed = false;
        trace.id = u128::MAX;
        assert_eq!(trace.verdict(&plan).0.reason, Some("probability"));
        trace.id = 0;
        trace.has_failed = true;
    }
    trace.has_failed = false;
    let (verdict, state) = trace.verdict(&plan);
    assert_eq!(verdict.reason, Some("policy"), "the rate is unspent");
    assert_eq!((verdict.adjusted_count, state), (Some(0.0), None));
    assert!(!trace.verdict(&plan).0.is_kept(), "and spent by one");
    trace.now.set(trace.now.get() + SECOND);
    assert!(trace.verdict(&plan).0.is_kept());
}

/// Sums over what is kept are those over all, for each class of traces.
#[test]
fn weights_of_shares_of_classes_are_true() {
    const TRACES: u32 = 200_000;
    let free = Policy::equals("plan", "free").and(Policy::probability(0.5));
    let large = Policy::number("cart.total", 1000..);
    let plan = plan(0.1, Keep::errors().policy(free).policy(large));
    let mut seed = 7_u64;
    let mut random = || {
        // Xorshift: the test decides the same each time.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    // By class: all, their sum as told, and its variance.
    let mut classes = [(0.0, 0.0, 0.0); 4];
    for _ in 0..TRACES {
        let class = (random() % 4) as usize;
        let mut trace = Trace {
            id: u128::from(random()),
            has_failed: class == 0,
            ..Trace::new()
        };
        let plan_tag = if class == 1 { "free" } else { "paid" };
        let total = if class == 2 { 2_000_i64 } else { 10 };
        trace.spans[0] = span(true, |tags| tags.set("cart.total", &total));
        trace.spans[1] = span(false, |tags| tags.set("plan", plan_tag));
        let (verdict, _) = trace.verdict(&plan);
        let (all, sum, variance) = &mut classes[class];
        *all += 1.0;
        if verdict.is_kept() {
            *sum += verdict.adjusted_count.unwrap();
        }
        let share = [1.0, 0.5, 1.0, 0.1][class];
        *variance += (1.0 - share) / share;
    }
    for (class, (all, sum, variance)) in classes.into_iter().enumerate() {
        let off: f64 = sum - all;
        // The rounding of a threshold adds less than a part in ten thousand.
        let bound = 5.0 * f64::sqrt(variance) + all * 1.3e-4;
        assert!(off.abs() <= bound, "class {class}: {sum} of {all}");
    }
}

/// A caller that samples and tells no threshold has a trace kept, and nobody knows of how many. A share of a policy is known.
#[test]
fn share_of_a_policy_is_the_weight_where_the_samplers_is_not_known() {
    let keep = Keep::none().policy(Policy::probability(0.25));
    let plan = Plan::new(Sampler::always_off(), &[], Some(&keep), None);
    let head = Decision::new(true, Some("parent"));
    for (id, reason, count) in [(u128::MAX, "policy", Some(4.0)), (0, "parent", None)] {
        let id = TraceId::from(id);
        let state = TraceState::NONE;
        let trace = recorded(id, &head, &state);
        let verdict = plan.sampler.sample().verdict(&trace);
        assert!(verdict.is_kept());
        assert_eq!(
            (verdict.reason, verdict.adjusted_count),
            (Some(reason), count)
        );
    }
}
