use std::collections::HashMap;

use opentelemetry::{
    TraceFlags,
    trace::{SpanId, TraceId, TraceState},
};
use proptest::{collection::vec, prelude::*};

use super::trace_context::{TRACEPARENT, TRACESTATE};
use super::*;

const TRACE: u128 = 0x4bf92f3577b34da6a3ce929d0e0e4736;
const SPAN: u64 = 0x00f067aa0ba902b7;
const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Header lines in order, as an HTTP server holds them.
struct Headers<'h>(Vec<(&'static str, &'h [u8])>);

impl Carrier for Headers<'_> {
    fn lines<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + 'a {
        let lines = self.0.iter().filter(move |line| line.0 == name);
        lines.map(|line| line.1)
    }
}

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
            0..=32,
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

/// What a propagator makes of the headers: ids, flags, and whether the caller debugs.
fn read(propagator: Propagator, headers: &[(&'static str, &str)]) -> Option<(SpanContext, bool)> {
    let mut inbound = Inbound::default();
    let lines = headers.iter().map(|(name, line)| (*name, line.as_bytes()));
    propagator.read(&Headers(lines.collect()), &mut inbound);
    Some((inbound.caller?, inbound.is_debug))
}

fn caller(trace: u128, flags: u8) -> SpanContext {
    SpanContext::new(
        TraceId::from(trace),
        SpanId::from(SPAN),
        TraceFlags::new(flags),
        true,
        TraceState::NONE,
    )
}

#[test]
fn b3_in_one_header() {
    const IDS: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
    for (rest, flags, is_debug) in [
        ("", 0, false),
        ("-0", 0, false),
        ("-1", 1, false),
        ("-d", 1, true),
        ("-1-05e3ac9a4f6e3b90", 1, false),
    ] {
        let line = format!("{IDS}{rest}");
        let expected = Some((caller(TRACE, flags), is_debug));
        for propagator in [Propagator::B3, Propagator::B3Multi] {
            assert_eq!(read(propagator, &[("b3", &line)]), expected, "{line}");
        }
    }
    let short = read(
        Propagator::B3,
        &[("b3", " a3ce929d0e0e4736-00f067aa0ba902b7-1 ")],
    );
    assert_eq!(short, Some((caller(0xa3ce929d0e0e4736, 1), false)));
    for line in [
        "",
        "0",
        "1",
        "d",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "4bf92f3577b34da6a3ce929d0e0e4736-",
        "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
        "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-2",
        "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1-",
        "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1-05e3ac9a4f6e3b90-",
        "4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-1",
        "bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00000000000000000000000000000000-00f067aa0ba902b7-1",
        "4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-1",
        "4bf92f3577b34da6a3ce929d0e0e4736-f067aa0ba902b7-1",
    ] {
        assert_eq!(read(Propagator::B3, &[("b3", line)]), None, "{line}");
    }
}

#[test]
fn b3_in_several_headers() {
    const IDS: [(&str, &str); 2] = [
        ("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("x-b3-spanid", "00f067aa0ba902b7"),
    ];
    let with = |more: &[(&'static str, &'static str)]| {
        read(Propagator::B3Multi, &[&IDS[..], more].concat())
    };
    for (name, value, flags, is_debug) in [
        ("x-b3-sampled", "1", 1, false),
        ("x-b3-sampled", "true", 1, false),
        ("x-b3-sampled", "0", 0, false),
        ("x-b3-flags", "1", 1, true),
        ("x-b3-flags", "0", 0, false),
        ("x-b3-parentspanid", "05e3ac9a4f6e3b90", 0, false),
    ] {
        let expected = Some((caller(TRACE, flags), is_debug));
        assert_eq!(with(&[(name, value)]), expected, "{name}: {value}");
    }
    assert_eq!(with(&[("x-b3-sampled", "yes")]), None);
    assert_eq!(with(&[("x-b3-traceid", "1")]), None, "a header twice");
    assert_eq!(read(Propagator::B3, &IDS[..1]), None);
    let single = ("b3", "000000000000000000000000000000aa-00f067aa0ba902b7-1");
    assert_eq!(
        with(&[single]),
        Some((caller(0xaa, 1), false)),
        "it goes first"
    );
}

#[test]
fn jaegers_own() {
    for (line, trace, flags, is_debug) in [
        (
            "4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1",
            TRACE,
            1,
            false,
        ),
        (
            "4bf92f3577b34da6a3ce929d0e0e4736:f067aa0ba902b7:0:0",
            TRACE,
            0,
            false,
        ),
        ("aa:f067aa0ba902b7:7:3", 0xaa, 1, true),
        ("aa:f067aa0ba902b7::01", 0xaa, 1, false),
        ("aa%3Af067aa0ba902b7%3A0%3A1", 0xaa, 1, false),
    ] {
        let expected = Some((caller(trace, flags), is_debug));
        assert_eq!(
            read(Propagator::Jaeger, &[("uber-trace-id", line)]),
            expected,
            "{line}"
        );
    }
    for line in [
        "",
        "aa:bb:0",
        "aa:bb:0:1:2",
        "0:bb:0:1",
        "aa:0:0:1",
        ":bb:0:1",
        "aa:bb:0:+1",
        "aa:bb:0:x",
        "aa:bb:0:",
        "a4bf92f3577b34da6a3ce929d0e0e4736:bb:0:1",
        "aa:a00f067aa0ba902b7:0:1",
    ] {
        assert_eq!(
            read(Propagator::Jaeger, &[("uber-trace-id", line)]),
            None,
            "{line}"
        );
    }
}

#[test]
fn ids_in_headers_of_their_own() {
    let trace = ("x-trace-id", "4bf92f3577b34da6a3ce929d0e0e4736");
    let span = ("x-span-id", "00f067aa0ba902b7");
    let expected = Some((caller(TRACE, 1), false));
    let read = |headers: &[_]| read(Propagator::XTrace, headers);
    assert_eq!(read(&[trace, span]), expected);
    assert_eq!(read(&[trace, span, ("x-parent-id", "01")]), expected);
    assert_eq!(
        read(&[trace, ("x-parent-id", "00f067aa0ba902b7")]),
        expected
    );
    assert_eq!(read(&[trace]), None);
    assert_eq!(read(&[span]), None);
    assert_eq!(read(&[("x-trace-id", "a uuid"), span]), None);
}

#[test]
fn each_format_is_written_as_others_read_it() {
    let sampled = Context::new().with_remote_span_context(caller(TRACE, 1));
    let debug = sampled.with_value(Debug);
    let dropped = Context::new().with_remote_span_context(caller(TRACE, 0));
    let written = |propagator: Propagator, cx: &Context| {
        let mut headers = HashMap::new();
        propagator.inject_context(cx, &mut headers);
        let mut headers: Vec<_> = headers.into_iter().collect();
        headers.sort();
        let lines = headers.iter().map(|(name, line)| format!("{name}: {line}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    const IDS: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
    for (cx, decision, multi, flags) in [
        (&sampled, "1", "x-b3-sampled: 1", "1"),
        (&dropped, "0", "x-b3-sampled: 0", "0"),
        (&debug, "d", "x-b3-flags: 1", "3"),
    ] {
        assert_eq!(written(Propagator::B3, cx), format!("b3: {IDS}-{decision}"));
        let several = written(Propagator::B3Multi, cx);
        let ids = "x-b3-spanid: 00f067aa0ba902b7\nx-b3-traceid: 4bf92f3577b34da6a3ce929d0e0e4736";
        assert!(
            several.contains(ids) && several.contains(multi),
            "{several}"
        );
        assert_eq!(several.lines().count(), 3);
        let jaeger = format!("uber-trace-id: {}:0:{flags}", IDS.replace('-', ":"));
        assert_eq!(written(Propagator::Jaeger, cx), jaeger);
    }
    assert_eq!(
        written(Propagator::XTrace, &sampled),
        "x-span-id: 00f067aa0ba902b7\nx-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736"
    );
    for propagator in Propagator::ALL {
        assert_eq!(written(propagator, &Context::new()), "", "{propagator}");
    }
}

/// The members of a context's baggage, sorted.
fn members(cx: &Context) -> Vec<String> {
    let baggage = cx.baggage().iter();
    let mut members: Vec<_> = baggage
        .map(|(key, (value, metadata))| format!("{key}={value};{metadata}"))
        .collect();
    members.sort();
    members
}

fn baggage(line: &str) -> Context {
    let headers = HashMap::from([("baggage".to_owned(), line.to_owned())]);
    Propagator::Baggage.extract_with_context(&Context::new(), &headers)
}

#[test]
fn baggage_as_the_specification_has_it() {
    for (line, expected) in [
        ("user.id=7", vec!["user.id=7;"]),
        (
            " user.id = 7 , tier=gold\t",
            vec!["tier=gold;", "user.id=7;"],
        ),
        ("query=a=b=c", vec!["query=a=b=c;"]),
        ("name=J%C3%BCrgen%20%2C%25", vec!["name=J\u{fc}rgen ,%;"]),
        ("bad=%ff", vec!["bad=\u{fffd};"]),
        ("id=1;ttl=5;secret", vec!["id=1;ttl=5;secret"]),
        ("id=1,id=2", vec!["id=2;"]),
        ("a b=1,=2,c,,d=", vec!["d=;"]),
    ] {
        assert_eq!(members(&baggage(line)), expected, "{line}");
    }
}

#[test]
fn baggage_survives_and_has_limits() {
    let cx = baggage("name=J%C3%BCrgen%20%2C%25,id=1;ttl=5");
    let mut headers = HashMap::new();
    Propagator::Baggage.inject_context(&cx, &mut headers);
    assert_eq!(members(&baggage(&headers["baggage"])), members(&cx));
    assert!(headers["baggage"].is_ascii());

    let many: Vec<_> = (0..100).map(|i| format!("k{i:02}=v")).collect();
    assert_eq!(members(&baggage(&many.join(","))).len(), 64);
    let long = format!("a={},b={},c=1", "x".repeat(4000), "y".repeat(4000));
    assert_eq!(members(&baggage(&long)).len(), 3, "8192 bytes pass");
    let longer = format!("a=1,b={}", "y".repeat(9000));
    assert_eq!(members(&baggage(&longer)), ["a=1;"]);
}

#[test]
fn of_several_formats_the_last_names_the_caller_and_all_are_written() {
    let propagators = Propagators::new(
        vec![
            Propagator::B3,
            Propagator::TraceContext,
            Propagator::Baggage,
        ],
        vec![Arc::new(Propagator::Jaeger)],
    );
    let mut headers = HashMap::from([
        (
            "b3".to_owned(),
            "aa00000000000000-00f067aa0ba902b7-1".to_owned(),
        ),
        ("traceparent".to_owned(), VALID.to_owned()),
        ("baggage".to_owned(), "user.id=7".to_owned()),
    ]);
    let cx = propagators.extract_with_context(&Context::new(), &headers);
    assert_eq!(cx.span().span_context(), &caller(TRACE, 1));
    assert_eq!(members(&cx), ["user.id=7;"]);
    headers.insert(
        "uber-trace-id".to_owned(),
        "aa:f067aa0ba902b7:0:1".to_owned(),
    );
    let cx = propagators.extract_with_context(&Context::new(), &headers);
    assert_eq!(cx.span().span_context(), &caller(0xaa, 1));
    let mut outbound = HashMap::new();
    propagators.inject_context(&cx, &mut outbound);
    let mut names: Vec<_> = outbound.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["b3", "baggage", "traceparent", "uber-trace-id"]);
    let fields: Vec<_> = propagators.fields().collect();
    assert_eq!(
        fields,
        [
            "b3",
            "traceparent",
            "tracestate",
            "baggage",
            "uber-trace-id"
        ]
    );
}

proptest! {
    #[test]
    fn whatever_comes_no_parser_panics(line in vec(any::<u8>(), 0..200), name in 0..9_usize) {
        const NAMES: [&str; 9] = [
            "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags",
            "uber-trace-id", "x-trace-id", "x-span-id", "baggage",
        ];
        for propagator in Propagator::ALL {
            propagator.read(&Headers(vec![(NAMES[name], &line)]), &mut Inbound::default());
        }
    }
}
