//! How a round samples: what is kept, by which policies and rules, and in which tiers of tenants.

use std::time::Duration;

use biztrace::TelemetryBuilder;
use biztrace::settings::{Keep, Parent, Policy, Rule, Sampler, Tenants, Tier};

use crate::rng::Rng;

/// Tenants that have tags. The rest has others.
pub(crate) const TENANTS: [&str; 5] = ["acme", "globex-eu", "globex-us", "initech", "hooli"];

/// What becomes of the traces of callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OfCallers {
    /// The caller decides.
    AsSampled,
    Recorded,
    /// A rule leaves them out.
    Never,
}

/// A round's sampling.
#[derive(Debug)]
pub(crate) struct Sampling {
    of_callers: OfCallers,
    sampler: Option<Sampler>,
    keep: Option<Keep>,
    rules: Vec<Rule>,
    tenants: Option<Tenants>,
}

impl Sampling {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let mut sampling = Self {
            of_callers: OfCallers::AsSampled,
            sampler: None,
            keep: None,
            rules: Vec::new(),
            tenants: None,
        };
        if rng.below(4) == 0 {
            // Every trace is kept from the start.
            return sampling;
        }
        // All traces are recorded, whatever the sampler and the caller say.
        sampling.of_callers = OfCallers::Recorded;
        sampling.sampler = Some(Sampler::probability(rng.one_of(&SHARES)));
        sampling.keep = Some(keep(rng));
        if rng.below(2) == 0 {
            let of_callers = Rule::parent(Parent::Remote);
            sampling.rules.push(match rng.below(3) {
                0 => {
                    sampling.of_callers = OfCallers::Never;
                    of_callers.never()
                }
                1 => of_callers.keep(),
                _ => of_callers.rate(rng.one_of(&SHARES)),
            });
        }
        if rng.below(3) == 0 {
            let rule = Rule::parent(Parent::None).rate(rng.one_of(&SHARES));
            sampling.rules.push(rule);
        }
        sampling.tenants = (rng.below(3) > 0).then(|| tenants(rng));
        sampling
    }

    /// Whether a trace is recorded that a caller has begun, and sampled or not.
    pub(crate) fn records(&self, is_sampled: bool) -> bool {
        match self.of_callers {
            OfCallers::AsSampled => is_sampled,
            OfCallers::Recorded => true,
            OfCallers::Never => false,
        }
    }

    pub(crate) fn apply(&self, builder: TelemetryBuilder) -> TelemetryBuilder {
        let Self {
            of_callers: _,
            sampler,
            keep,
            rules,
            tenants,
        } = self;
        let builder = sampler
            .iter()
            .cloned()
            .fold(builder, TelemetryBuilder::sampler);
        let builder = keep.iter().cloned().fold(builder, TelemetryBuilder::keep);
        let builder = rules.iter().cloned().fold(builder, TelemetryBuilder::rule);
        tenants
            .iter()
            .cloned()
            .fold(builder, TelemetryBuilder::tenants)
    }
}

/// A policy takes no zero, which is the first.
const SHARES: [f64; 4] = [0.0, 0.1, 0.5, 1.0];

fn keep(rng: &mut Rng) -> Keep {
    // What keeps nothing at all would not record what the sampler leaves out.
    let mut keep = match rng.below(2) {
        0 => Keep::errors(),
        _ => Keep::none().policy(policy(rng)),
    };
    if rng.below(2) == 0 {
        keep = keep.slower_than(Duration::from_millis(1 + rng.below(5) as u64));
    }
    for _ in 0..rng.below(4) {
        keep = keep.policy(policy(rng));
    }
    if rng.below(3) == 0 {
        keep = keep.drop(test(rng));
    }
    keep
}

fn policy(rng: &mut Rng) -> Policy {
    match rng.below(5) {
        0 => Policy::rate_limiting(1_000.0),
        1 => test(rng).and(Policy::probability(rng.one_of(&SHARES[1..]))),
        _ => test(rng),
    }
}

/// A policy that asks for no share, which `Keep::drop` would not take.
fn test(rng: &mut Rng) -> Policy {
    let test = match rng.below(6) {
        0 => Policy::equals("order.express", true),
        1 => Policy::glob("tenant.id", "globex-*"),
        2 => Policy::number("order.items", 500..),
        3 => Policy::spans(2..),
        4 => Policy::latency(Duration::from_millis(1)..),
        _ => Policy::errors(),
    };
    match rng.below(4) {
        0 => !test,
        1 => test.on_first_span(),
        _ => test,
    }
}

fn tenants(rng: &mut Rng) -> Tenants {
    let listed = [&["acme"][..], &["globex-*", "initech"]];
    let mut tenants = Tenants::from_tag();
    for (position, members) in listed.iter().take(1 + rng.below(2)).enumerate() {
        let members = members.iter().copied();
        tenants = tenants.tier(format!("tier {position}"), tier(rng, Tier::of(members)));
    }
    match rng.below(2) {
        0 => tenants.tier("others", tier(rng, Tier::rest())),
        // The sampler alone has the rest.
        _ => tenants,
    }
}

fn tier(rng: &mut Rng, tier: Tier) -> Tier {
    let mut tier = tier.weight(1 + rng.below(4) as u32);
    if rng.below(3) > 0 {
        tier = tier.rate(rng.one_of(&SHARES));
    }
    if rng.below(2) == 0 {
        tier = tier.queue(1 + rng.below(64));
    }
    if rng.below(3) == 0 {
        tier = tier.spans_per_second_per_tenant(1 + rng.below(1_000) as u32);
    }
    tier
}
