//! Tiers of tenants: what a flood of one costs the others.

mod books;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::{
    Delivery, DropReason, Export, ExporterReport, Failure, Pipeline, Request, Setup, TierReport,
    TierSetup,
};
use super::{assert_balanced, batch, setup, until};
use crate::attribute::wire;
use crate::config::Batch;
use crate::recorder::{EncodedSpans, MemoryBudget, Scope, Sink};
use crate::sampling::TierId;

const VIP: Option<TierId> = Some(TierId(0));
const REST: Option<TierId> = Some(TierId(1));

fn tier(name: &str, queue: usize, weight: u32) -> TierSetup {
    TierSetup {
        name: Some(name.into()),
        queue,
        weight,
    }
}

/// A pipeline that only looks for spans when it is woken.
fn two_tiers(batch: Batch, vip: TierSetup, rest: TierSetup) -> Setup {
    let batch = Batch {
        schedule_delay: Duration::from_secs(3600),
        ..batch
    };
    Setup {
        tiers: vec![vip, rest],
        ..setup(batch, usize::MAX)
    }
}

/// Hands over a trace of `spans` spans of `bytes` bytes each.
fn offer(sink: &dyn Sink, tier: Option<TierId>, spans: usize, bytes: usize) {
    let mut trace = EncodedSpans::default();
    for _ in 0..spans {
        trace.push(&Scope::Biztrace, |out| {
            wire::message(out, 0x12, |span| {
                wire::bytes(span, 0x2a, &vec![b'x'; bytes])
            });
        });
    }
    sink.kept(&trace, spans as u64, tier);
}

#[track_caller]
fn assert_tiers_balance(report: &ExporterReport) {
    assert_balanced(report);
    for tier in &report.tiers {
        let sum = tier.delivered + tier.dropped.lost().total() + tier.waiting;
        assert_eq!(tier.kept, sum, "{report:?}");
    }
}

/// Answers a request for each permit, as it is told.
#[derive(Clone, Default)]
struct Receiver {
    permits: Arc<AtomicUsize>,
    started: Arc<AtomicUsize>,
    answers: Arc<Mutex<Vec<Result<Delivery, Failure>>>>,
}

impl Receiver {
    fn started(&self) -> usize {
        self.started.load(Ordering::Relaxed)
    }

    fn permit(&self, requests: usize) {
        self.permits.fetch_add(requests, Ordering::Relaxed);
    }

    /// The last answer is given first.
    fn answering(answers: Vec<Result<Delivery, Failure>>) -> Self {
        let receiver = Self::default();
        *receiver.answers.lock().unwrap() = answers;
        receiver
    }
}

impl Export for Receiver {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        request.sent.set();
        self.started.fetch_add(1, Ordering::Relaxed);
        let take = |permits: usize| permits.checked_sub(1);
        let (order, permits) = (Ordering::Relaxed, &self.permits);
        while permits.fetch_update(order, order, take).is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let answer = self.answers.lock().unwrap().pop();
        answer.unwrap_or_else(|| Ok(Delivery::default()))
    }
}

fn start(setup: Setup, receiver: &Receiver) -> (Pipeline, Arc<dyn Sink>) {
    let exporter = receiver.clone();
    let pipeline = Pipeline::start("test", setup, || exporter).unwrap();
    let sink = pipeline.sink();
    (pipeline, sink)
}

fn numbers(tier: &TierReport) -> (u64, u64, u64, u64) {
    let dropped = tier.dropped.lost().total();
    (tier.kept, tier.delivered, dropped, tier.waiting)
}

#[test]
fn flood_of_one_tier_costs_another_no_span() {
    const TICKS: u64 = 100;
    let receiver = Receiver::default();
    // The receiver takes 100 spans in each tick, of which 90 are vip's if it has as many. It has 85.
    let setup = two_tiers(batch(400, 100), tier("vip", 400, 9), tier("rest", 200, 1));
    let (pipeline, sink) = start(setup, &receiver);
    for tick in 1..=TICKS {
        (0..17).for_each(|_| offer(&*sink, VIP, 5, 100));
        (0..20).for_each(|_| offer(&*sink, REST, 10, 100));
        until("in flight", || receiver.started() as u64 >= tick);
        receiver.permit(1);
        assert_tiers_balance(&pipeline.report());
    }
    let report = pipeline.report();
    assert!(report.tiers[0].delivered >= (TICKS - 5) * 85, "{report}");
    assert!(report.tiers[1].delivered >= (TICKS - 5) * 10, "{report}");
    receiver.permit(1_000);
    pipeline.close(Duration::from_secs(60)).wait();
    let report = pipeline.report();
    assert_tiers_balance(&report);
    let [vip, rest] = &*report.tiers else {
        panic!("{report:?}")
    };
    assert_eq!(numbers(vip), (TICKS * 85, TICKS * 85, 0, 0));
    assert_eq!(rest.kept, TICKS * 200);
    assert_eq!(
        report.dropped.get(DropReason::QueueFull),
        rest.dropped.total()
    );
    assert!(rest.dropped.total() > TICKS * 150, "{report}");
}

#[test]
fn lone_tier_has_the_whole_receiver() {
    let receiver = Receiver::default();
    receiver.permit(1_000);
    let setup = two_tiers(
        batch(5_000, 100),
        tier("vip", 100, 9),
        tier("rest", 5_000, 1),
    );
    let (pipeline, sink) = start(setup, &receiver);
    (0..4_000).for_each(|_| offer(&*sink, REST, 1, 100));
    pipeline.close(Duration::from_secs(60)).wait();
    assert_eq!(pipeline.report().delivered, 4_000);
    assert_eq!(receiver.started(), 40);
}

#[test]
fn flood_takes_no_memory_that_another_tier_has_reserved() {
    const LIMIT: usize = 12 << 20;
    let receiver = Receiver::default();
    let memory = MemoryBudget::with_reserves(LIMIT, 1, 4 << 20).with_traces(1 << 20, &[1]);
    let memory = Arc::new(memory);
    let queue = 1_000_000;
    let setup = Setup {
        memory: Arc::clone(&memory),
        ..two_tiers(
            batch(queue, 100),
            tier("vip", queue, 1),
            tier("rest", queue, 1),
        )
    };
    let (pipeline, sink) = start(setup, &receiver);
    (0..2_000).for_each(|_| offer(&*sink, REST, 1, 10_000));
    // What is set aside for open traces is there.
    assert!(memory.used() <= 7 << 20, "{} bytes are used", memory.used());
    memory.count(LIMIT);
    (0..180).for_each(|_| offer(&*sink, VIP, 1, 10_000));
    let report = pipeline.report();
    assert_tiers_balance(&report);
    assert_eq!(numbers(&report.tiers[0]), (180, 0, 0, 180));
    let lost = report.tiers[1].dropped.get(DropReason::MemoryLimit);
    assert!((1_000..2_000).contains(&lost), "{report}");
    memory.give_back(LIMIT);
    receiver.permit(1_000);
    pipeline.flush(Duration::from_secs(60)).wait();
    (0..180).for_each(|_| offer(&*sink, REST, 1, 10_000));
    pipeline.close(Duration::from_secs(60)).wait();
    let report = pipeline.report();
    assert_tiers_balance(&report);
    assert_eq!(
        report.dropped.total(),
        lost,
        "what is given back is taken again"
    );
}
