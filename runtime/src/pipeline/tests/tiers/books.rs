//! Whether the books by tier add up, whatever becomes of the spans.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::super::super::{
    Delivery, DropReason, Export, Failure, Pipeline, Report, Request, Setup, TierReport,
};
use super::super::{batch, setup, until};
use super::{REST, Receiver, VIP, assert_tiers_balance, numbers, offer, start, tier, two_tiers};
use crate::config::Batch;
use crate::sampling::TierId;

fn rejection(rejected: u64) -> Result<Delivery, Failure> {
    Ok(Delivery {
        rejected,
        message: "too late".into(),
    })
}

#[test]
fn books_by_tier_add_up_whatever_the_answers_are() {
    let failure = |reason| Err(Failure::permanent(reason, "no"));
    let answers = vec![
        failure(DropReason::Unreachable),
        rejection(9),
        failure(DropReason::Refused),
        rejection(1_000),
        Ok(Delivery::default()),
    ];
    let receiver = Receiver::answering(answers);
    let setup = two_tiers(batch(60, 20), tier("vip", 60, 3), tier("rest", 40, 1));
    let (pipeline, sink) = start(setup, &receiver);
    // Each request has 15 and 5 spans, once the first has been sent: one batch of a tier is worth a request.
    offer(&*sink, REST, 20, 10);
    until("in flight", || receiver.started() == 1);
    (0..3).for_each(|_| offer(&*sink, VIP, 20, 10));
    (0..3).for_each(|_| offer(&*sink, REST, 20, 10));
    sink.ended();
    sink.dropped(1, REST);
    let report = pipeline.report();
    assert_tiers_balance(&report);
    assert_eq!(numbers(&report.tiers[0]), (60, 0, 0, 60));
    assert_eq!(numbers(&report.tiers[1]), (80, 0, 20, 60));
    assert_eq!(report.tiers[1].dropped.get(DropReason::QueueFull), 20);
    assert_eq!(report.tiers[1].dropped.get(DropReason::SampledOut), 1);
    for request in 1..=5 {
        receiver.permit(1);
        until("answered", || {
            let report = pipeline.report();
            assert_tiers_balance(&report);
            let waiting = report.tiers[0].waiting + report.tiers[1].waiting;
            waiting <= 120 - 20 * request
        });
    }
    let report = pipeline.report();
    assert_eq!(report.dropped.get(DropReason::Rejected), 29);
    let by_reason = |tier: usize| {
        let dropped = &report.tiers[tier].dropped;
        [
            DropReason::Rejected,
            DropReason::Refused,
            DropReason::Unreachable,
        ]
        .map(|reason| dropped.get(reason))
    };
    // All of one request, then 9 of 20: 6.75 and 2.25 of the tiers' 15 and 5.
    assert_eq!(by_reason(0), [15 + 7, 15, 15]);
    assert_eq!(by_reason(1), [5 + 2, 5, 5]);
    assert_eq!(report.tiers[0].delivered, 8);
    assert_eq!(report.tiers[1].delivered, 20 + 3);
    until("the last in flight", || receiver.started() == 6);
    offer(&*sink, VIP, 7, 10);
    pipeline.close(Duration::from_millis(50)).wait();
    let report = pipeline.report();
    assert_tiers_balance(&report);
    assert_eq!(report.waiting, 0);
    assert_eq!(report.tiers[0].dropped.get(DropReason::Shutdown), 7);
    assert_eq!(report.tiers[1].dropped.get(DropReason::Unknown), 20);
}

#[test]
fn books_by_tier_balance_at_any_moment() {
    let answers = (0..20_000).map(|i| match i % 7 {
        0 => rejection(i % 11),
        1 => Err(Failure::permanent(DropReason::Refused, "no")),
        _ => Ok(Delivery::default()),
    });
    let receiver = Receiver::answering(answers.collect());
    receiver.permit(usize::MAX / 2);
    let batch = Batch {
        schedule_delay: Duration::from_millis(1),
        ..batch(64, 16)
    };
    let tiers = (0..8).map(|i| tier(&i.to_string(), 8 << i, i + 1));
    let setup = Setup {
        tiers: tiers.collect(),
        ..setup(batch, usize::MAX)
    };
    let memory = Arc::clone(&setup.memory);
    let (pipeline, sink) = start(setup, &receiver);
    thread::scope(|scope| {
        let work = |seed: usize| {
            let sink = &sink;
            move || {
                for i in 0..2_000 {
                    let i = i * 7 + seed;
                    let tier = Some(TierId((i % 8) as u8));
                    offer(&**sink, tier, 1 + i % 5, 20);
                    if i.is_multiple_of(3) {
                        sink.ended();
                        sink.dropped(1, tier);
                    }
                    if i.is_multiple_of(100) {
                        // A thread that ends leaves its chunks.
                        thread::scope(|scope| {
                            scope.spawn(|| offer(&**sink, tier, 3, 20));
                        });
                    }
                }
            }
        };
        let threads: Vec<_> = (0..3).map(|seed| scope.spawn(work(seed))).collect();
        while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
            assert_tiers_balance(&pipeline.report());
        }
    });
    pipeline.close(Duration::from_secs(60)).wait();
    let report = pipeline.report();
    assert_tiers_balance(&report);
    assert_eq!(report.waiting, 0);
    let all = |tier: &TierReport| tier.kept + tier.dropped.get(DropReason::SampledOut);
    assert_eq!(report.tiers.iter().map(all).sum::<u64>(), report.recorded);
    // The thread that has handed over chunks keeps some memory, and so does the export thread until it ends.
    drop((pipeline, sink));
    until("given back", || memory.used() < 64 * 1024);
}

#[test]
fn spans_of_threads_that_end_stay_in_their_tier() {
    let receiver = Receiver::default();
    receiver.permit(1_000);
    let setup = two_tiers(batch(600, 100), tier("vip", 600, 1), tier("rest", 600, 1));
    let (pipeline, sink) = start(setup, &receiver);
    for i in 0..300 {
        let sink = Arc::clone(&sink);
        let tier = Some(TierId(u8::from(i % 3 == 0)));
        thread::spawn(move || offer(&*sink, tier, 1, 10))
            .join()
            .unwrap();
    }
    pipeline.close(Duration::from_secs(60)).wait();
    let report = pipeline.report();
    assert_eq!(numbers(&report.tiers[0]), (200, 200, 0, 0));
    assert_eq!(numbers(&report.tiers[1]), (100, 100, 0, 0));
}

#[test]
fn trace_without_a_tier_takes_nothing_from_the_first() {
    let receiver = Receiver::default();
    receiver.permit(1_000);
    let setup = two_tiers(batch(100, 10), tier("vip", 100, 1), tier("rest", 100, 1));
    let (pipeline, sink) = start(setup, &receiver);
    offer(&*sink, None, 3, 10);
    sink.ended();
    sink.dropped(1, None);
    pipeline.close(Duration::from_secs(60)).wait();
    let report = pipeline.report();
    assert_tiers_balance(&report);
    assert_eq!(numbers(&report.tiers[0]), (0, 0, 0, 0));
    assert_eq!(report.tiers[1].kept, 3);
}

#[test]
fn exporter_that_panics_closes_the_books_of_each_tier() {
    struct Panics;
    impl Export for Panics {
        async fn export(&mut self, _: Request) -> Result<Delivery, Failure> {
            panic!("an exporter's bug, as this test wants it")
        }
    }
    let setup = two_tiers(batch(100, 10), tier("vip", 100, 1), tier("rest", 100, 1));
    let memory = Arc::clone(&setup.memory);
    let pipeline = Pipeline::start("test", setup, || Panics).unwrap();
    let sink = pipeline.sink();
    offer(&*sink, VIP, 3, 10);
    offer(&*sink, REST, 4, 10);
    pipeline.flush(Duration::from_secs(60)).wait();
    offer(&*sink, REST, 5, 10);
    let report = pipeline.report();
    assert_tiers_balance(&report);
    assert_eq!(numbers(&report.tiers[0]), (3, 0, 3, 0));
    assert_eq!(numbers(&report.tiers[1]), (4, 0, 4, 0));
    assert_eq!((report.recorded, report.waiting), (12, 0));
    // All but what this thread's chunks have.
    until("given back", || memory.used() < 64 * 1024);
}

#[test]
fn report_has_each_tier_once_and_names_it_as_text() {
    let report_of = |exporter| {
        let receiver = Receiver::default();
        receiver.permit(1_000);
        let setup = two_tiers(batch(20, 10), tier("vip", 20, 1), tier("rest", 1, 1));
        let pipeline = Pipeline::start(exporter, setup, || receiver).unwrap();
        offer(&*pipeline.sink(), VIP, 3, 10);
        pipeline.sink().ended();
        pipeline.sink().dropped(1, REST);
        pipeline.close(Duration::from_secs(60)).wait();
        pipeline.report()
    };
    let only: Report = [report_of("otlp")].into_iter().collect();
    assert_eq!(
        only.to_string(),
        "4 spans recorded, 3 delivered, 1 dropped (sampled_out 1); tier vip: 3 kept, 3 delivered, 0 dropped; tier rest: 0 kept, \
         0 delivered, 1 dropped (sampled_out 1)"
    );
    let both: Report = [report_of("otlp"), report_of("console")]
        .into_iter()
        .collect();
    let names: Vec<_> = both.tiers.iter().map(|tier| &*tier.tier).collect();
    assert_eq!(names, ["vip", "rest"]);
    assert_eq!(numbers(&both.tiers[0]), (6, 6, 0, 0));
    assert_eq!(both.tiers[1].dropped.get(DropReason::SampledOut), 2);
}

#[test]
fn without_tenants_there_are_no_books_by_tier() {
    let receiver = Receiver::default();
    receiver.permit(1_000);
    let (pipeline, sink) = start(setup(batch(20, 10), usize::MAX), &receiver);
    offer(&*sink, VIP, 3, 10);
    offer(&*sink, Some(TierId(7)), 3, 10);
    offer(&*sink, None, 3, 10);
    pipeline.close(Duration::from_secs(60)).wait();
    let report = pipeline.report();
    assert_eq!(report.tiers, []);
    assert_eq!(
        report.to_string(),
        "9 spans recorded, 9 delivered, 0 dropped"
    );
}
