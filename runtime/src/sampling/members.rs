//! Which tenants are of which tier.

use std::collections::HashMap;
use std::fmt;

use super::glob::Glob;
use super::tenants::Tenants;
use super::tier::{NamedTier, TierId};

#[derive(Default)]
pub(super) struct Members {
    names: HashMap<String, TierId>,
    /// In the order of their tiers.
    patterns: Vec<(Glob, TierId)>,
    rest: TierId,
}

impl Members {
    /// Of settings that are settled.
    pub(super) fn of(tenants: &Tenants) -> Self {
        let mut all = Self::default();
        for (tier, NamedTier { tier: rules, .. }) in (0..).map(TierId).zip(&tenants.tiers) {
            match &rules.members {
                None => all.rest = tier,
                Some(members) => members.iter().for_each(|member| all.add(member, tier)),
            }
        }
        all
    }

    fn add(&mut self, member: &str, tier: TierId) {
        if member.contains('*') {
            self.patterns.push((Glob::new(member), tier));
        } else {
            self.names.entry(member.to_owned()).or_insert(tier);
        }
    }

    /// The first tier that lists a tenant.
    pub(super) fn tier_of(&self, tenant: Option<&str>) -> TierId {
        let Some(tenant) = tenant else {
            return self.rest;
        };
        let named = self.names.get(tenant).copied();
        let mut patterns = self.patterns.iter();
        let pattern = patterns.find(|(pattern, _)| pattern.matches(tenant));
        let pattern = pattern.map(|(_, tier)| *tier);
        let first = named.into_iter().chain(pattern).min_by_key(|tier| tier.0);
        first.unwrap_or(self.rest)
    }
}

/// Without the names of tenants, since customers' names are not for every log.
impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members")
            .field("names", &self.names.len())
            .field("patterns", &self.patterns.len())
            .field("rest", &self.rest)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::Tier;

    #[test]
    fn tenant_is_of_the_first_tier_that_lists_it() {
        let tenants = Tenants::from_tag()
            .tier("a", Tier::of(["acme", "*-eu"]))
            .tier("rest of all", Tier::rest())
            .tier("b", Tier::of(["acme-eu-1", "globex-*", "acme-eu", "*"]));
        let members = Members::of(&tenants);
        for (tenant, tier) in [
            (Some("acme"), 0),
            (Some("globex-eu"), 0),
            (Some("acme-eu"), 0),
            (Some("acme-eu-1"), 2),
            (Some("globex-us"), 2),
            (Some("Acme"), 2),
            (None, 1),
        ] {
            assert_eq!(members.tier_of(tenant), TierId(tier), "{tenant:?}");
        }
    }
}
