//! A policy as a verdict asks it.

use std::ops::{Bound, RangeBounds};
use std::time::{Duration, Instant};

use super::bucket::Bucket;
use super::ot_entry::randomness;
use super::policy::{Condition, Policy};
use super::sample::RecordedTrace;
use super::threshold::Threshold;
use super::watch::Watch;

/// What a policy says of a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Vote {
    No,
    /// Each trace like this is kept, or one of a known share of them.
    Keep(Threshold),
    /// It is kept, and nobody knows of how many.
    Spare,
}

#[derive(Debug)]
pub(super) struct Voter {
    pub(super) name: String,
    /// The tests of tags that a trace must have passed: few traces have, and the others are not asked further.
    needs: u64,
    test: Question,
}

/// Policies, and what of tags they need.
#[derive(Debug)]
pub(super) struct Voters {
    all: Vec<Voter>,
    /// The tests of tags that all need one of, unless some need none.
    any_of: Option<u64>,
}

#[derive(Debug)]
enum Question {
    Errors,
    Latency(Bound<Duration>, Bound<Duration>),
    Spans(Bound<u64>, Bound<u64>),
    /// A bit of the watch.
    Tag(u64),
    Share(Threshold),
    Rate(Bucket, Instant),
    All(Vec<Question>),
    Not(Box<Question>),
}

impl Voters {
    pub(super) fn new<'p>(policies: impl Iterator<Item = &'p Policy>, watch: &mut Watch) -> Self {
        let all: Vec<_> = policies.map(|policy| Voter::new(policy, watch)).collect();
        let all_need = all.iter().all(|voter| voter.needs != 0);
        let any_of = all.iter().fold(0, |any, voter| any | voter.needs);
        Self {
            any_of: all_need.then_some(any_of),
            all,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those that may not vote No.
    #[inline]
    pub(super) fn on(&self, trace: &RecordedTrace<'_>) -> impl Iterator<Item = &Voter> {
        let is_asked = self.any_of.is_none_or(|any_of| trace.hits & any_of != 0);
        let asked: &[Voter] = if is_asked { &self.all } else { &[] };
        let hits = trace.hits;
        asked.iter().filter(move |it| hits & it.needs == it.needs)
    }
}

impl Voter {
    /// Has `watch` look for what the policy asks.
    fn new(policy: &Policy, watch: &mut Watch) -> Self {
        let test = Question::new(policy, watch);
        Self {
            name: policy.name().to_owned(),
            needs: test.needs(),
            test,
        }
    }

    pub(super) fn vote(&self, trace: &RecordedTrace<'_>) -> Vote {
        self.test.vote(trace)
    }
}

impl Question {
    fn new(policy: &Policy, watch: &mut Watch) -> Self {
        match &policy.condition {
            Condition::Errors => Self::Errors,
            Condition::Latency(from, to) => Self::Latency(*from, *to),
            Condition::Spans(from, to) => Self::Spans(*from, *to),
            Condition::Tag {
                key,
                test,
                first_only,
            } => Self::Tag(match test {
                Ok(test) => watch.add(key, *first_only, test.clone()),
                // Set-up has refused it.
                Err(_) => 0,
            }),
            Condition::Probability(share) => Self::Share(Threshold::of(*share)),
            Condition::RateLimiting(rate) => Self::Rate(Bucket::new(*rate), Instant::now()),
            Condition::All(all) => {
                let mut all: Vec<_> = all.iter().map(|it| Self::new(it, watch)).collect();
                // A rate is taken from only where all others keep the trace.
                all.sort_by_key(Self::takes);
                Self::All(all)
            }
            Condition::Not(policy) => Self::Not(Box::new(Self::new(policy, watch))),
        }
    }

    fn needs(&self) -> u64 {
        match self {
            Self::Tag(bit) => *bit,
            Self::All(all) => all.iter().fold(0, |needs, it| needs | it.needs()),
            _ => 0,
        }
    }

    fn takes(&self) -> bool {
        match self {
            Self::Rate(..) => true,
            Self::All(all) => all.iter().any(Self::takes),
            _ => false,
        }
    }

    fn vote(&self, trace: &RecordedTrace<'_>) -> Vote {
        let passes = match self {
            Self::Errors => trace.has_failed,
            Self::Latency(from, to) => (*from, *to).contains(&trace.latency),
            Self::Spans(from, to) => (*from, *to).contains(&trace.spans),
            Self::Tag(bit) => trace.hits & bit != 0,
            Self::Share(threshold) => {
                return match threshold.keeps(randomness(trace.state, trace.id)) {
                    true => Vote::Keep(*threshold),
                    false => Vote::No,
                };
            }
            Self::Rate(bucket, epoch) => {
                let now = (trace.now)().saturating_duration_since(*epoch);
                return match bucket.take(now) {
                    true => Vote::Spare,
                    false => Vote::No,
                };
            }
            Self::All(all) => return Self::vote_of_all(all, trace),
            Self::Not(question) => question.vote(trace) == Vote::No,
        };
        match passes {
            true => Vote::Keep(Threshold::ALL),
            false => Vote::No,
        }
    }

    /// The strictest of them.
    fn vote_of_all(all: &[Self], trace: &RecordedTrace<'_>) -> Vote {
        let mut strictest = Vote::Keep(Threshold::ALL);
        for question in all {
            strictest = match (strictest, question.vote(trace)) {
                (_, Vote::No) => return Vote::No,
                (Vote::Keep(one), Vote::Keep(other)) => Vote::Keep(one.max(other)),
                _ => Vote::Spare,
            };
        }
        strictest
    }
}
