//! What propagators read of headers and write to them.

mod baggage;
mod formats;
mod trace_context;

use std::collections::HashMap;

use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
use proptest::collection::vec;
use proptest::prelude::*;

use self::baggage::members;
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
