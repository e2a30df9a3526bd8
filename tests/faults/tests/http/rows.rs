//! The faults, and what `docs/faults.md` says of each.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use biztrace::Telemetry;
use biztrace::settings::Otlp;
use faults::{Authority, Fault, Link, Receiver, Reserved};
use opentelemetry::KeyValue;

use super::{Kept, Outcome, Row, SHUTDOWN, SPANS, outcome, outcome_within};

/// A receiver that does this from the start.
fn always(fault: Fault) -> Outcome {
    scripted([fault])
}

fn scripted<const N: usize>(script: [Fault; N]) -> Outcome {
    let receiver = Receiver::new(script);
    outcome(Telemetry::builder().otlp(receiver.url()), || ())
}

/// A receiver that does this from the start. No request is sent to it again.
fn once(fault: Fault) -> Outcome {
    let receiver = Receiver::new([fault]);
    let outcome = outcome(Telemetry::builder().otlp(receiver.url()), || ());
    assert!(receiver.spans().len() as u64 <= SPANS, "sent again");
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

pub(super) type Case = (Row, fn() -> Outcome);

fn row(fault: &'static str, kept: Kept, reasons: &'static [&'static str]) -> Row {
    Row {
        fault,
        kept,
        reasons,
    }
}

pub(super) fn cases() -> Vec<Case> {
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
            always(Fault::Status(404))
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
