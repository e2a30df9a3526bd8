//! Context between processes: W3C Trace Context Level 2, W3C Baggage, B3, Jaeger and X-Trace. One row is one sentence.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use actix_web::{App, web};
use behaviour::{Instance, Service};
use biztrace::actix::Trust;
use biztrace::settings::Propagator;
use conformance::{Exchange, SPAN, TRACE, exchange, outbound};

/// What becomes of the caller's trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trace {
    /// It goes on below the caller's span, and is recorded.
    GoesOn,
    /// It goes on, and is not recorded, as the caller does not record it either.
    IsUnsampled,
    /// Another begins here.
    BeginsHere,
}
use Trace::{BeginsHere, GoesOn, IsUnsampled};

/// A sentence; the header lines that come in; what becomes of the trace; the headers that go out, where `{trace}` is the trace's
/// id, `{span}` that of the span here, and an empty value means that there is no such header.
type Row<'a> = (&'a str, &'a [&'a str], Trace, &'a [(&'a str, &'a str)]);

async fn send(format: Propagator, lines: &[&str], spans: u64) -> Exchange {
    let instance = Instance::new(|settings| settings.propagators([format]));
    let head = "GET /outbound HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n";
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let request = format!("{head}{lines}\r\n");
    let service = Service::recording_to(instance, |tracing| {
        App::new()
            .route("/outbound", web::get().to(outbound))
            .wrap(tracing)
    });
    exchange(service, &request, spans).await
}

async fn hold(format: Propagator, rows: &[Row<'_>]) {
    for &(sentence, lines, trace, headers) in rows {
        let is_recorded = trace != IsUnsampled;
        let exchange = send(format, lines, is_recorded.into()).await;
        let sent = exchange.sent();
        let fields: Vec<_> = sent["traceparent"].split('-').collect();
        let (trace_id, span_id) = (fields[1], fields[2]);
        let is_sampled = fields[3].ends_with(['1', '3']);
        assert_eq!(is_sampled, is_recorded, "{sentence}: {sent:?}");
        if trace == BeginsHere {
            assert!(!trace_id.contains(TRACE), "{sentence}: {sent:?}");
            assert_eq!(fields[3], "03", "{sentence}: roots have random ids");
        }
        if is_recorded {
            let server = exchange.spans.server();
            let parent = if trace == GoesOn { SPAN } else { "" };
            assert_eq!(server.parent(), parent, "{sentence}");
            assert_eq!(server.has_remote_parent(), trace == GoesOn, "{sentence}");
            let ids = (server.trace(), server.id());
            assert_eq!((&*ids.0, &*ids.1), (trace_id, span_id), "{sentence}");
        }
        for (name, value) in headers {
            let value = value.replace("{trace}", trace_id);
            let value = value.replace("{span}", span_id);
            let sent = sent.get(*name).map_or("", |value| value);
            assert_eq!(sent, value, "{sentence}: {name}");
        }
    }
}

#[actix_web::test]
async fn traceparent() {
    const STATE: &str = "tracestate: a=1";
    const NO_STATE: &[(&str, &str)] = &[("tracestate", "")];
    const SAMPLED: &[(&str, &str)] = &[(
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-{span}-01",
    )];
    let long_id = format!("traceparent: 00-{TRACE}0-{SPAN}-01");
    let rows: &[Row<'_>] = &[
        (
            "a valid header is taken over",
            &["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
            GoesOn,
            SAMPLED,
        ),
        (
            "the name of the header has no case",
            &["TraceParent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
            GoesOn,
            SAMPLED,
        ),
        (
            "the caller's decision is kept",
            &["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"],
            IsUnsampled,
            &[(
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-{span}-00",
            )],
        ),
        (
            "version ff is invalid, and tracestate is ignored then",
            &[
                "traceparent: ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "upper case in the trace id is invalid",
            &[
                "traceparent: 00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "upper case in the parent id is invalid",
            &[
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-B7AD6b7169203331-01",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "upper case in the flags is invalid",
            &[
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0B",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "a trace id of zeros is invalid",
            &[
                "traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "a parent id of zeros is invalid",
            &[
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "version 00 is no longer than 55 characters",
            &[
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "version 00 has no dash at its end",
            &[
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "version 00 is no shorter than 55 characters",
            &[
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "a trace id has 32 digits",
            &[&long_id, STATE],
            BeginsHere,
            NO_STATE,
        ),
        (
            "of two headers none is valid",
            &[
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "tracestate alone is ignored",
            &[STATE],
            BeginsHere,
            NO_STATE,
        ),
        (
            "a higher version may end after the flags, and goes out as 00",
            &["traceparent: cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
            GoesOn,
            SAMPLED,
        ),
        (
            "a higher version may have more after a dash",
            &["traceparent: cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what"],
            GoesOn,
            SAMPLED,
        ),
        (
            "a higher version has nothing but a dash after the flags",
            &[
                "traceparent: cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what",
                STATE,
            ],
            BeginsHere,
            NO_STATE,
        ),
        (
            "white space around the value is accepted",
            &["traceparent: \t 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 \t "],
            GoesOn,
            SAMPLED,
        ),
        (
            "the random flag is passed on",
            &["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"],
            GoesOn,
            &[(
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-{span}-03",
            )],
        ),
        (
            "the random flag is passed on of a trace that is not sampled",
            &["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02"],
            IsUnsampled,
            &[(
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-{span}-02",
            )],
        ),
        (
            "other flags are not passed on",
            &["traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fd"],
            GoesOn,
            SAMPLED,
        ),
    ];
    hold(Propagator::TraceContext, rows).await;
}

#[actix_web::test]
async fn tracestate() {
    const PARENT: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let members = |count| {
        let members: Vec<_> = (0..count).map(|number| format!("k{number}=1")).collect();
        members.join(",")
    };
    let (long, longer) = ("k".repeat(256), "k".repeat(257));
    let large = "v".repeat(200);
    let of_20 = |count| {
        let members: Vec<_> = (0..count).map(|it| format!("k{it:02}={it:0>16}")).collect();
        members.join(",")
    };
    let rows: [(&str, &[String], String); 19] = [
        (
            "of more than 512 characters, members of more than 128 go first",
            &[format!("a=1,b={large},c={large},d={large},e=1")],
            format!("a=1,b={large},c={large},e=1"),
        ),
        (
            "of more than 512 characters, members at the end go then",
            &[of_20(32)],
            of_20(24),
        ),
        (
            "the list is passed on",
            &["a=1,b=2".into()],
            "a=1,b=2".into(),
        ),
        (
            "lines are combined in order",
            &["b=1,a=2".into(), "c=3".into()],
            "b=1,a=2,c=3".into(),
        ),
        (
            "white space around members is trimmed",
            &[" a=1 \t,\t b=2 ".into()],
            "a=1,b=2".into(),
        ),
        (
            "empty members are allowed",
            &["a=1,,b=2,".into()],
            "a=1,b=2".into(),
        ),
        (
            "a value may have spaces within",
            &["a=1 2".into()],
            "a=1 2".into(),
        ),
        (
            "a key may name a tenant",
            &["t1@system=1".into()],
            "t1@system=1".into(),
        ),
        ("there may be 32 members", &[members(32)], members(32)),
        ("33 members are too many", &[members(33)], String::new()),
        (
            "a key may have 256 characters",
            &[format!("{long}=1")],
            format!("{long}=1"),
        ),
        (
            "a key of 257 is too long",
            &[format!("a=1,{longer}=1")],
            String::new(),
        ),
        (
            "a value may have 256 characters",
            &[format!("a={long}")],
            format!("a={long}"),
        ),
        (
            "a value of 257 is too long",
            &[format!("a=1,b={longer}")],
            String::new(),
        ),
        (
            "a key in upper case discards all",
            &["a=1,B=2".into()],
            String::new(),
        ),
        (
            "a member without a value discards all",
            &["a=1,b".into()],
            String::new(),
        ),
        (
            "a second sign of equality discards all",
            &["a=1,b=2=3".into()],
            String::new(),
        ),
        (
            "a key that comes twice discards all",
            &["a=1".into(), "a=2".into()],
            String::new(),
        ),
        ("an empty list is not sent", &[String::new()], String::new()),
    ];
    for (sentence, lines, sent) in rows {
        let lines = lines.iter().map(|line| format!("tracestate: {line}"));
        let lines: Vec<_> = [PARENT.to_owned()].into_iter().chain(lines).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        // A bad tracestate never spoils the traceparent.
        let row: Row<'_> = (sentence, &lines, GoesOn, &[("tracestate", &sent)]);
        hold(Propagator::TraceContext, &[row]).await;
    }
}

#[actix_web::test]
async fn b3() {
    const SINGLE: &str = "b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
    const TRACE_ID: &str = "x-b3-traceid: 0af7651916cd43dd8448eb211c80319c";
    const SPAN_ID: &str = "x-b3-spanid: b7ad6b7169203331";
    let rows: &[Row<'_>] = &[
        (
            "one header is read",
            &[SINGLE],
            GoesOn,
            &[
                ("b3", "0af7651916cd43dd8448eb211c80319c-{span}-1"),
                ("x-b3-sampled", "1"),
            ],
        ),
        (
            "several headers are read",
            &[TRACE_ID, SPAN_ID, "x-b3-sampled: 1"],
            GoesOn,
            &[
                ("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c"),
                ("x-b3-spanid", "{span}"),
                ("x-b3-sampled", "1"),
            ],
        ),
        (
            "the one header comes before the several",
            &[
                SINGLE,
                "x-b3-traceid: 11111111111111111111111111111111",
                "x-b3-spanid: 2222222222222222",
            ],
            GoesOn,
            &[("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c")],
        ),
        (
            "where the one is malformed the several are read",
            &["b3: what", TRACE_ID, SPAN_ID, "x-b3-sampled: 1"],
            GoesOn,
            &[("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c")],
        ),
        (
            "a trace that is not sampled is not recorded",
            &["b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"],
            IsUnsampled,
            &[
                ("b3", "0af7651916cd43dd8448eb211c80319c-{span}-0"),
                ("x-b3-sampled", "0"),
            ],
        ),
        (
            "d is debug, implies sampled, and is preserved",
            &["b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-d"],
            GoesOn,
            &[
                ("b3", "0af7651916cd43dd8448eb211c80319c-{span}-d"),
                ("x-b3-flags", "1"),
                ("x-b3-sampled", ""),
            ],
        ),
        (
            "X-B3-Flags: 1 is debug, implies sampled, and is preserved",
            &[TRACE_ID, SPAN_ID, "X-B3-Flags: 1"],
            GoesOn,
            &[
                ("b3", "0af7651916cd43dd8448eb211c80319c-{span}-d"),
                ("x-b3-flags", "1"),
                ("x-b3-sampled", ""),
            ],
        ),
        (
            "ids of 64 bits are padded on the left, and are not random",
            &["b3: 8448eb211c80319c-b7ad6b7169203331-1"],
            GoesOn,
            &[(
                "traceparent",
                "00-00000000000000008448eb211c80319c-{span}-01",
            )],
        ),
        (
            "the parent's span id is read over, and never sent",
            &["b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1-05e3ac9a4f6e3b90"],
            GoesOn,
            &[
                ("b3", "0af7651916cd43dd8448eb211c80319c-{span}-1"),
                ("x-b3-parentspanid", ""),
            ],
        ),
        (
            "without a decision it is left to the sampler here",
            &["b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"],
            GoesOn,
            &[("b3", "{trace}-{span}-1")],
        ),
        (
            "in several headers, too",
            &[
                "x-b3-traceid: 0af7651916cd43dd8448eb211c80319c",
                "x-b3-spanid: b7ad6b7169203331",
            ],
            GoesOn,
            &[("b3", "{trace}-{span}-1")],
        ),
        (
            "0 alone is valid: nothing is sampled",
            &["b3: 0"],
            IsUnsampled,
            &[("b3", "{trace}-{span}-0")],
        ),
        (
            "and so it is in several headers",
            &["x-b3-sampled: 0"],
            IsUnsampled,
            &[("b3", "{trace}-{span}-0")],
        ),
        (
            "1 alone samples a trace that begins here",
            &["b3: 1"],
            BeginsHere,
            &[("b3", "{trace}-{span}-1")],
        ),
        (
            "d alone debugs it",
            &["b3: d"],
            BeginsHere,
            &[("b3", "{trace}-{span}-d")],
        ),
        (
            "a decision beside half of the ids is none",
            &["x-b3-sampled: 0", "x-b3-spanid: b7ad6b7169203331"],
            BeginsHere,
            &[("b3", "{trace}-{span}-1")],
        ),
        (
            "a span id of zeros is invalid",
            &["b3: 0af7651916cd43dd8448eb211c80319c-0000000000000000-1"],
            BeginsHere,
            &[],
        ),
    ];
    hold(Propagator::B3, rows).await;
    hold(Propagator::B3Multi, rows).await;
}

#[actix_web::test]
async fn jaeger() {
    let rows: &[Row<'_>] = &[
        (
            "the header is read and written",
            &["uber-trace-id: 0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1"],
            GoesOn,
            &[(
                "uber-trace-id",
                "0af7651916cd43dd8448eb211c80319c:{span}:0:1",
            )],
        ),
        (
            "short trace ids are padded",
            &["uber-trace-id: 1c80319c:b7ad6b7169203331:0:1"],
            GoesOn,
            &[(
                "uber-trace-id",
                "0000000000000000000000001c80319c:{span}:0:1",
            )],
        ),
        (
            "a trace that is not sampled is not recorded",
            &["uber-trace-id: 0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:0"],
            IsUnsampled,
            &[(
                "uber-trace-id",
                "0af7651916cd43dd8448eb211c80319c:{span}:0:0",
            )],
        ),
        (
            "the parent's span id is read over, and 0 is sent",
            &[
                "uber-trace-id: 0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:05e3ac9a4f6e3b90:1",
            ],
            GoesOn,
            &[(
                "uber-trace-id",
                "0af7651916cd43dd8448eb211c80319c:{span}:0:1",
            )],
        ),
        (
            "what is malformed names no caller",
            &["uber-trace-id: 0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331"],
            BeginsHere,
            &[],
        ),
    ];
    hold(Propagator::Jaeger, rows).await;
}

#[actix_web::test]
async fn x_trace() {
    let rows: &[Row<'_>] = &[
        (
            "X-Trace-ID and X-Span-ID are read and written",
            &[
                "X-Trace-ID: 0af7651916cd43dd8448eb211c80319c",
                "X-Span-ID: b7ad6b7169203331",
            ],
            GoesOn,
            &[
                ("x-trace-id", "0af7651916cd43dd8448eb211c80319c"),
                ("x-span-id", "{span}"),
                ("x-parent-id", ""),
            ],
        ),
        (
            "X-Parent-ID is read where there is no X-Span-ID",
            &[
                "X-Trace-ID: 0af7651916cd43dd8448eb211c80319c",
                "X-Parent-ID: b7ad6b7169203331",
            ],
            GoesOn,
            &[("x-trace-id", "0af7651916cd43dd8448eb211c80319c")],
        ),
        (
            "a trace without a span names no caller",
            &["X-Trace-ID: 0af7651916cd43dd8448eb211c80319c"],
            BeginsHere,
            &[],
        ),
    ];
    hold(Propagator::XTrace, rows).await;
}

fn members(list: &str) -> BTreeSet<&str> {
    list.split(',')
        .filter(|member| !member.is_empty())
        .collect()
}

#[actix_web::test]
async fn baggage() {
    let numbered = |count, length: usize| {
        let members: Vec<_> = (0..count)
            .map(|number| format!("{:v<length$}", format!("k{number:02}=")))
            .collect();
        members.join(",")
    };
    // 64 members, and 63 commas between them, are 8192 bytes.
    let full = numbered(64, 127) + "v";
    assert_eq!(full.len(), 8192);
    let rows: [(&str, &[&str], &str); 9] = [
        ("members are passed on", &["a=1,b=2"], "a=1,b=2"),
        ("lines are combined", &["a=1", "b=2"], "a=1,b=2"),
        (
            "white space around members is trimmed",
            &[" a = 1 , b=2 "],
            "a=1,b=2",
        ),
        (
            "values are percent-encoded",
            &["a=%C3%A9%20%2C"],
            "a=%C3%A9%20%2C",
        ),
        ("values may have signs of equality", &["a=1=2="], "a=1=2="),
        ("properties are passed on", &["a=1;ttl=5"], "a=1;ttl=5"),
        ("a key is a token", &["a b=1,c=2"], "c=2"),
        ("64 members of 8192 bytes pass", &[&full], &full),
        ("an empty list is not sent", &[""], ""),
    ];
    for (sentence, lines, expected) in rows {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| format!("baggage: {line}"))
            .collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let sent = send(Propagator::Baggage, &lines, 1).await.sent();
        let sent = sent.get("baggage").map_or("", |value| value);
        assert_eq!(members(sent), members(expected), "{sentence}");
    }
    let (all, sent) = (numbered(65, 6), numbered(64, 6));
    let exchange = send(Propagator::Baggage, &[&format!("baggage: {all}")], 1).await;
    let past = &exchange.sent()["baggage"];
    assert_eq!(members(past), members(&sent), "the 65th member is left out");
}

#[actix_web::test]
async fn at_a_public_endpoint_the_caller_is_a_link_and_has_no_say() {
    for flags in ["00", "01"] {
        let request = format!(
            "GET /outbound HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ntraceparent: 00-{TRACE}-{SPAN}-{flags}\r\n\
             tracestate: a=1\r\nbaggage: user.id=7\r\n\r\n"
        );
        let service = Service::start(|tracing| {
            App::new()
                .route("/outbound", web::get().to(outbound))
                .wrap(tracing.trust(Trust::nobody()))
        });
        let exchange = exchange(service, &request, 1).await;
        let (server, sent) = (exchange.spans.server(), exchange.sent());
        assert_eq!(server.parent(), "", "the trace starts anew");
        assert_ne!(server.trace(), TRACE);
        let hex =
            |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
        let links: Vec<_> = server
            .links
            .iter()
            .map(|link| (hex(&link.trace_id), hex(&link.span_id)))
            .collect();
        assert_eq!(links, [(TRACE.to_owned(), SPAN.to_owned())]);
        assert_eq!(sent.get("baggage"), None, "inbound baggage is dropped");
        assert_eq!(sent.get("tracestate"), None, "it is of the caller's trace");
        assert_eq!(
            sent["traceparent"],
            format!("00-{}-{}-03", server.trace(), server.id())
        );
    }
}
