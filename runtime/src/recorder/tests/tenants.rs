//! The tenant of a trace, as its spans name it.

use std::sync::Arc;

use opentelemetry::trace::{
    Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span as Otlp;

use super::super::{
    LocalSpan, Mode, Recorder, Sampled, Start, Started, Tracer, TracerProvider, Waiting,
};
use super::attributes;
use super::doubles::Received;
use crate::attribute::Tags;
use crate::config::Limits;
use crate::propagation::ParentDecision;
use crate::sampling::{Head, Keep, Plan, Policy, Sampler, Tenants, Tier};

fn tenants() -> Tenants {
    let mut tenants = Tenants::from_tag()
        .tier("vip", Tier::of(["acme", "17"]).rate(1.0))
        .tier("default", Tier::rest().rate(0.0));
    tenants.settle(|_| {}).unwrap();
    tenants
}

fn recorder(limits: Limits) -> (Arc<Recorder>, Tracer, Arc<Received>) {
    recorder_with(Tags::new(), limits)
}

fn recorder_with(tags: Tags, limits: Limits) -> (Arc<Recorder>, Tracer, Arc<Received>) {
    let plan = Plan::new(Sampler::always_off(), &[], None, Some(tenants()));
    planned(plan, tags, limits)
}

fn planned(plan: Plan, tags: Tags, limits: Limits) -> (Arc<Recorder>, Tracer, Arc<Received>) {
    let sink = Arc::new(Received::default());
    let mut recorder = Recorder::for_tests(Mode::Record, limits, sink.clone()).with_plan(plan);
    recorder.tags = tags;
    let recorder = Arc::new(recorder);
    let tracer = TracerProvider::new(Arc::clone(&recorder)).tracer("test");
    (recorder, tracer, sink)
}

fn tag(span: &Otlp, key: &str) -> Option<String> {
    let found = attributes(span).into_iter().find(|(it, _)| *it == key)?;
    Some(format!("{:?}", found.1))
}

fn tenant(span: &Otlp) -> String {
    let text = tag(span, "tenant.id").unwrap_or_default();
    text.replace("StringValue(\"", "").replace("\")", "")
}

fn set(span: &Context, tenant: &'static str) {
    span.span()
        .set_attribute(KeyValue::new("tenant.id", tenant));
}

#[test]
fn each_span_of_a_kept_trace_has_the_tenant() {
    let (_, tracer, sink) = recorder(Limits::default());
    let root = tracer.start_with_context("root", &Context::new());
    let root = Context::new().with_span(root);
    tracer.start_with_context("early", &root).end();
    let child = Context::new().with_span(tracer.start_with_context("child", &root));
    set(&child, "acme");
    child.span().end();
    root.span().end();
    tracer.start_with_context("late", &root).end();
    let spans = sink.spans();
    assert_eq!(spans.len(), 4);
    for span in &spans {
        assert_eq!(tenant(span), "acme", "{}", span.name);
        let tier = tag(span, "sampling.tier");
        assert_eq!(tier.is_some(), span.name == "root");
        assert!(tier.is_none_or(|tier| tier.contains("vip")));
    }
}

#[test]
fn last_tag_that_is_set_names_the_tenant_whichever_span_ends_last() {
    let (_, tracer, sink) = recorder(Limits::default());
    for (first, second) in [("initech", "acme"), ("acme", "initech")] {
        let root = tracer.start_with_context("root", &Context::new());
        let root = Context::new().with_span(root);
        set(&root, first);
        let child = Context::new().with_span(tracer.start_with_context("child", &root));
        set(&child, second);
        let other = tracer.start_with_context("other", &root);
        drop(other);
        child.span().end();
        root.span().set_attribute(KeyValue::new("other", 1));
        root.span().end();
    }
    let spans = sink.spans();
    let mut named: Vec<_> = spans.iter().map(|it| (&*it.name, tenant(it))).collect();
    named.sort_unstable();
    let expected = [("child", "acme"), ("other", "acme"), ("root", "initech")];
    let expected = expected.map(|(name, tenant)| (name, tenant.to_owned()));
    assert_eq!(named, expected, "what a span has said of itself stands");
}

fn recording(started: Started) -> LocalSpan {
    match started {
        Started::Recording(span) => span,
        Started::Dropped(_) => panic!("every trace is recorded"),
    }
}

#[test]
fn inherited_tag_does_not_name_the_tenant_again() {
    for (inherited, set_last, is_kept) in [("initech", "acme", true), ("acme", "initech", false)] {
        let (recorder, _, sink) = recorder(Limits::default());
        let root = recording(request(&recorder, None));
        let mut tags = root.tags();
        tags.set_inherited("tenant.id", inherited);
        root.append(&tags);
        drop(tags);
        let child = || {
            let start = Start::now("child", SpanKind::Internal);
            recording(root.clone().start_child(start))
        };
        let names_it = child();
        names_it.tag(|tags| tags.set("tenant.id", set_last));
        super::end(&names_it);
        let inherits = child();
        inherits.tag(|tags| tags.set("other", &1));
        super::end(&inherits);
        super::end(&root);
        let mut named: Vec<_> = sink.spans().iter().map(tenant).collect();
        named.sort_unstable();
        let expected = match is_kept {
            true => &["acme", "initech", "initech"][..],
            false => &[],
        };
        assert_eq!(named, expected);
    }
}

#[test]
fn default_tag_names_the_tenant_once() {
    for (set_last, kept) in [(None, 0), (Some("acme"), 2)] {
        let mut tags = Tags::new();
        tags.set("tenant.id", "initech");
        let (recorder, _, sink) = recorder_with(tags, Limits::default());
        let root = recording(request(&recorder, Some("acme")));
        if let Some(tenant) = set_last {
            root.tag(|tags| tags.set("tenant.id", tenant));
        }
        let server = Start::now("child", SpanKind::Server);
        super::end(&recording(root.clone().start_child(server)));
        super::end(&root);
        assert_eq!(sink.spans().len(), kept, "{set_last:?}");
    }
}

#[test]
fn tenant_does_not_change_after_the_verdict() {
    let (_, tracer, sink) = recorder(Limits::default());
    let root = tracer.start_with_context("root", &Context::new());
    let root = Context::new().with_span(root);
    set(&root, "acme");
    root.span().end();
    let late = Context::new().with_span(tracer.start_with_context("late", &root));
    set(&late, "initech");
    tracer.start_with_context("later", &late).end();
    late.span().end();
    let named: Vec<_> = sink.spans().iter().map(tenant).collect();
    assert_eq!(named, ["acme", "acme", "initech"]);
}

#[test]
fn numbers_are_names_and_other_values_are_not() {
    let (_, tracer, sink) = recorder(Limits::default());
    for value in [
        opentelemetry::Value::from(17),
        opentelemetry::Value::from(true),
        opentelemetry::Value::from(17.0),
        opentelemetry::Value::from(""),
    ] {
        let mut span = tracer.start_with_context("root", &Context::new());
        span.set_attribute(KeyValue::new("tenant.id", value));
    }
    let spans = sink.spans();
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(tag(&spans[0], "tenant.id").unwrap(), "IntValue(17)");
}

#[test]
fn tenant_is_there_beside_a_limit_of_attributes() {
    let limits = Limits {
        attributes: 1,
        ..Limits::default()
    };
    let (_, tracer, sink) = recorder(limits);
    let root = tracer.start_with_context("root", &Context::new());
    let root = Context::new().with_span(root);
    set(&root, "acme");
    let mut child = tracer.start_with_context("child", &root);
    child.set_attribute(KeyValue::new("a", 1));
    drop(child);
    root.span().end();
    let spans = sink.spans();
    assert!(spans.iter().all(|span| tenant(span) == "acme"), "{spans:?}");
}

/// The head of a request that names a tenant.
struct Named(Option<&'static str>);

impl Head for Named {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/"
    }

    fn host(&self) -> Option<&str> {
        None
    }

    fn any_line(&self, _: &str, _: &dyn Fn(&[u8]) -> bool) -> bool {
        false
    }

    fn tenant(&self) -> Option<Arc<str>> {
        self.0.map(Arc::from)
    }
}

/// Starts a request's span, whose head names a tenant.
fn request(recorder: &Arc<Recorder>, tenant: Option<&'static str>) -> Started {
    let (by, kind) = (ParentDecision::FromFlags, SpanKind::Server);
    match recorder.sample(None, by, "GET", &kind, Some(&Named(tenant))) {
        Sampled::Record(new) => recorder.record(new, Start::now("GET", kind)),
        Sampled::Drop(context) => Started::Dropped(context),
    }
}

#[test]
fn tenant_of_the_head_counts_until_a_tag_is_set() {
    for (head, tagged, is_sent, is_kept) in [
        (Some("acme"), None, true, Some("acme")),
        (Some("acme"), Some("initech"), true, None),
        (Some("initech"), Some("acme"), false, Some("acme")),
        (Some("initech"), None, false, None),
        (None, None, false, None),
    ] {
        let (recorder, _, sink) = recorder(Limits::default());
        let Started::Recording(span) = request(&recorder, head) else {
            panic!("every trace is recorded");
        };
        assert_eq!(span.context().is_sampled(), is_sent);
        if let Some(tagged) = tagged {
            span.tag(|tags| tags.set("tenant.id", tagged));
        }
        super::end(&span);
        let named: Vec<_> = sink.spans().iter().map(tenant).collect();
        assert_eq!(named, Vec::from_iter(is_kept), "{head:?} {tagged:?}");
        let [recorded, kept, dropped] = sink.counts();
        assert_eq!(recorded, kept + dropped);
    }
}

#[test]
fn without_tenants_a_tag_of_that_name_is_like_any_other() {
    let (tracer, sink) = super::recorder(Limits::default());
    let root = tracer.start_with_context("root", &Context::new());
    let root = Context::new().with_span(root);
    set(&root, "acme");
    tracer.start_with_context("child", &root).end();
    root.span().end();
    let named: Vec<_> = sink.spans().iter().map(tenant).collect();
    assert_eq!(named, ["", "acme"]);
}

#[test]
fn trace_that_comes_back_says_its_own_tier() {
    let keep = Some(&Keep::errors());
    let plan = Plan::new(Sampler::always_off(), &[], keep, Some(tenants()));
    let (recorder, tracer, sink) = planned(plan, Tags::new(), Limits::default());
    let root = tracer.start_with_context("root", &Context::new());
    let root = Context::new().with_span(root);
    tracer.start_with_context("before", &root).end();
    recorder.hand_over(Waiting::All, usize::MAX);
    let mut child = tracer.start_with_context("child", &root);
    child.set_status(Status::error("late"));
    drop(child);
    root.span().end();
    let spans = sink.spans();
    assert_eq!(spans.len(), 2);
    let tier = tag(&spans[1], "sampling.tier").unwrap();
    assert!(tier.contains("default"), "{tier}");
}

/// A sampler that keeps every trace gives no reason.
#[test]
fn trace_that_is_kept_for_no_reason_says_that_others_do_not_know() {
    let mut tenants = Tenants::from_tag().tier("none", Tier::of(["acme"]).rate(0.0));
    tenants.settle(|_| {}).unwrap();
    let plan = Plan::new(Sampler::always_on(), &[], None, Some(tenants));
    let (recorder, _, sink) = planned(plan, Tags::new(), Limits::default());
    let Started::Recording(span) = request(&recorder, Some("acme")) else {
        panic!("every trace is recorded");
    };
    assert!(!span.context().is_sampled());
    span.tag(|tags| tags.set("tenant.id", "initech"));
    super::end(&span);
    let spans = sink.spans();
    assert_eq!(tag(&spans[0], "sampling.reason"), None);
    let upgraded = tag(&spans[0], "sampling.upgraded");
    assert_eq!(upgraded.as_deref(), Some("BoolValue(true)"));
}

#[test]
fn policies_see_the_tenant_that_a_request_names() {
    let keep = Keep::none().policy(Policy::equals("tenant.id", "initech"));
    let plan = Plan::new(Sampler::always_off(), &[], Some(&keep), Some(tenants()));
    let (recorder, _, sink) = planned(plan, Tags::new(), Limits::default());
    for tenant in ["initech", "umbrella"] {
        let Started::Recording(span) = request(&recorder, Some(tenant)) else {
            panic!("every trace is recorded");
        };
        super::end(&span);
    }
    let named: Vec<_> = sink.spans().iter().map(tenant).collect();
    assert_eq!(named, ["initech"]);
}
