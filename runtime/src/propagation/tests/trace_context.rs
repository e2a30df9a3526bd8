//! W3C Trace Context.

use std::collections::HashMap;

use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::trace_context::{self, TRACEPARENT, TRACESTATE};
use super::super::*;
use super::{Headers, SPAN, TRACE, VALID};

fn extract_lines<L: AsRef<[u8]>>(parents: &[L], states: &[L]) -> Option<SpanContext> {
    let parents = parents.iter().map(|line| (TRACEPARENT, line.as_ref()));
    let states = states.iter().map(|line| (TRACESTATE, line.as_ref()));
    trace_context::extract(&Headers(parents.chain(states).collect()))
}

#[test]
fn valid_traceparents() {
    let cases = [
        (VALID, 1),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", 0),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02", 2),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", 3),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", 3),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fc", 0),
        ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 1),
        (
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            1,
        ),
        (
            "fe-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-later.FIELDS",
            1,
        ),
        (
            " \t00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\t ",
            1,
        ),
    ];
    for (line, flags) in cases {
        let expected = SpanContext::new(
            TraceId::from(TRACE),
            SpanId::from(SPAN),
            TraceFlags::new(flags),
            true,
            TraceState::NONE,
        );
        assert_eq!(extract_lines(&[line], &[]), Some(expected), "{line}");
    }
}

#[test]
fn malformed_traceparents() {
    let cases = [
        ("", "empty"),
        (" ", "blank"),
        (
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "forbidden version",
        ),
        (
            "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "short version",
        ),
        (
            "000-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "long version",
        ),
        (
            "0.-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "version not hex",
        ),
        (
            "CC-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "upper-case version",
        ),
        (
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "upper-case trace id",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
            "upper-case span id",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A",
            "upper-case flags",
        ),
        (
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "zero trace id",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "zero span id",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "short trace id",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e47366-00f067aa0ba902b7-01",
            "long trace id",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "dash misplaced",
        ),
        (
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "sign",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "no flags",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "short flags",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "version 00 goes on",
        ),
        (
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "version 00 goes on",
        ),
        (
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",
            "flags go on",
        ),
        (
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-012",
            "flags go on",
        ),
        (
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "not dashes",
        ),
        (
            "\n00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "a line break",
        ),
    ];
    for (line, why) in cases {
        assert_eq!(extract_lines(&[line], &["a=1"]), None, "{why}: {line}");
    }
}

#[test]
fn traceparent_is_a_single_line() {
    assert_eq!(extract_lines(&[], &["a=1"]), None);
    assert_eq!(extract_lines(&[VALID, VALID], &[]), None);
    assert_eq!(extract_lines(&[VALID, ""], &[]), None);
}

#[test]
fn tracestate_rules() {
    let numbered = |count: usize| {
        let members: Vec<_> = (0..count).map(|n| format!("k{n}=v")).collect();
        members.join(",")
    };
    let most = numbered(32);
    let too_many = numbered(33);
    let printable: String = (' '..='~').filter(|c| !",=".contains(*c)).collect();
    let key = |length| "k".repeat(length);
    let all_values = format!("a={printable}");
    let longest = format!("{}={}", key(256), "v".repeat(256));
    let long_key = format!("{}=1", key(257));
    let long_value = format!("a={}", "v".repeat(257));

    let kept: &[(&[&str], &str)] = &[
        (&["a=1"], "a=1"),
        (&["a=1,b=2"], "a=1,b=2"),
        (&["b=2", "a=1,c=3"], "b=2,a=1,c=3"),
        (&["a=1 \t, \tb=2\t"], "a=1,b=2"),
        (&["a= 1 x "], "a= 1 x"),
        (&["a=1,,b=2, ,"], "a=1,b=2"),
        (&["", "a=1", " "], "a=1"),
        (&["1a=1"], "1a=1"),
        (&["a_-*/0=1"], "a_-*/0=1"),
        (&["tenant@vendor=1"], "tenant@vendor=1"),
        (&[&most], &most),
        (&[&longest], &longest),
        (&["a=1", &longest, "b=2"], "a=1,b=2"),
        (&[&all_values], &all_values),
    ];
    let discarded: &[&[&str]] = &[
        &[""],
        &[", ,"],
        &["a"],
        &["a="],
        &["a= "],
        &["=1"],
        &["a=1=2"],
        &["a==1"],
        &["a =1"],
        &["A=1"],
        &["_a=1"],
        &["@a=1"],
        &["a.b=1"],
        &["ä=1"],
        &["a=ä"],
        &["a=\u{7f}"],
        &["a=1\t2"],
        &["a=1,a=2"],
        &["a=1", "a=1"],
        &["a=1,b"],
        &["a=1", "b"],
        &[&too_many],
        &[&most, "k=v"],
        &[&long_key],
        &[&long_value],
        // Valid, but more than opentelemetry's type can hold.
        &["a@b@c=1"],
        &["a@longer-than-13-=1"],
    ];
    let discarded = discarded.iter().map(|lines| (*lines, ""));
    for (lines, expected) in kept.iter().copied().chain(discarded) {
        let caller = extract_lines(&[VALID], lines).expect("tracestate never spoils traceparent");
        assert_eq!(caller.trace_state().header(), expected, "{lines:?}");
    }
}

#[test]
fn inject_writes_what_is_there() {
    let inject = |span_context: SpanContext| {
        let mut carrier = HashMap::new();
        let cx = Context::new().with_remote_span_context(span_context);
        Propagator::TraceContext.inject_context(&cx, &mut carrier);
        carrier
    };
    let parent = |trace_id: u128, flags, state| {
        SpanContext::new(
            trace_id.into(),
            SPAN.into(),
            TraceFlags::new(flags),
            false,
            state,
        )
    };
    let state = TraceState::from_key_value([("b", "2"), ("a", "1")]).expect("valid members");

    assert_eq!(inject(SpanContext::NONE), HashMap::new());
    assert_eq!(inject(parent(0, 1, state.clone())), HashMap::new());
    assert_eq!(
        inject(parent(TRACE, 0xff, TraceState::NONE)),
        HashMap::from([(TRACEPARENT.to_owned(), VALID.replace("-01", "-03"))]),
    );
    assert_eq!(
        inject(parent(TRACE, 1, state)),
        HashMap::from([
            (TRACEPARENT.to_owned(), VALID.to_owned()),
            (TRACESTATE.to_owned(), "b=2,a=1".to_owned()),
        ]),
    );
}

#[test]
fn an_extractor_with_several_lines_is_read_whole() {
    struct Doubled;
    impl Extractor for Doubled {
        fn get(&self, key: &str) -> Option<&str> {
            self.get_all(key)?.first().copied()
        }
        fn keys(&self) -> Vec<&str> {
            vec![TRACEPARENT, TRACESTATE]
        }
        fn get_all(&self, key: &str) -> Option<Vec<&str>> {
            match key {
                TRACEPARENT => Some(vec![VALID]),
                TRACESTATE => Some(vec!["a=1", "b=2"]),
                _ => None,
            }
        }
    }
    let cx = Propagator::TraceContext.extract_with_context(&Context::new(), &Doubled);
    assert_eq!(cx.span().span_context().trace_state().header(), "a=1,b=2");
}

#[test]
fn a_malformed_traceparent_leaves_the_context_alone() {
    let local = SpanContext::new(
        7.into(),
        7.into(),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let cx = Context::new().with_remote_span_context(local.clone());
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), "00-nonsense".to_owned())]);
    let extracted = Propagator::TraceContext.extract_with_context(&cx, &carrier);
    assert_eq!(extracted.span().span_context(), &local);
}

#[test]
fn fields_are_the_two_headers() {
    assert!(
        Propagator::TraceContext
            .fields()
            .eq(["traceparent", "tracestate"])
    );
}

proptest! {
    #[test]
    fn no_input_panics(
        parents in vec(vec(any::<u8>(), 0..80), 0..3),
        states in vec(vec(any::<u8>(), 0..80), 0..4),
    ) {
        extract_lines(&parents, &states);
        extract_lines(&[VALID.as_bytes().to_vec()], &states);
    }

    #[test]
    fn a_damaged_traceparent_gives_a_valid_context_or_none(at in 0..55_usize, byte: u8) {
        let mut line = VALID.as_bytes().to_vec();
        line[at] = byte;
        if let Some(caller) = extract_lines(&[line], &[]) {
            prop_assert!(caller.is_valid() && caller.is_remote());
        }
    }

    #[test]
    fn a_context_survives_inject_and_extract(
        trace_id in 1..=u128::MAX,
        span_id in 1..=u64::MAX,
        flags in 0..=3_u8,
        state in proptest::collection::hash_map(
            "[a-z0-9][a-z0-9_*/-]{0,30}(@[a-z0-9]{1,13})?",
            "[ -+--<>-~]{0,30}[!-+--<>-~]",
            // Of more than 512 characters, members are left out.
            0..=6,
        ),
    ) {
        let sent = SpanContext::new(
            trace_id.into(),
            span_id.into(),
            TraceFlags::new(flags),
            true,
            TraceState::from_key_value(state).expect("members follow the grammar"),
        );
        let mut carrier = HashMap::new();
        let cx = Context::new().with_remote_span_context(sent.clone());
        Propagator::TraceContext.inject_context(&cx, &mut carrier);
        let received = Propagator::TraceContext.extract_with_context(&Context::new(), &carrier);
        let span = received.span();
        prop_assert_eq!(span.span_context(), &sent);
    }
}
