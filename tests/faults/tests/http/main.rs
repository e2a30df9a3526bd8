//! Every fault of a receiver of OTLP over HTTP: what is kept, what is dropped and for what reason, and what it costs the service.
//! `docs/faults.md` has a row for each.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod rows;
mod secrets;
mod settings;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use biztrace::TelemetryBuilder;
use biztrace::report::Report;
use biztrace::settings::Otlp;
use faults::{Authority, black_hole, send_span};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

use rows::cases;

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
fn outcome(settings: TelemetryBuilder, meanwhile: impl FnOnce()) -> Outcome {
    outcome_within(Duration::from_millis(1500), settings, meanwhile)
}

/// The same where a request may take that long with all its attempts.
fn outcome_within(
    export_timeout: Duration,
    settings: TelemetryBuilder,
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
    let guide = include_str!("../../../../docs/faults.md");
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
