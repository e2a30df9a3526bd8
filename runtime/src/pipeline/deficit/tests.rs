use std::sync::Arc;

use super::super::tier::TierSetup;
use super::*;
use crate::config::Batch;
use crate::recorder::{MemoryBudget, Scope};

/// A chunk of `spans` spans, each of `bytes` bytes with its head.
fn chunk(spans: usize, bytes: usize) -> EncodedSpans {
    let mut chunk = EncodedSpans::default();
    for _ in 0..spans {
        chunk.push(&Scope::Biztrace, |out| {
            let content = vec![0; bytes - 2];
            crate::attribute::wire::bytes(out, 0x12, &content);
        });
    }
    assert_eq!(chunk.spans(), spans);
    chunk
}

fn pending(weights: &[u32], max_spans: usize) -> Pending {
    let setup = |weight: &u32| TierSetup {
        name: None,
        queue: 1_000_000,
        weight: *weight,
    };
    let setups = weights.iter().map(setup).collect();
    let memory = Arc::new(MemoryBudget::new(usize::MAX));
    let tiers = Tier::all(setups, &Batch::default(), &memory);
    Pending::new(&tiers, max_spans)
}

/// The spans of the next request, by tier.
fn next(pending: &mut Pending) -> Vec<u64> {
    let request = pending.take_request().unwrap();
    let in_chunks: usize = request.chunks.iter().map(EncodedSpans::spans).sum();
    assert_eq!(request.spans.total(), in_chunks as u64);
    let in_chunks: usize = request.chunks.iter().map(EncodedSpans::len).sum();
    assert_eq!(request.bytes.total(), in_chunks as u64);
    assert!(in_chunks <= MAX_BYTES || request.spans.total() == 1);
    assert!(request.spans.total() <= pending.max_spans as u64);
    by_tier(&request.spans, pending.tiers.len())
}

fn by_tier(counts: &TierCounts, tiers: usize) -> Vec<u64> {
    let mut all = vec![0; tiers];
    counts.iter().for_each(|(tier, number)| all[tier] = number);
    all
}

/// A generator of numbers below a limit.
struct Rng(u64);

impl Rng {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn a_request_is_shared_by_weight() {
    for (weights, expected) in [
        (&[1, 1][..], &[256, 256][..]),
        (&[3, 1], &[384, 128]),
        (&[0, 1], &[256, 256]),
        (&[1, 1, 2], &[128, 128, 256]),
    ] {
        let mut pending = pending(weights, 512);
        for tier in 0..weights.len() {
            (0..10).for_each(|_| pending.push(tier, chunk(200, 16)));
        }
        for _ in 0..3 {
            assert_eq!(next(&mut pending), expected, "{weights:?}");
        }
    }
}

#[test]
fn shares_follow_weights_whatever_the_sizes_of_chunks_and_requests() {
    for seed in 1..=50 {
        let mut rng = Rng(seed);
        let weights: Vec<_> = (0..2 + rng.below(7))
            .map(|_| 1 + rng.below(20) as u32)
            .collect();
        let max_spans = 1 + rng.below(600);
        let largest = 1 + rng.below(700);
        let mut pending = pending(&weights, max_spans);
        let mut sent = vec![0; weights.len()];
        while sent.iter().sum::<u64>() < 60_000 {
            for tier in 0..weights.len() {
                while pending.tiers[tier].spans < 2 * max_spans {
                    pending.push(tier, chunk(1 + rng.below(largest), 4));
                }
            }
            let request = next(&mut pending);
            assert_eq!(request.iter().sum::<u64>(), max_spans as u64, "seed {seed}");
            let sums = sent.iter_mut().zip(request);
            sums.for_each(|(sum, spans)| *sum += spans);
        }
        let all: u64 = sent.iter().sum();
        let weight_of_all: u32 = weights.iter().sum();
        for (sent, weight) in sent.iter().zip(&weights) {
            let expected = all as f64 * f64::from(*weight) / f64::from(weight_of_all);
            let round = f64::from(*weight) * (max_spans as f64 / f64::from(weight_of_all)).max(1.0);
            assert!(
                (*sent as f64 - expected).abs() <= expected * 0.03 + round,
                "seed {seed}: {sent} and not {expected} with the weights {weights:?}"
            );
        }
    }
}

#[test]
fn all_spans_leave_once_and_no_tier_waits_for_ever() {
    for seed in 1..=200 {
        let mut rng = Rng(seed);
        let weights: Vec<_> = (0..1 + rng.below(8))
            .map(|_| rng.below(2_000) as u32)
            .collect();
        let weight_of_all: usize = weights.iter().map(|weight| (*weight).max(1) as usize).sum();
        let max_spans = 1 + rng.below(100);
        let mut pending = pending(&weights, max_spans);
        let (mut pushed, mut sent) = (vec![0; weights.len()], vec![0; weights.len()]);
        let mut waited = vec![0; weights.len()];
        for round in 0..400 {
            if round < 200 {
                let tier = rng.below(weights.len());
                let spans = 1 + rng.below(150);
                pending.push(tier, chunk(spans, 4));
                pushed[tier] += spans as u64;
            }
            let waits: Vec<_> = pending.tiers.iter().map(|tier| tier.spans > 0).collect();
            if !waits.contains(&true) {
                assert!(pending.take_request().is_none());
                continue;
            }
            let request = next(&mut pending);
            assert!(request.iter().any(|spans| *spans > 0), "seed {seed}");
            for tier in 0..weights.len() {
                sent[tier] += request[tier];
                waited[tier] = match waits[tier] && request[tier] == 0 {
                    true => waited[tier] + 1,
                    false => 0,
                };
                // A turn of each other tier at the most. The request that ends within a chunk is not filled.
                let most = 2 * weight_of_all.max(max_spans) / max_spans + 9;
                assert!(waited[tier] <= most, "seed {seed}: tier {tier} starves");
            }
        }
        while pending.take_request().is_some_and(|request| {
            let spans = by_tier(&request.spans, weights.len());
            sent.iter_mut()
                .zip(spans)
                .for_each(|(sum, spans)| *sum += spans);
            true
        }) {}
        assert_eq!(sent, pushed, "seed {seed}");
        assert!(
            pending
                .tiers
                .iter()
                .all(|tier| tier.spans == 0 && tier.chunks.is_empty())
        );
    }
}

#[test]
fn a_tier_that_waits_alone_has_all_requests() {
    let mut pending = pending(&[1, 1000], 500);
    pending.push(1, chunk(10, 16));
    (0..10).for_each(|_| pending.push(0, chunk(250, 16)));
    assert_eq!(next(&mut pending)[1], 10, "with the first request");
    (0..4).for_each(|_| assert_eq!(next(&mut pending), [500, 0]));
    pending.push(1, chunk(600, 16));
    let request = next(&mut pending);
    assert!(request[1] >= 400, "{request:?}: nobody pays for idle times");
}

#[test]
fn what_a_tier_does_not_use_of_its_turn_is_lost() {
    let mut pending = pending(&[1, 100], 101);
    for _ in 0..10 {
        (0..10).for_each(|_| pending.push(0, chunk(10, 16)));
        pending.push(1, chunk(50, 16));
        let request = next(&mut pending);
        assert_eq!(request[1], 50, "{request:?}");
        while pending.tiers[0].spans > 0 {
            next(&mut pending);
        }
        assert_eq!(pending.deficit, 0);
    }
}

#[test]
fn giant_chunk_holds_up_no_other_tier() {
    let mut pending = pending(&[1, 1], 512);
    pending.push(0, chunk(20_000, 16));
    for _ in 0..20 {
        pending.push(1, chunk(256, 16));
        let request = next(&mut pending);
        assert_eq!(request, [256, 256]);
    }
    let mut left = 20_000 - 20 * 256;
    while left > 0 {
        left -= next(&mut pending)[0];
    }
    assert!(pending.take_request().is_none());
}

#[test]
fn large_spans_end_a_request_early_and_starve_no_tier() {
    let mut pending = pending(&[1, 1], 512);
    for _ in 0..4 {
        pending.push(0, chunk(4, 1_500_000));
        pending.push(1, chunk(100, 16));
    }
    pending.push(0, chunk(1, MAX_BYTES + 100));
    let mut sent = [0, 0];
    for _ in 0..20 {
        if pending.waiting().count() == 0 {
            break;
        }
        let request = next(&mut pending);
        (sent[0], sent[1]) = (sent[0] + request[0], sent[1] + request[1]);
    }
    assert_eq!(sent, [17, 400]);
    assert!(pending.take_request().is_none());
}

#[test]
fn a_pass_ends_with_what_was_pending_when_it_began() {
    let mut pending = pending(&[1, 1], 100);
    pending.push(0, chunk(300, 16));
    pending.begin_pass();
    let mut requests = 0;
    while pending.is_due() {
        pending.push(1, chunk(100, 16));
        next(&mut pending);
        requests += 1;
    }
    assert_eq!(requests, 6, "half of each request");
    assert!(pending.is_enough());
}
