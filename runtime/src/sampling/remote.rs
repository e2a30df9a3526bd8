//! A strategy that a server sets and changes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use opentelemetry::trace::TraceId;

use super::head::{Decision, is_kept};

/// What a server of strategies says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Strategy {
    /// That share of all traces.
    Share(f64),
    /// So many traces a second.
    Rate(f64),
    /// For each operation a share.
    Operations {
        shares: HashMap<String, f64>,
        /// For operations that are not named.
        default: f64,
        /// Traces a second that are kept of each operation in any case.
        least: f64,
    },
}

/// A sampler by the strategy that holds now.
#[derive(Debug)]
pub(crate) struct Remote {
    // Held for the copy of a reference, by readers too.
    active: RwLock<Arc<Active>>,
    epoch: Instant,
}

/// A strategy, with what has been kept by it.
#[derive(Debug)]
enum Active {
    Share(f64),
    Rate(Bucket),
    Operations {
        operations: HashMap<String, Operation>,
        others: Operation,
    },
}

#[derive(Debug)]
struct Operation {
    share: f64,
    least: Bucket,
}

impl Remote {
    pub(crate) fn new(strategy: Strategy) -> Self {
        Self {
            active: RwLock::new(Arc::new(strategy.into())),
            epoch: Instant::now(),
        }
    }

    /// From now on `strategy` holds. Buckets are full again.
    pub(crate) fn set(&self, strategy: Strategy) {
        let active = Arc::new(strategy.into());
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = active;
    }

    /// Decides on a trace that begins with a span of that name.
    pub(crate) fn decide(&self, trace_id: TraceId, name: &str, now: Instant) -> Decision {
        let active = Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner));
        let now = now.saturating_duration_since(self.epoch);
        match &*active {
            Active::Share(share) => by_share(trace_id, *share),
            Active::Rate(bucket) => by_rate(bucket.take(now)),
            Active::Operations { operations, others } => {
                let operation = operations.get(name).unwrap_or(others);
                let decision = by_share(trace_id, operation.share);
                // What the share keeps is of the number that is kept in any case.
                let is_due = operation.least.take(now);
                if decision.keep {
                    decision
                } else {
                    by_rate(is_due)
                }
            }
        }
    }
}

const REASON: &str = "jaeger_remote";

fn by_share(trace_id: TraceId, share: f64) -> Decision {
    Decision {
        keep: is_kept(trace_id, share),
        reason: REASON,
        adjusted_count: Some(1.0 / share),
    }
}

fn by_rate(keep: bool) -> Decision {
    Decision {
        keep,
        reason: REASON,
        adjusted_count: None,
    }
}

impl From<Strategy> for Active {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Share(share) => Self::Share(share),
            Strategy::Rate(rate) => Self::Rate(Bucket::new(rate)),
            Strategy::Operations {
                shares,
                default,
                least,
            } => {
                let operation = |share| Operation {
                    share,
                    least: Bucket::new(least),
                };
                let shares = shares.into_iter();
                Self::Operations {
                    operations: shares
                        .map(|(name, share)| (name, operation(share)))
                        .collect(),
                    others: operation(default),
                }
            }
        }
    }
}

/// A number of traces a second. What is not used is saved, of one second or one trace, whichever is more.
///
/// It is one number, the time by which all that has been taken is earned ("generic cell rate algorithm"), so that no thread waits
/// for another.
#[derive(Debug)]
struct Bucket {
    /// Nanoseconds that earn a trace; `None` if nothing ever does.
    price: Option<u64>,
    earned_by: AtomicU64,
}

const SECOND: u64 = 1_000_000_000;

impl Bucket {
    /// A full one.
    fn new(rate: f64) -> Self {
        Self {
            price: (rate > 0.0).then_some((SECOND as f64 / rate) as u64),
            earned_by: AtomicU64::new(0),
        }
    }

    /// Takes a trace, if there is one at `now`, since some time before all others.
    fn take(&self, now: Duration) -> bool {
        let Some(price) = self.price else {
            return false;
        };
        let now = now.as_nanos() as u64;
        let full = now.saturating_add(price.max(SECOND));
        let take = |earned_by: u64| {
            let earned_by = earned_by.max(now).saturating_add(price);
            (earned_by <= full).then_some(earned_by)
        };
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.earned_by.fetch_update(set, fetch, take).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Traces that are kept of `asked` at each of these moments, in milliseconds.
    fn kept(remote: &Remote, name: &str, asked: usize, moments: &[u64]) -> Vec<usize> {
        let id = TraceId::from(0);
        let at = |millis| remote.epoch + Duration::from_millis(millis);
        let kept = |now| {
            let decisions = (0..asked).map(|_| remote.decide(id, name, now));
            decisions.filter(|decision| decision.keep).count()
        };
        moments.iter().map(|millis| kept(at(*millis))).collect()
    }

    #[test]
    fn a_rate_keeps_so_many_a_second_and_saves_a_second_of_them() {
        for (rate, moments, expected) in [
            (3.0, &[0, 0, 500, 1_000, 9_000][..], &[3, 0, 1, 2, 3][..]),
            // A bucket of one, whatever the rate.
            (0.5, &[0, 1_000, 2_000, 9_000], &[1, 0, 1, 1]),
            (0.0, &[0, 9_000], &[0, 0]),
        ] {
            let remote = Remote::new(Strategy::Rate(rate));
            assert_eq!(kept(&remote, "GET", 5, moments), expected, "{rate}");
        }
        let limited = Remote::new(Strategy::Rate(1.0));
        let decision = limited.decide(TraceId::from(0), "GET", limited.epoch);
        let expected = Decision {
            keep: true,
            reason: "jaeger_remote",
            adjusted_count: None,
        };
        assert_eq!(decision, expected, "a rate is no probability");
    }

    #[test]
    fn a_share_is_of_the_trace_id() {
        let remote = Remote::new(Strategy::Share(0.25));
        let now = remote.epoch;
        let decision = remote.decide(TraceId::from(u128::MAX), "GET", now);
        assert_eq!((decision.keep, decision.adjusted_count), (true, Some(4.0)));
        assert!(!remote.decide(TraceId::from(0), "GET", now).keep);
        remote.set(Strategy::Share(1.0));
        assert!(remote.decide(TraceId::from(0), "GET", now).keep);
    }

    #[test]
    fn each_operation_has_its_share_and_its_least() {
        let remote = Remote::new(Strategy::Operations {
            shares: HashMap::from([("all".into(), 1.0), ("none".into(), 0.0)]),
            default: 0.0,
            least: 2.0,
        });
        assert_eq!(kept(&remote, "all", 5, &[0]), [5]);
        assert_eq!(kept(&remote, "none", 5, &[0, 500]), [2, 1]);
        assert_eq!(kept(&remote, "other", 5, &[0]), [2]);
        assert_eq!(kept(&remote, "another", 5, &[0]), [0], "others share one");
    }
}
