use super::super::chunks::CHUNK_BYTES;
use super::super::tier::TierSetup;
use super::*;
use crate::config::Batch;
use crate::recorder::{MemoryBudget, Scope};

fn shards(batch: &Batch) -> Arc<Shards> {
    let memory = Arc::new(MemoryBudget::new(usize::MAX));
    let tiers = Tier::all(TierSetup::only(batch.max_queue_size), batch, &memory);
    Shards::new(tiers, batch.max_export_batch_size)
}

/// Hands over one span of that many bytes.
fn hand_over(shards: &Shards, bytes: usize) {
    let mut spans = EncodedSpans::default();
    spans.push(&Scope::Biztrace, |out| out.resize(bytes, 0));
    shards.kept(&spans, 1, None);
}

fn chunk_capacity(shards: &Shards) -> usize {
    shards.at_rest(|all| {
        all.last()
            .map_or(0, |counters| counters.chunks[0].capacity())
    })
}

#[test]
fn spans_of_dropped_traces_are_booked_and_are_no_loss() {
    let shards = shards(&Batch::default());
    shards.ended();
    shards.ended();
    shards.dropped(2, None);
    shards.close(End::Shutdown);
    shards.ended();
    shards.dropped(1, None);
    shards.at_rest(|all| {
        let dropped = all.iter().fold(Dropped::default(), |mut sum, counters| {
            sum.merge(&counters.dropped);
            sum.merge(&counters.chunks[0].dropped);
            sum
        });
        assert_eq!(all.iter().map(|counters| counters.recorded).sum::<u64>(), 2);
        assert_eq!(
            all.iter().map(|counters| counters.settled()).sum::<u64>(),
            2
        );
        assert_eq!(dropped.get(DropReason::SampledOut), 2);
        assert_eq!(dropped.lost().total(), 0);
    });
}

#[test]
fn next_chunk_starts_whole_after_a_full_one() {
    for (batch, span, expected) in [
        (512, 1_000, CHUNK_BYTES),
        (512, 20_000, CHUNK_BYTES),
        (512, 3 * CHUNK_BYTES, CHUNK_BYTES),
        (1, 300, 0),
        (1, CHUNK_BYTES, 0),
    ] {
        let batch = Batch {
            max_export_batch_size: batch,
            ..Batch::default()
        };
        let shards = shards(&batch);
        while shards.tiers[0].queued() == 0 {
            hand_over(&shards, span);
        }
        let capacity = chunk_capacity(&shards);
        assert_eq!(capacity, expected, "after spans of {span} bytes");
    }
}

#[test]
fn first_chunk_of_a_thread_starts_small() {
    let shards = shards(&Batch::default());
    hand_over(&shards, 300);
    assert!(chunk_capacity(&shards) < 1_000);
}
