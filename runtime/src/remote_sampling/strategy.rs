//! A strategy that a server sets and changes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use opentelemetry::KeyValue;

use crate::sampling::ratio::Ratio;
use crate::sampling::{Added, Bucket, Decision, NewTrace};

/// What a server of strategies says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Strategy {
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
pub(super) struct Remote {
    // Held for the copy of a reference, by readers too.
    active: RwLock<Arc<Active>>,
    epoch: Instant,
}

/// A strategy, with what has been kept by it.
#[derive(Debug)]
enum Active {
    Share(Ratio),
    Rate {
        rate: f64,
        bucket: Bucket,
    },
    Operations {
        operations: HashMap<String, Operation>,
        others: Operation,
    },
}

#[derive(Debug)]
struct Operation {
    share: Ratio,
    least: Bucket,
}

impl Remote {
    pub(super) fn new(strategy: Strategy) -> Self {
        Self {
            active: RwLock::new(Arc::new(strategy.into())),
            epoch: Instant::now(),
        }
    }

    /// From now on `strategy` holds. Buckets are full again.
    pub(super) fn set(&self, strategy: Strategy) {
        let active = Arc::new(strategy.into());
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = active;
    }
}

impl Remote {
    pub(super) fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let active = Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner));
        let now = (trace.now)().saturating_duration_since(self.epoch);
        match &*active {
            Active::Share(share) => by(
                "probabilistic",
                share.ratio(),
                share.decide(trace.id, REASON),
            ),
            Active::Rate { rate, bucket } => by(
                "ratelimiting",
                *rate,
                Decision::new(bucket.take(now), Some(REASON)),
            ),
            Active::Operations { operations, others } => {
                let Operation { share, least } = operations.get(trace.name).unwrap_or(others);
                let decision = share.decide(trace.id, REASON);
                // What the share keeps is of the number that is kept in any case.
                let is_due = least.take(now);
                match decision.is_kept() {
                    true => by("probabilistic", share.ratio(), decision),
                    false => by(
                        "lowerbound",
                        share.ratio(),
                        Decision::new(is_due, Some(REASON)),
                    ),
                }
            }
        }
    }
}

const REASON: &str = "jaeger_remote";

/// Names what kept a trace in the words of Jaeger's clients. Its adaptive sampling learns from the first span of each trace.
fn by(kind: &'static str, parameter: f64, decision: Decision) -> Decision {
    if !decision.is_kept() {
        return decision;
    }
    let attributes = vec![
        KeyValue::new("sampler.type", kind),
        KeyValue::new("sampler.param", parameter),
    ];
    Decision {
        added: Some(Box::new(Added {
            attributes,
            trace_state: None,
        })),
        ..decision
    }
}

impl From<Strategy> for Active {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::Share(share) => Self::Share(Ratio::new(share)),
            Strategy::Rate(rate) => Self::Rate {
                rate,
                bucket: Bucket::new(rate),
            },
            Strategy::Operations {
                shares,
                default,
                least,
            } => {
                let operation = |share| Operation {
                    share: Ratio::new(share),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use opentelemetry::trace::{SpanKind, TraceId};

    use super::*;

    const LOW: u128 = 0;
    const HIGH: u128 = u128::MAX;

    fn remote(strategy: Strategy) -> Arc<Remote> {
        Arc::new(Remote::new(strategy))
    }

    fn decide(remote: &Arc<Remote>, id: u128, name: &str, now: Instant) -> Decision {
        remote.sample(&NewTrace {
            id: TraceId::from(id),
            name,
            kind: &SpanKind::Server,
            parent: None,
            caller: None,
            request: None,
            tenant: None,
            now: &|| now,
        })
    }

    /// Traces that are kept of `asked` at each of these moments, in milliseconds.
    fn kept(remote: &Arc<Remote>, name: &str, asked: usize, moments: &[u64]) -> Vec<usize> {
        let at = |millis| remote.epoch + Duration::from_millis(millis);
        let kept = |now| {
            let decisions = (0..asked).map(|_| decide(remote, LOW, name, now));
            decisions.filter(Decision::is_kept).count()
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
            let remote = remote(Strategy::Rate(rate));
            assert_eq!(kept(&remote, "GET", 5, moments), expected, "{rate}");
        }
        let limited = remote(Strategy::Rate(1.0));
        let decision = decide(&limited, LOW, "GET", limited.epoch);
        assert!(decision.is_kept());
        assert_eq!(decision.adjusted_count, None, "a rate is no probability");
        assert_eq!(decision.reason, Some("jaeger_remote"));
    }

    #[test]
    fn first_span_has_the_words_of_jaegers_clients() {
        let operations = || Strategy::Operations {
            shares: HashMap::from([("all".into(), 1.0)]),
            default: 0.25,
            least: 2.0,
        };
        for (strategy, id, name, kind, parameter) in [
            (Strategy::Share(0.25), HIGH, "GET", "probabilistic", 0.25),
            (Strategy::Rate(3.0), LOW, "GET", "ratelimiting", 3.0),
            (operations(), LOW, "all", "probabilistic", 1.0),
            (operations(), HIGH, "other", "probabilistic", 0.25),
            (operations(), LOW, "other", "lowerbound", 0.25),
        ] {
            let remote = remote(strategy);
            let decision = decide(&remote, id, name, remote.epoch);
            let expected = [
                KeyValue::new("sampler.type", kind),
                KeyValue::new("sampler.param", parameter),
            ];
            let added = decision.added.expect("attributes");
            assert_eq!(added.attributes, expected, "{name}");
        }
        let dropped = remote(Strategy::Share(0.0));
        assert_eq!(decide(&dropped, LOW, "GET", dropped.epoch).added, None);
    }

    #[test]
    fn a_share_is_of_the_trace_id() {
        let remote = remote(Strategy::Share(0.25));
        let now = remote.epoch;
        let decision = decide(&remote, HIGH, "GET", now);
        assert!(decision.is_kept());
        assert_eq!(decision.adjusted_count, Some(4.0));
        assert!(!decide(&remote, LOW, "GET", now).is_kept());
        remote.set(Strategy::Share(1.0));
        assert!(decide(&remote, LOW, "GET", now).is_kept());
    }

    #[test]
    fn each_operation_has_its_share_and_its_least() {
        let remote = remote(Strategy::Operations {
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
