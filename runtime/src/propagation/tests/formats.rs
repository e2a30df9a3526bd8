//! B3, Jaeger's format and X-Trace.

use std::collections::HashMap;

use super::super::*;
use super::{TRACE, caller, read};

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
