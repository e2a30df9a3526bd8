//! Every fault of a receiver of OTLP over HTTP: what is kept, what is dropped and for what reason, and what it costs the service.
//! `docs/faults.md` has a row for each.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use biztrace::{Builder, Otlp, Report, Telemetry};
use faults::{Authority, Fault, Link, Receiver, Reserved, black_hole, send_span};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

const SPANS: u64 = 200;
const SHUTDOWN: Duration = Duration::from_secs(3);

/// What a service saw while its receiver misbehaved.
struct Outcome {
    report: Report,
    /// The longest that starting, tagging and ending a span took.
    longest: Duration,
    shutdown: Duration,
}

/// Records spans while `meanwhile` happens to the receiver, then shuts down.
fn outcome(settings: Builder, meanwhile: impl FnOnce()) -> Outcome {
    outcome_within(Duration::from_millis(1500), settings, meanwhile)
}

/// The same where a request may take that long with all its attempts.
fn outcome_within(
    export_timeout: Duration,
    settings: Builder,
    meanwhile: impl FnOnce(),
) -> Outcome {
    let telemetry = settings
        .service("faults", "1")
        .schedule_delay(Duration::from_millis(20))
        .max_export_batch_size(50)
        .export_timeout(export_timeout)
        .shutdown_timeout(SHUTDOWN)
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    let record = |count| {
        let mut longest = Duration::ZERO;
        for i in 0..count {
            let start = Instant::now();
            let mut span = tracer.start("span");
            span.set_attribute(KeyValue::new("order.id", i));
            span.end();
            longest = longest.max(start.elapsed());
            thread::sleep(Duration::from_millis(1));
        }
        longest
    };
    let before = record(SPANS as i64 / 2);
    meanwhile();
    let longest = before.max(record(SPANS as i64 / 2));
    let start = Instant::now();
    let report = telemetry.shutdown_blocking();
    Outcome {
        report,
        longest,
        shutdown: start.elapsed(),
    }
}

/// What a row of the table says of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    All,
    Some,
    None,
}

struct Row {
    fault: &'static str,
    kept: Kept,
    /// The reasons for which spans are dropped.
    reasons: &'static [&'static str],
}

fn check(row: &Row, outcome: &Outcome) -> String {
    let Row {
        fault,
        kept,
        reasons,
    } = row;
    let report = &outcome.report;
    let sum = report.delivered + report.dropped.total();
    assert_eq!(
        (report.recorded, sum, report.waiting),
        (SPANS, SPANS, 0),
        "{fault}: {report}"
    );
    let is_kept = match kept {
        Kept::All => report.delivered == SPANS,
        Kept::Some => (1..SPANS).contains(&report.delivered),
        Kept::None => report.delivered == 0,
    };
    assert!(is_kept, "{fault}: {kept:?} kept: {report}");
    // The shutdown's deadline may pass before all have been tried.
    let dropped: BTreeSet<_> = report
        .dropped
        .iter()
        .map(|(reason, _)| reason.as_str())
        .filter(|reason| *reason != "shutdown")
        .collect();
    let expected = reasons.iter().copied().collect();
    assert_eq!(dropped, expected, "{fault}: {report}");
    let grace = SHUTDOWN + Duration::from_secs(1);
    assert!(
        outcome.shutdown < grace,
        "{fault}: the shutdown took {:?}",
        outcome.shutdown
    );
    format!(
        "{fault:<42} | {:>9} | {:<40} | {:>9.0?} | {:>9.0?}",
        report.delivered,
        report.dropped.to_string(),
        outcome.longest,
        outcome.shutdown
    )
}

/// A receiver that does this from the start.
fn always(fault: Fault) -> Outcome {
    scripted([fault])
}

fn scripted<const N: usize>(script: [Fault; N]) -> Outcome {
    let receiver = Receiver::new(script);
    outcome(Telemetry::builder().otlp(receiver.url()), || ())
}

/// The same, where no request is to be sent again.
fn once(fault: Fault) -> Outcome {
    let receiver = Receiver::new([fault]);
    let outcome = outcome(Telemetry::builder().otlp(receiver.url()), || ());
    assert_eq!(receiver.spans().len() as u64, SPANS, "sent again");
    outcome
}

const JSON: &str = "content-type: application/json\r\n";
const PROTOBUF: &str = "content-type: application/x-protobuf\r\n";

fn short(fault: Fault) -> Outcome {
    let receiver = Receiver::new([fault]);
    let otlp = Otlp::http(receiver.url()).timeout(Duration::from_millis(300));
    outcome(Telemetry::builder().otlp(otlp), || ())
}

/// A receiver with TLS, which `otlp` sends to.
fn over_tls(receiver: &Receiver, otlp: impl FnOnce(Otlp) -> Otlp) -> Outcome {
    outcome(
        Telemetry::builder().otlp(otlp(Otlp::http(receiver.url()))),
        || (),
    )
}

type Case = (Row, fn() -> Outcome);

fn row(fault: &'static str, kept: Kept, reasons: &'static [&'static str]) -> Row {
    Row {
        fault,
        kept,
        reasons,
    }
}

fn cases() -> Vec<Case> {
    vec![
        (row("none", Kept::All, &[]), || always(Fault::None)),
        (
            row("refuses connections", Kept::None, &["unreachable"]),
            || {
                let closed = Reserved::default();
                outcome(Telemetry::builder().otlp(closed.url()), || ())
            },
        ),
        (
            row(
                "has a name that does not resolve",
                Kept::None,
                &["unreachable"],
            ),
            || {
                outcome(
                    Telemetry::builder().otlp("http://receiver.invalid:4318"),
                    || (),
                )
            },
        ),
        (row("goes away and returns", Kept::All, &[]), || {
            let receiver = Receiver::new([Fault::None]);
            let (address, url) = (receiver.address(), receiver.url());
            let mut receiver = Some(receiver);
            let mut back = None;
            outcome(Telemetry::builder().otlp(url), || {
                receiver.take();
                back = Some(thread::spawn(move || {
                    thread::sleep(Duration::from_millis(300));
                    let receiver =
                        Receiver::listening(TcpListener::bind(address).unwrap(), [Fault::None]);
                    thread::sleep(SHUTDOWN);
                    drop(receiver);
                }));
            })
        }),
        (
            row("is killed and stays away", Kept::Some, &["unreachable"]),
            || {
                let mut receiver = Some(Receiver::new([Fault::None]));
                let url = receiver.as_ref().unwrap().url();
                outcome(Telemetry::builder().otlp(url), || {
                    // Not while a request is on its way: that is another row.
                    let killed = receiver.take().unwrap();
                    while killed.spans().len() < SPANS as usize / 2 {
                        thread::sleep(Duration::from_millis(10));
                    }
                    thread::sleep(Duration::from_millis(200));
                })
            },
        ),
        (row("half-open connection", Kept::All, &[]), || {
            let receiver = Receiver::new([Fault::None]);
            let link = Link::to(receiver.address());
            let otlp = Otlp::http(link.url()).timeout(Duration::from_millis(300));
            outcome(Telemetry::builder().otlp(otlp), || link.break_silently())
        }),
        (row("hangs", Kept::None, &["unknown"]), || {
            short(Fault::Hangs)
        }),
        (row("hangs once", Kept::All, &[]), || {
            let receiver = Receiver::new([Fault::Hangs, Fault::None]);
            let otlp = Otlp::http(receiver.url()).timeout(Duration::from_secs(1));
            outcome_within(SHUTDOWN, Telemetry::builder().otlp(otlp), || ())
        }),
        (row("429", Kept::None, &["refused"]), || {
            always(Fault::Status(429))
        }),
        (row("429 once, Retry-After: 1", Kept::All, &[]), || {
            let receiver = Receiver::new([Fault::StatusAfter(429, "1"), Fault::None]);
            let outcome = outcome(Telemetry::builder().otlp(receiver.url()), || ());
            let at: Vec<_> = receiver
                .received()
                .iter()
                .map(|request| request.at)
                .collect();
            assert!(
                at[1] - at[0] >= Duration::from_secs(1),
                "{:?}",
                at[1] - at[0]
            );
            outcome
        }),
        (
            row("503, Retry-After: 3600", Kept::None, &["refused"]),
            || always(Fault::StatusAfter(503, "3600")),
        ),
        (
            row("502, 503 and 504 in turn, then well", Kept::All, &[]),
            || {
                scripted([
                    Fault::Status(502),
                    Fault::None,
                    Fault::Status(503),
                    Fault::None,
                    Fault::Status(504),
                    Fault::None,
                ])
            },
        ),
        (row("400", Kept::None, &["refused"]), || {
            always(Fault::Status(400))
        }),
        (row("400 without an end", Kept::None, &["refused"]), || {
            once(Fault::NeverEnds(400))
        }),
        (row("404", Kept::None, &["refused"]), || {
            once(Fault::Status(404))
        }),
        (row("408 once", Kept::All, &[]), || {
            scripted([Fault::Status(408), Fault::None])
        }),
        (
            row(
                "closes an idle connection with a 408, then another",
                Kept::All,
                &[],
            ),
            || {
                let receiver =
                    Receiver::new([Fault::TiresOfIdling, Fault::TiresOfIdling, Fault::None]);
                // The export thread finds the 408 when it has something to send again.
                let pause = || thread::sleep(Duration::from_millis(300));
                outcome(Telemetry::builder().otlp(receiver.url()), pause)
            },
        ),
        (row("413", Kept::None, &["refused"]), || {
            always(Fault::Status(413))
        }),
        (row("500", Kept::None, &["refused"]), || {
            always(Fault::Status(500))
        }),
        (
            row("takes some spans only", Kept::Some, &["rejected"]),
            || always(Fault::Rejects(1)),
        ),
        (row("breaks off its answer once", Kept::All, &[]), || {
            scripted([Fault::BreaksAnswer, Fault::None])
        }),
        (
            row("breaks off its answers", Kept::None, &["unknown"]),
            || always(Fault::BreaksAnswer),
        ),
        (
            row("closes midway in a request, once", Kept::All, &[]),
            || scripted([Fault::BreaksRequest, Fault::None]),
        ),
        (row("sends garbage", Kept::None, &["unknown"]), || {
            once(Fault::Garbage)
        }),
        (row("sends no OTLP", Kept::None, &["unknown"]), || {
            once(Fault::Says(
                200,
                "content-type: text/html\r\n",
                b"<p>welcome".to_vec(),
            ))
        }),
        (
            row("sends OTLP that is unreadable", Kept::None, &["unknown"]),
            || once(Fault::Says(200, PROTOBUF, vec![0xff; 16])),
        ),
        (
            row("sends no JSON as JSON", Kept::None, &["unknown"]),
            || once(Fault::Says(200, JSON, b"<p>welcome".to_vec())),
        ),
        (
            row("says an error as JSON", Kept::None, &["unknown"]),
            || once(Fault::Says(200, JSON, br#"{"error":"no tenant"}"#.to_vec())),
        ),
        (row("shows an empty page", Kept::None, &["unknown"]), || {
            once(Fault::Says(
                200,
                "content-type: text/HTML; charset=utf-8\r\n",
                Vec::new(),
            ))
        }),
        (row("shouts", Kept::All, &[]), || {
            let shouted = "CONTENT-TYPE: Application/JSON; charset=UTF-8\r\n";
            always(Fault::Says(200, shouted, b"{}".to_vec()))
        }),
        (row("answers without end", Kept::None, &["unknown"]), || {
            once(Fault::Says(200, PROTOBUF, vec![0; 1024 * 1024]))
        }),
        (row("redirects", Kept::None, &["refused"]), || {
            once(Fault::Says(307, "location: /v1/elsewhere\r\n", Vec::new()))
        }),
        (row("reads slowly", Kept::All, &[]), || {
            always(Fault::Slow(40_000))
        }),
        (row("reads 1 kB/s", Kept::None, &["unknown"]), || {
            let receiver = Receiver::new([Fault::Slow(1000)]);
            // So that the smallest request takes longer than it may.
            let note = KeyValue::new("service.note", "x".repeat(2000));
            let otlp = Otlp::http(receiver.url()).timeout(Duration::from_millis(300));
            outcome(Telemetry::builder().resource([note]).otlp(otlp), || ())
        }),
        (
            row(
                "shows a certificate of another authority",
                Kept::None,
                &["unreachable"],
            ),
            || {
                let receiver = Receiver::tls(Authority::default().sign().server(None));
                over_tls(&receiver, |otlp| otlp.ca_file(Authority::default().file()))
            },
        ),
        (
            row("shows an expired certificate", Kept::None, &["unreachable"]),
            || {
                let authority = Authority::default();
                let receiver = Receiver::tls(authority.sign_expired().server(None));
                over_tls(&receiver, |otlp| otlp.ca_file(authority.file()))
            },
        ),
        (row("TLS", Kept::All, &[]), || {
            let authority = Authority::default();
            let receiver = Receiver::tls(authority.sign().server(None));
            over_tls(&receiver, |otlp| otlp.ca_file(authority.file()))
        }),
        (row("mutual TLS", Kept::All, &[]), || {
            let authority = Authority::default();
            let receiver = Receiver::tls(authority.sign().server(Some(&authority)));
            let (cert, key) = authority.sign().files();
            over_tls(&receiver, |otlp| {
                otlp.ca_file(authority.file()).identity_files(cert, key)
            })
        }),
        (
            row(
                "mutual TLS, without the client's certificate",
                Kept::None,
                &["unknown"],
            ),
            || {
                let authority = Authority::default();
                let receiver = Receiver::tls(authority.sign().server(Some(&authority)));
                over_tls(&receiver, |otlp| otlp.ca_file(authority.file()))
            },
        ),
    ]
}

#[test]
fn each_fault_is_accounted_for() {
    // For the times to be those of the fault, and not of its neighbours.
    let alone = std::env::var_os("FAULTS_ALONE").is_some();
    let running: Vec<_> = cases()
        .into_iter()
        .map(|(row, run)| {
            let running = thread::spawn(run);
            while alone && !running.is_finished() {
                thread::sleep(Duration::from_millis(20));
            }
            (row, running)
        })
        .collect();
    let guide = include_str!("../../../docs/faults.md");
    println!(
        "{:<42} | delivered | {:<40} | longest   | shutdown",
        "fault", "dropped"
    );
    let mut wrong = Vec::new();
    for (row, run) in running {
        let outcome = run.join().unwrap();
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&row, &outcome))) {
            Ok(line) => println!("{line}"),
            Err(_) => wrong.push(row.fault),
        }
        let reasons = row.reasons.join(", ");
        let kept = match row.kept {
            Kept::All => "all",
            Kept::Some => "some",
            Kept::None => "none",
        };
        let documented = format!("| {} | {kept} | {reasons} |", row.fault);
        assert!(
            guide.contains(&documented),
            "docs/faults.md lacks: {documented}"
        );
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn what_never_got_through_is_unreachable() {
    let (hole, _open) = black_hole();
    // Connections stand, and nobody answers the client's greeting.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = (
        format!("https://{}", silent.local_addr().unwrap()),
        Some(silent),
    );
    for (url, _listener) in [(hole, None), silent] {
        let authority = Authority::default();
        let otlp = Otlp::http(&url).timeout(Duration::from_millis(400));
        let report = send_span(otlp.ca_file(authority.file()));
        assert_eq!(report.dropped.to_string(), "unreachable 1", "{url}");
    }
}

#[test]
fn requests_say_what_the_settings_say() {
    for (is_json, is_gzip) in [(false, false), (false, true), (true, false), (true, true)] {
        let receiver = Receiver::new([Fault::None]);
        let mut otlp = if is_json {
            Otlp::http_json(receiver.url())
        } else {
            Otlp::http(receiver.url())
        };
        if is_gzip {
            otlp = otlp.gzip();
        }
        let otlp = otlp.header("x-api-key", "s3cret");
        assert!(!format!("{otlp:?}").contains("s3cret"));
        let telemetry = Telemetry::builder().otlp(otlp).build().unwrap();
        let tracer = telemetry.tracer_provider().tracer("service");
        for _ in 0..100 {
            let mut span = tracer.start("span");
            span.set_attribute(KeyValue::new("ratio", f64::NAN));
            span.end();
        }
        let report = telemetry.shutdown_blocking();
        assert_eq!(
            (report.delivered, receiver.spans().len()),
            (100, 100),
            "{report}"
        );
        let request = &receiver.received()[0];
        let has = |line: &str| request.head.iter().any(|it| it == line);
        assert!(
            has("POST /v1/traces HTTP/1.1") && has("x-api-key: s3cret"),
            "{:?}",
            request.head
        );
        assert_eq!(has("content-encoding: gzip"), is_gzip);
        assert_eq!(has("content-type: application/json"), is_json);
        assert_eq!(
            request.body.len() < 6000,
            is_gzip,
            "{} bytes",
            request.body.len()
        );
    }
}

#[test]
fn rejected_spans_are_counted_in_json_too() {
    let receiver = Receiver::new([Fault::Rejects(3)]);
    let telemetry = Telemetry::builder()
        .otlp(Otlp::http_json(receiver.url()))
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    (0..10).for_each(|_| tracer.start("span").end());
    let report = telemetry.shutdown_blocking();
    assert_eq!(
        (report.delivered, report.dropped.total()),
        (7, 3),
        "{report}"
    );
}

#[test]
fn a_setting_that_cannot_work_is_an_error_that_names_it() {
    let authority = Authority::default();
    let (cert, key) = authority.sign().files();
    let (other_cert, _) = authority.sign().files();
    let otlp = || Otlp::http("https://localhost:4318");
    let cases: Vec<(Otlp, &[&str])> = vec![
        (
            otlp().ca_file("/nowhere/ca.pem"),
            &["`ca_file`, /nowhere/ca.pem, is unreadable"],
        ),
        (otlp().ca_file("/dev/null"), &["no certificate in PEM"]),
        (
            otlp().identity_files(&cert, "/dev/null"),
            &["`key_file`, /dev/null"],
        ),
        (
            otlp().identity_files(other_cert, &key),
            &["do not belong together"],
        ),
        (
            otlp().header("x key", "s3cret"),
            &["the header \"x…\"", "has a name that no header may have"],
        ),
        (
            otlp().header("x-key", "s3cret\n"),
            &["\"x-key\"", "no header may have"],
        ),
        (
            Otlp::http("collector:4318"),
            &["write http:// or https:// before it"],
        ),
    ];
    for (otlp, parts) in cases {
        let error = Telemetry::builder()
            .otlp(otlp)
            .build()
            .unwrap_err()
            .to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
