//! The books balance, whatever threads, exporters and limits do to each other.
//!
//! The test runs rounds for three seconds, or for as many as `TEST_STRESS_SECONDS` says. Each round is an instance with limits
//! that are hard to keep to, and samplers, rules, policies and tenants at random. Its seed is printed: `TEST_STRESS_SEED` begins with that round. The seed decides on the settings,
//! and on the operations of each thread. How the threads interleave it does not decide.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod balance;
mod exporter;
mod rng;
mod sampling;
mod service;

use std::collections::BTreeMap;
use std::process::abort;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use std::{panic, thread};

use biztrace::Telemetry;
use biztrace::report::{DropReason, Report};
use biztrace::settings::Limits;

use crate::balance::{assert_closed, assert_follows};
use crate::exporter::{Manner, Received};
use crate::rng::Rng;
use crate::sampling::Sampling;
use crate::service::Service;

/// How long a round may take, on a machine that is busy with other tests.
const ROUND_LIMIT: Duration = Duration::from_secs(120);

/// How a round ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Shutdown,
    /// While threads still record.
    EarlyShutdown,
    /// Without a shutdown.
    Drop,
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("a whole number"))
}

#[test]
fn books_balance_at_any_time() {
    // The exporter that panics does so on a thread of its own.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().name() != Some("biztrace-exporter") {
            hook(info);
        }
    }));
    let seconds = setting("TEST_STRESS_SECONDS").unwrap_or(3);
    let first = setting("TEST_STRESS_SEED").unwrap_or(1);
    let until = Instant::now() + Duration::from_secs(seconds);
    let alive = watchdog();
    let mut sum = Report::default();
    let mut drops = BTreeMap::<_, u64>::new();
    for seed in first.. {
        println!("seed {seed}");
        let report = round(seed);
        sum.recorded += report.recorded;
        sum.delivered += report.delivered;
        report
            .dropped
            .iter()
            .for_each(|(why, spans)| *drops.entry(why.as_str()).or_default() += spans);
        alive.send(()).unwrap();
        if Instant::now() >= until {
            println!(
                "{} rounds: {} spans recorded by all exporters together, {} delivered, dropped {drops:?}",
                seed - first + 1,
                sum.recorded,
                sum.delivered
            );
            return;
        }
    }
}

/// Ends the process if it is not told of a round for long: a test that hangs says nothing.
fn watchdog() -> Sender<()> {
    let (alive, is_alive) = mpsc::channel();
    thread::spawn(move || {
        loop {
            match is_alive.recv_timeout(ROUND_LIMIT) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("the round hangs: nothing for {ROUND_LIMIT:?}");
                    abort();
                }
            }
        }
    });
    alive
}

/// Returns what became of the round's spans, if the instance is shut down.
fn round(seed: u64) -> Report {
    let mut rng = Rng::new(seed);
    let manners = [Manner::Prompt, Manner::Slow, Manner::Fails, Manner::Panics];
    let manners = &manners[..1 + rng.below(manners.len())];
    let received: Vec<_> = manners.iter().map(|it| Received::new(*it)).collect();
    let sampling = Sampling::new(&mut rng);
    let telemetry = instance(&mut rng, &received, &sampling);
    let ending = match rng.below(4) {
        0 => Ending::EarlyShutdown,
        1 => Ending::Drop,
        _ => Ending::Shutdown,
    };
    let threads = 2 + rng.below(4);
    // With many spans, memory is short.
    let most_held = [16, 256][rng.below(2)];
    let service = Service::new(&telemetry, &sampling, most_held);
    let stop = rng.below(2_000);
    thread::scope(|scope| {
        for _ in 0..threads {
            let rng = rng.fork();
            scope.spawn(|| service.work(&telemetry, rng, 2_000));
        }
        // Counters never go backwards: one thread looks at them all the time.
        let mut before = telemetry.report();
        let mut is_shut_down = false;
        while service.working() < threads || !service.is_done() {
            let report = telemetry.report();
            assert_follows(&before, &report);
            before = report;
            let is_late = service.started.load(Ordering::Relaxed) > stop as u64;
            if ending == Ending::EarlyShutdown && is_late && !is_shut_down {
                is_shut_down = true;
                assert_closed(&telemetry.shutdown_blocking());
            }
            thread::yield_now();
        }
    });
    let started = service.started.load(Ordering::Relaxed);
    drop(service);
    if ending == Ending::Drop {
        drop(telemetry);
        received.iter().for_each(Received::wait_for_the_end);
        return Report::default();
    }
    let report = telemetry.shutdown_blocking();
    assert_closed(&report);
    for (exporter, received) in report.exporters.iter().zip(&received) {
        if ending == Ending::Shutdown {
            assert_eq!(exporter.recorded, started, "{report}");
        }
        assert!(exporter.recorded <= started, "{report}");
        // What was sent and not answered in time may have arrived.
        let unknown = exporter.dropped.get(DropReason::Unknown);
        let arrived = received.spans();
        let range = exporter.delivered..=exporter.delivered + unknown;
        assert!(range.contains(&arrived), "{arrived} arrived: {report}");
    }
    report
}

fn instance(rng: &mut Rng, received: &[Received], sampling: &Sampling) -> Telemetry {
    let mut limits = Limits::default();
    limits.spans_per_trace = 4;
    limits.bytes_per_trace = 2_000 + rng.below(4_000);
    // An exporter needs 2 MiB.
    limits.memory = (received.len() << 21) + rng.below(1 << 20);
    limits.hold = Duration::from_millis(rng.below(5) as u64);
    let queue = 8 + rng.below(64);
    let builder = Telemetry::builder()
        .limits(move |it| it.clone_from(&limits))
        .max_queue_size(queue)
        .max_export_batch_size(1 + rng.below(queue))
        .schedule_delay(Duration::from_millis(1 + rng.below(10) as u64))
        .export_timeout(Duration::from_millis(20 + rng.below(1_000) as u64))
        .shutdown_timeout(Duration::from_millis(100 + rng.below(2_000) as u64));
    let builder = received.iter().fold(builder, |builder, received| {
        let exporter = received.exporter();
        builder.span_exporter(received.name(), || {
            Ok::<_, std::convert::Infallible>(exporter)
        })
    });
    sampling.apply(builder).build().unwrap()
}
