//! Rules around a sampler: on the head when a trace begins, on the route when it is over.

use std::fmt;

use opentelemetry_sdk::trace::SamplingDecision;

use super::path_glob::PathGlob;
use super::rate::Rate;
use super::rule::{Condition, Outcome, Parent, Rule};
use super::sample::{ByHead, Decision, NewTrace, RecordedTrace, Sample};
use super::sampler::Sampler;
use super::watch::{Test, Watch};

/// Decides by the first rule that matches, and otherwise as a sampler does.
#[derive(Debug)]
pub(super) struct Ruled {
    rules: Vec<Judge>,
    head: Sampler,
    tells_threshold: bool,
}

/// A rule as traces are compared with it.
#[derive(Debug)]
struct Judge {
    conditions: Vec<Condition>,
    /// The bits of the watch that must be set, if it waits for the route.
    routes: u64,
    outcome: Ordered,
}

#[derive(Debug, Clone, Copy)]
enum Ordered {
    Never,
    Rate(Rate),
}

const REASON: &str = "rule";

impl Ruled {
    pub(super) fn new(rules: &[Rule], head: Sampler, watch: &mut Watch) -> Self {
        let rules: Vec<_> = rules.iter().map(|rule| Judge::new(rule, watch)).collect();
        let mut outcomes = rules.iter().map(|rule| rule.outcome);
        let has_rate =
            outcomes.any(|outcome| matches!(outcome, Ordered::Rate(rate) if rate.keeps_some()));
        Self {
            tells_threshold: has_rate || head.sample().tells_threshold(),
            rules,
            head,
        }
    }

    /// The first rule that asks nothing but the head, and the bits of those before it that wait for the route.
    fn find(&self, trace: &NewTrace<'_>) -> (Option<Ordered>, u64) {
        let mut waiting = 0;
        for (n, rule) in self.rules.iter().enumerate() {
            if !rule.matches(trace) {
                continue;
            }
            if rule.routes == 0 {
                return (Some(rule.outcome), waiting);
            }
            waiting |= 1 << n;
        }
        (None, waiting)
    }
}

impl Judge {
    fn new(rule: &Rule, watch: &mut Watch) -> Self {
        let mut route = |glob: &PathGlob| watch.add("http.route", true, Test::Path(glob.clone()));
        let routes = rule.conditions.iter().map(|condition| match condition {
            Condition::Route(glob) => route(glob),
            _ => 0,
        });
        Self {
            routes: routes.fold(0, |all, bit| all | bit),
            conditions: rule.conditions.clone(),
            outcome: match rule.outcome {
                Outcome::Never => Ordered::Never,
                Outcome::Rate(rate) => Ordered::Rate(Rate::new(rate)),
            },
        }
    }

    /// Whether all matches that is known when the trace begins.
    fn matches(&self, trace: &NewTrace<'_>) -> bool {
        self.conditions.iter().all(|it| it.holds(trace))
    }
}

impl Condition {
    fn holds(&self, trace: &NewTrace<'_>) -> bool {
        let request = match self {
            Self::Parent(parent) => return *parent == Parent::of(trace),
            _ => trace.request,
        };
        request.is_some_and(|request| match self {
            Self::Path(glob) => glob.matches(request.path()),
            Self::Method(method) => method.eq_ignore_ascii_case(request.method()),
            Self::Host(glob) => request.host().is_some_and(|host| {
                match host.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    true => glob.matches(host.to_ascii_lowercase()),
                    false => glob.matches(host),
                }
            }),
            Self::Header(name, glob) => request.any_line(name, &|line| glob.matches(line)),
            // Not known yet.
            Self::Route(_) | Self::Parent(_) => true,
        })
    }
}

impl Parent {
    fn of(trace: &NewTrace<'_>) -> Self {
        match trace.parent {
            Some(parent) if !parent.is_remote() => Self::Local,
            None if trace.caller.is_none() => Self::None,
            // Some formats have a decision of a caller, and no span of its.
            _ => Self::Remote,
        }
    }
}

impl Sample for Ruled {
    fn sample(&self, trace: &NewTrace<'_>) -> Decision {
        let (by_head, waiting) = self.find(trace);
        let mut decision = match by_head {
            None => self.head.sample().sample(trace),
            Some(Ordered::Never) => Decision::new(false, Some(REASON)).by_threshold(trace, None),
            Some(Ordered::Rate(rate)) => rate.on_head(REASON, trace),
        };
        if waiting == 0 && by_head.is_none() {
            return decision;
        }
        let notes = decision.notes_mut();
        notes.by_head = by_head.map(|outcome| match outcome {
            Ordered::Never => ByHead::Never,
            Ordered::Rate(_) => ByHead::Rate,
        });
        (notes.waiting, notes.floor) = (waiting, trace.floor());
        if waiting != 0 {
            decision.is_final = false;
            if !decision.is_kept() {
                decision.decision = SamplingDecision::RecordOnly;
            }
        }
        decision
    }

    fn verdict(&self, trace: &RecordedTrace<'_>) -> Decision {
        let notes = trace.head.notes.as_deref();
        let waiting = notes.map_or(0, |notes| notes.waiting);
        let mut rules = self.rules.iter().enumerate();
        let by_route = rules
            .find(|(n, rule)| waiting & (1 << n) != 0 && trace.hits & rule.routes == rule.routes);
        match by_route.map(|(_, rule)| rule.outcome) {
            Some(Ordered::Rate(rate)) => rate.on_end(REASON, trace),
            // Set-up has refused `never` for a route.
            Some(Ordered::Never) | None => match notes.and_then(|notes| notes.by_head) {
                Some(_) => trace.head.upheld(),
                None => self.head.sample().verdict(trace),
            },
        }
    }

    fn tells_threshold(&self) -> bool {
        self.tells_threshold
    }
}

impl fmt::Display for Ruled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head.fmt(f)
    }
}

#[cfg(test)]
mod tests;
