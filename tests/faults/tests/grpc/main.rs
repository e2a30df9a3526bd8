//! OTLP over gRPC: what is kept and what is dropped, for each of gRPC's codes and other faults.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod receiver;

use std::thread;
use std::time::Duration;

use biztrace::Telemetry;
use biztrace::report::{DropReason, Report};
use biztrace::settings::Otlp;
use faults::{Authority, Fault, Link, Receiver as HttpReceiver, black_hole};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use tonic::transport::{Identity, ServerTlsConfig};
use tonic::{Code, Status};

use receiver::{Receiver, TALKATIVE};

const SPANS: u64 = 10;

/// What became of spans that were sent to `otlp`.
fn report(otlp: Otlp) -> Report {
    report_around(otlp.timeout(Duration::from_millis(500)), EXPORT, None)
}

/// What became of spans that were sent to a receiver that answers, on however busy a machine.
fn patient_report(receiver: &Receiver) -> Report {
    report_around(
        Otlp::grpc(receiver.url("http")),
        Duration::from_secs(30),
        None,
    )
}

const EXPORT: Duration = Duration::from_millis(2500);

/// The same where half of the spans are sent before `meanwhile`.
fn report_around(
    otlp: Otlp,
    export_timeout: Duration,
    meanwhile: Option<&mut dyn FnMut()>,
) -> Report {
    let telemetry = Telemetry::builder()
        .otlp(otlp)
        .export_timeout(export_timeout)
        .shutdown_timeout(export_timeout + Duration::from_millis(1500))
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("service");
    let record = || (0..SPANS / 2).for_each(|_| tracer.start("span").end());
    record();
    if let Some(meanwhile) = meanwhile {
        telemetry.force_flush_blocking();
        assert_eq!(telemetry.report().delivered, SPANS / 2);
        meanwhile();
    }
    record();
    let report = telemetry.shutdown_blocking();
    let sum = report.delivered + report.dropped.total();
    assert_eq!(
        (report.recorded, sum, report.waiting),
        (SPANS, SPANS, 0),
        "{report}"
    );
    report
}

/// Spans delivered, and the reasons for which others were dropped.
fn outcome(report: &Report) -> (u64, String) {
    let reasons: Vec<_> = report
        .dropped
        .iter()
        .map(|(reason, _)| reason.as_str())
        .collect();
    (report.delivered, reasons.join(", "))
}

/// `docs/faults.md` says the same.
#[test]
fn each_code_is_retried_or_not_as_the_specification_says() {
    let codes = [
        (Code::Cancelled, true, "unknown"),
        (Code::Unknown, false, "refused"),
        (Code::InvalidArgument, false, "refused"),
        (Code::DeadlineExceeded, true, "unknown"),
        (Code::NotFound, false, "refused"),
        (Code::AlreadyExists, false, "refused"),
        (Code::PermissionDenied, false, "refused"),
        (Code::ResourceExhausted, false, "refused"),
        (Code::FailedPrecondition, false, "refused"),
        (Code::Aborted, true, "refused"),
        (Code::OutOfRange, true, "refused"),
        (Code::Unimplemented, false, "refused"),
        (Code::Internal, false, "refused"),
        (Code::Unavailable, true, "refused"),
        (Code::DataLoss, true, "refused"),
        (Code::Unauthenticated, false, "refused"),
    ];
    let running = codes.map(|(code, is_retried, reason)| {
        thread::spawn(move || {
            let no = || Err(Status::new(code, "no"));
            let receiver = Receiver::new(vec![no(), Ok(0)]);
            let once = outcome(&patient_report(&receiver));
            let kept = (SPANS, String::new());
            let lost = (0, reason.to_owned());
            assert_eq!(
                once,
                if is_retried { kept } else { lost.clone() },
                "{code:?}"
            );

            // An attempt under way at the export timeout would count as unknown: this ends before that.
            let receiver = Receiver::new(vec![no(), later(code, 120)]);
            assert_eq!(outcome(&patient_report(&receiver)), lost, "{code:?}");
            let requests = receiver.service.received.lock().unwrap().len();
            assert_eq!(requests > 1, is_retried, "{code:?}: {requests} requests");
        })
    });
    running.into_iter().for_each(|case| case.join().unwrap());
}

/// A `google.rpc.Status` with a `RetryInfo` of that many seconds.
fn retry_info(seconds: u8) -> Vec<u8> {
    let info = [0x0a, 2, 0x08, seconds];
    let url = b"type.googleapis.com/google.rpc.RetryInfo";
    let mut any = vec![0x0a, url.len() as u8];
    any.extend_from_slice(url);
    any.extend_from_slice(&[0x12, info.len() as u8]);
    any.extend_from_slice(&info);
    [&[0x1a, any.len() as u8], &*any].concat()
}

fn later(code: Code, seconds: u8) -> Result<i64, Status> {
    Err(Status::with_details(
        code,
        "later",
        retry_info(seconds).into(),
    ))
}

#[test]
fn an_exhausted_receiver_that_says_when_is_asked_again_then() {
    for code in [Code::ResourceExhausted, Code::Unavailable] {
        let receiver = Receiver::new(vec![later(code, 1), Ok(0)]);
        let kept = (SPANS, String::new());
        assert_eq!(outcome(&patient_report(&receiver)), kept);
        let received = receiver.service.received.lock().unwrap();
        assert!(received[1].at - received[0].at >= Duration::from_secs(1));
    }
}

#[test]
fn retry_info_is_bounded_on_both_sides() {
    let exhausted = |seconds| later(Code::ResourceExhausted, seconds);
    for (script, requests) in [
        (vec![exhausted(120)], 1),
        (vec![exhausted(0), exhausted(120)], 2),
    ] {
        let receiver = Receiver::new(script);
        let lost = (0, "refused".to_owned());
        assert_eq!(outcome(&patient_report(&receiver)), lost);
        let received = receiver.service.received.lock().unwrap();
        assert_eq!(received.len(), requests);
        for pair in received.windows(2) {
            assert!(pair[1].at - pair[0].at >= Duration::from_millis(500));
        }
    }
}

#[test]
fn headers_and_gzip_are_sent_and_rejected_spans_counted() {
    let receiver = Receiver::new(vec![Ok(3)]);
    let otlp = Otlp::grpc(receiver.url("http"))
        .header("x-api-key", "s3cret")
        .gzip();
    assert_eq!(outcome(&report(otlp)), (SPANS - 3, "rejected".to_owned()));
    let received = receiver.service.received.lock().unwrap();
    assert_eq!(received[0].spans as u64, SPANS);
    assert_eq!(received[0].api_key.as_deref(), Some("s3cret"));
    assert_eq!(received[0].encoding.as_deref(), Some("gzip"));
    let agent = received[0].agent.as_deref();
    assert!(
        agent.is_some_and(|it| it.starts_with("biztrace/")),
        "{agent:?}"
    );
}

#[test]
fn a_receiver_may_be_away_for_a_while() {
    let receiver = Receiver::new(vec![Ok(0)]);
    let (address, url) = (receiver.address, receiver.url("http"));
    drop(receiver);
    assert_eq!(
        outcome(&report(Otlp::grpc(&*url))),
        (0, "unreachable".to_owned())
    );
    let back = thread::spawn(move || {
        thread::sleep(Duration::from_millis(700));
        let receiver = Receiver::start(address, vec![Ok(0)], None);
        thread::sleep(Duration::from_secs(5));
        drop(receiver);
    });
    // The second attempt may come too early; the third then comes 2.7 s after the first at the latest.
    let report = report_around(Otlp::grpc(&*url), Duration::from_secs(4), None);
    assert_eq!(outcome(&report), (SPANS, String::new()));
    back.join().unwrap();
}

#[test]
fn a_receiver_that_is_killed_and_returns_gets_the_rest() {
    let mut receiver = Some(Receiver::new(vec![Ok(0)]));
    let (address, url) = (
        receiver.as_ref().unwrap().address,
        receiver.as_ref().unwrap().url("http"),
    );
    let mut back = None;
    let mut restart = || {
        receiver.take();
        back = Some(thread::spawn(move || {
            thread::sleep(Duration::from_millis(300));
            let receiver = Receiver::start(address, vec![Ok(0)], None);
            thread::sleep(Duration::from_secs(3));
            let received = receiver.service.received.lock().unwrap();
            received.iter().map(|request| request.spans).sum::<usize>()
        }));
    };
    let otlp = Otlp::grpc(url).timeout(Duration::from_millis(500));
    let report = report_around(otlp, EXPORT, Some(&mut restart));
    assert_eq!(outcome(&report), (SPANS, String::new()));
    assert_eq!(back.unwrap().join().unwrap() as u64, SPANS / 2);
}

/// By the time-out of a request, or if that is long by the connection that gives no sign of life.
#[test]
fn a_half_open_connection_is_noticed() {
    let cases = [(500, EXPORT), (60_000, Duration::from_secs(15))];
    let running = cases.map(|(timeout, export_timeout)| {
        thread::spawn(move || {
            let receiver = Receiver::new(vec![Ok(0)]);
            let link = Link::to(receiver.address);
            let otlp = Otlp::grpc(link.url()).timeout(Duration::from_millis(timeout));
            let mut break_silently = || link.break_silently();
            let report = report_around(otlp, export_timeout, Some(&mut break_silently));
            assert_eq!(outcome(&report), (SPANS, String::new()), "{timeout} ms");
        })
    });
    running.into_iter().for_each(|case| case.join().unwrap());
}

#[test]
fn what_never_got_through_is_unreachable() {
    let (url, _open) = black_hole();
    let otlp = Otlp::grpc(url).timeout(Duration::from_millis(400));
    let report = report_around(otlp, Duration::from_millis(500), None);
    assert_eq!(outcome(&report), (0, "unreachable".to_owned()));
}

#[test]
fn an_answer_without_end_is_none_and_nothing_is_sent_again() {
    let receiver = Receiver::new(vec![Ok(TALKATIVE)]);
    let report = patient_report(&receiver);
    assert_eq!(report.delivered, 0, "{report}");
    assert_eq!(
        report.dropped.get(DropReason::Unknown),
        report.recorded,
        "{report}"
    );
    let received = receiver.service.received.lock().unwrap();
    let sent: usize = received.iter().map(|request| request.spans).sum();
    assert_eq!(sent as u64, report.recorded, "once");
}

#[test]
fn what_is_no_grpc_is_unknown() {
    for fault in [Fault::Garbage, Fault::Hangs] {
        let receiver = HttpReceiver::new([fault]);
        assert_eq!(
            outcome(&report(Otlp::grpc(receiver.url()))),
            (0, "unknown".to_owned())
        );
    }
}

#[test]
fn tls_works_both_ways() {
    let authority = Authority::default();
    let (cert, key) = authority.sign().files();
    let identity = Identity::from_pem(std::fs::read(&cert).unwrap(), std::fs::read(&key).unwrap());
    let ca = tonic::transport::Certificate::from_pem(std::fs::read(authority.file()).unwrap());
    let mutual = ServerTlsConfig::new().identity(identity).client_ca_root(ca);
    let receiver = Receiver::start("127.0.0.1:0".parse().unwrap(), vec![Ok(0)], Some(mutual));
    let otlp = || Otlp::grpc(receiver.url("https"));
    let known = otlp().ca_file(authority.file()).identity_files(&cert, &key);
    assert_eq!(outcome(&report(known)), (SPANS, String::new()));
    let stranger = otlp()
        .ca_file(Authority::default().file())
        .identity_files(&cert, &key);
    assert_eq!(outcome(&report(stranger)), (0, "unreachable".to_owned()));
}
