//! Rules on the head and on the route, below callers, and beside `Keep`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};

use super::*;
use crate::attribute::Tags;
use crate::sampling::{Head, Keep, Plan, Tagged};

mod shares;

const LOW: TraceId = TraceId::from_bytes([0; 16]);
const HIGH: TraceId = TraceId::from_bytes([0xff; 16]);

/// The head of a request.
#[derive(Clone, Copy)]
struct Request {
    method: &'static str,
    path: &'static str,
    host: Option<&'static str>,
    headers: &'static [(&'static str, &'static [u8])],
}

const GET: Request = Request {
    method: "GET",
    path: "/orders/7",
    host: Some("Shop.Internal"),
    headers: &[("x-probe", b"\xff"), ("x-probe", b"live"), ("x-a", b"")],
};

impl Head for Request {
    fn method(&self) -> &str {
        self.method
    }

    fn path(&self) -> &str {
        self.path
    }

    fn host(&self) -> Option<&str> {
        self.host
    }

    fn any_line(&self, name: &str, passes: &dyn Fn(&[u8]) -> bool) -> bool {
        let mut lines = self.headers.iter();
        lines.any(|(other, line)| *other == name && passes(line))
    }

    fn tenant(&self) -> Option<Arc<str>> {
        None
    }
}

/// What decides, with its state after a trace began.
struct Fixture(Plan);

impl Fixture {
    fn new<const N: usize>(sampler: Sampler, rules: [Rule; N], keep: Option<&Keep>) -> Self {
        Self(Plan::new(sampler, &rules, keep, None))
    }

    fn head(
        &self,
        id: TraceId,
        parent: Option<&SpanContext>,
        request: Option<Request>,
    ) -> Decision {
        let request = request.as_ref().map(|request| request as &dyn Head);
        self.0.sampler.sample().sample(&NewTrace {
            id,
            name: "GET",
            kind: &SpanKind::Server,
            parent,
            caller: parent.map(SpanContext::is_sampled),
            request,
            tenant: None,
            now: &Instant::now,
        })
    }

    /// The verdict on a trace with that route, and what its state becomes if that changes.
    fn verdict(
        &self,
        id: TraceId,
        parent: Option<&SpanContext>,
        route: &'static str,
        has_failed: bool,
    ) -> (Decision, Decision, Option<String>) {
        let mut head = self.head(id, parent, Some(GET));
        assert!(head.is_recorded() && head.waits());
        let added = head.added.take().and_then(|added| added.trace_state);
        let own = parent.map(|parent| parent.trace_state().clone());
        let state = added.or(own).unwrap_or_default();
        let watch = self
            .0
            .watch
            .clone()
            .unwrap_or_else(|| Arc::new(Watch::default()));
        let verdict = self.0.sampler.sample().verdict(&RecordedTrace {
            id,
            tenant: None,
            head: &head,
            state: &state,
            has_failed,
            latency: Duration::ZERO,
            spans: 1,
            hits: watch.hits(&Routed::to(route)),
            now: &Instant::now,
        });
        let added = verdict.added.as_deref();
        let after = state_after(&verdict);
        assert_eq!(
            added.is_some_and(|added| !added.attributes.is_empty()),
            verdict.is_kept() && !head.is_kept(),
            "upgraded is told"
        );
        (head, verdict, after)
    }
}

/// The first span of a trace, of a request that was routed.
struct Routed(Tags);

impl Routed {
    fn to(route: &str) -> Self {
        let mut tags = Tags::new();
        tags.set("http.route", route);
        Self(tags)
    }
}

impl Tagged for Routed {
    fn is_first(&self) -> bool {
        true
    }

    fn tags(&self) -> &Tags {
        &self.0
    }
}

/// What a trace's state becomes.
fn state_after(decision: &Decision) -> Option<String> {
    let added = decision.added.as_deref()?;
    added.trace_state.as_ref().map(TraceState::header)
}

fn parent(is_sampled: bool, is_remote: bool, state: &str) -> SpanContext {
    let flags = TraceFlags::new(0x02).with_sampled(is_sampled);
    let state = state.parse().unwrap();
    SpanContext::new(TraceId::from(1), SpanId::from(2), flags, is_remote, state)
}

#[test]
fn each_condition_asks_the_head() {
    for (condition, is_match) in [
        (Rule::path("/orders/*"), true),
        (Rule::path("/orders"), false),
        (Rule::method("get"), true),
        (Rule::method("POST"), false),
        (Rule::host("*.INTERNAL"), true),
        (Rule::host("shop"), false),
        (Rule::header("X-Probe", "*"), true),
        (Rule::header("x-probe", "li*"), true),
        (Rule::header("x-probe", "li"), false),
        (Rule::header("x-a", "*"), true),
        (Rule::header("x-b", "*"), false),
        (Rule::parent(Parent::None), true),
        (Rule::parent(Parent::Remote), false),
        (Rule::path("/**").method("GET").host("*"), true),
        (Rule::path("/**").method("GET").host("a"), false),
    ] {
        let rule = condition.keep();
        let name = rule.to_string();
        let test = Fixture::new(Sampler::always_off(), [rule], None);
        assert_eq!(
            test.head(LOW, None, Some(GET)).is_kept(),
            is_match,
            "{name}"
        );
    }
}

#[test]
fn trace_that_no_request_begins_matches_its_parent_only() {
    for (rule, is_match) in [
        (Rule::path("**").keep(), false),
        (Rule::route("**").keep(), false),
        (Rule::method("GET").parent(Parent::Local).keep(), false),
        (Rule::parent(Parent::Local).keep(), true),
        (Rule::parent(Parent::Remote).keep(), false),
        (Rule::parent(Parent::None).keep(), false),
    ] {
        let name = rule.to_string();
        let test = Fixture::new(Sampler::always_off(), [rule], None);
        let decision = test.head(LOW, Some(&parent(false, false, "")), None);
        assert_eq!(decision.is_recorded(), is_match, "{name}");
    }
}

#[test]
fn first_rule_that_matches_decides() {
    let (never, keep) = (|| Rule::path("/**").never(), || Rule::method("GET").keep());
    let off = || Sampler::always_off().parent_based();
    assert!(
        !Fixture::new(off(), [never(), keep()], None)
            .head(HIGH, None, Some(GET))
            .is_kept()
    );
    assert!(
        Fixture::new(off(), [keep(), never()], None)
            .head(LOW, None, Some(GET))
            .is_kept()
    );
    let other = Request {
        method: "PUT",
        path: "/",
        ..GET
    };
    let test = Fixture::new(off(), [keep(), Rule::path("/a").keep()], None);
    let decision = test.head(HIGH, None, Some(other));
    assert_eq!(
        (decision.is_kept(), decision.reason),
        (false, Some("always_off"))
    );
}

#[test]
fn never_beats_a_sampled_caller_and_errors() {
    let keep = Keep::errors();
    let test = Fixture::new(
        Sampler::always_on(),
        [Rule::path("/**").never()],
        Some(&keep),
    );
    let decision = test.head(HIGH, Some(&parent(true, true, "ot=th:0,a=1")), Some(GET));
    assert!(!decision.is_recorded() && decision.is_final);
    assert_eq!(state_after(&decision).as_deref(), Some("a=1"));
    // Behind a rule that waits for the route it is recorded until then.
    let rules = [
        Rule::route("/orders/{id}").keep(),
        Rule::path("/**").never(),
    ];
    let test = Fixture::new(Sampler::always_on(), rules, Some(&keep));
    for (route, is_kept) in [("/orders/{id}", true), ("/orders/new", false)] {
        let caller = parent(true, true, "");
        let (head, verdict, _) = test.verdict(HIGH, Some(&caller), route, true);
        assert!(!head.is_kept(), "what leaves");
        assert_eq!(verdict.is_kept(), is_kept, "{route}");
    }
}

#[test]
fn rule_of_a_route_replaces_what_the_head_has_said() {
    let (on, off) = (Sampler::always_on, || Sampler::probability(0.0));
    // The head's sampler, the rate, the trace; whether it is kept, its weight, and what its state becomes.
    for (sampler, rate, id, is_kept, count, after) in [
        (off(), 1.0, LOW, true, Some(1.0), Some("ot=th:0")),
        (off(), 0.5, LOW, false, None, None),
        (off(), 0.5, HIGH, true, Some(2.0), Some("ot=th:8")),
        (on(), 0.5, LOW, false, None, None),
        (on(), 0.5, HIGH, true, Some(2.0), Some("ot=th:8")),
        (on(), 0.0, HIGH, false, None, None),
        (
            Sampler::probability(0.5),
            0.25,
            HIGH,
            true,
            Some(4.0),
            Some("ot=th:c"),
        ),
        (
            Sampler::trace_id_ratio(0.5),
            0.25,
            HIGH,
            true,
            Some(4.0),
            Some("ot=th:c"),
        ),
    ] {
        let name = sampler.to_string();
        let rule = Rule::route("/orders/*").rate(rate);
        let test = Fixture::new(sampler, [rule], None);
        let (_, verdict, state) = test.verdict(id, None, "/orders/{id}", false);
        assert_eq!(verdict.is_kept(), is_kept, "{name} {rate}");
        assert_eq!(verdict.reason, Some("rule"));
        assert_eq!(verdict.adjusted_count, count, "{name} {rate}");
        assert_eq!(state.as_deref(), after, "{name} {rate}");
        assert!(verdict.is_final);
    }
}

#[test]
fn trace_with_another_route_is_the_samplers() {
    let rule = || Rule::route("/orders/{id}").rate(0.0);
    for (id, is_kept) in [(LOW, false), (HIGH, true)] {
        let test = Fixture::new(Sampler::probability(0.5), [rule()], None);
        let (_, verdict, _) = test.verdict(id, None, "/carts/{id}", false);
        assert_eq!(
            (verdict.is_kept(), verdict.reason),
            (is_kept, Some("probability"))
        );
    }
    // What cannot match does not wait.
    let test = Fixture::new(Sampler::always_on(), [rule()], None);
    assert!(!test.head(LOW, None, None).waits());
    let narrow = Rule::route("/orders/{id}").method("POST").keep();
    let test = Fixture::new(Sampler::always_on(), [narrow], None);
    assert!(!test.head(LOW, None, Some(GET)).waits());
}

#[test]
fn rule_of_a_route_counts_before_that_of_the_head_and_not_behind_it() {
    let route = || Rule::route("/orders/{id}").rate(0.0);
    let head = || Rule::path("/orders/*").keep();
    let test = Fixture::new(Sampler::always_off(), [route(), head()], None);
    for (to, is_kept) in [("/orders/{id}", false), ("/orders/{name}", true)] {
        let (head, verdict, _) = test.verdict(LOW, None, to, false);
        assert_eq!((head.is_kept(), verdict.is_kept()), (true, is_kept), "{to}");
        assert_eq!(verdict.reason, Some("rule"));
    }
    let test = Fixture::new(Sampler::always_off(), [head(), route()], None);
    let decision = test.head(LOW, None, Some(GET));
    assert!(decision.is_kept() && decision.is_final);
    // Of two with a route that match, the first.
    let rules = [
        Rule::route("/a").keep(),
        Rule::route("/orders/**").keep(),
        route(),
    ];
    let test = Fixture::new(Sampler::always_off(), rules, None);
    assert!(test.verdict(LOW, None, "/orders/{id}", false).1.is_kept());
}

#[test]
fn errors_are_kept_beside_a_rate() {
    let keep = Keep::errors();
    for (rule, is_upgraded) in [
        (Rule::path("/**").rate(0.1), true),
        (Rule::route("/orders/{id}").rate(0.1), false),
    ] {
        let test = Fixture::new(Sampler::always_on(), [rule.clone()], Some(&keep));
        let (_, verdict, state) = test.verdict(LOW, None, "/orders/{id}", true);
        assert!(verdict.is_kept(), "{rule}");
        assert_eq!(
            (verdict.reason, verdict.adjusted_count),
            (Some("error"), Some(1.0))
        );
        assert_eq!(state.as_deref(), Some("ot=th:0"));
        let upgraded = KeyValue::new("sampling.upgraded", true);
        let expected: Vec<_> = is_upgraded.then_some(upgraded).into_iter().collect();
        assert_eq!(verdict.added.unwrap().attributes, expected, "{rule}");
        let (_, verdict, _) = test.verdict(LOW, None, "/orders/{id}", false);
        assert_eq!((verdict.is_kept(), verdict.reason), (false, Some("rule")));
    }
}

#[test]
fn sampler_has_no_verdict_on_what_a_rule_has_decided() {
    #[derive(Debug)]
    struct Late;
    impl fmt::Display for Late {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("late")
        }
    }
    impl Sample for Late {
        fn sample(&self, _: &NewTrace<'_>) -> Decision {
            Decision {
                decision: SamplingDecision::RecordOnly,
                ..Decision::new(false, Some("late"))
            }
        }

        fn verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
            Decision::keep_recorded(trace, "late", None)
        }
    }
    let keep = Keep::none().slower_than(Duration::MAX);
    for (path, reason) in [("/orders/*", "rule"), ("/carts/*", "late")] {
        let rule = Rule::path(path).rate(0.0);
        let test = Fixture::new(Sampler::of(Late), [rule], Some(&keep));
        let (_, verdict, _) = test.verdict(HIGH, None, "", false);
        assert_eq!(verdict.reason, Some(reason), "{path}");
        assert_eq!(verdict.is_kept(), reason == "late");
    }
}
