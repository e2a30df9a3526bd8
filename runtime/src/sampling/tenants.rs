//! Tenants and their tiers, as settings have them: plain data, with its checks.

use std::collections::HashSet;
use std::fmt;

use super::glob::Glob;
use super::tier::{MAX_TIERS, NamedTier, Tier, TierId};
use crate::error::Error;
use crate::token::is_token;

/// The tag that names a trace's tenant: on each span of it that is kept.
pub(crate) const TENANT: &str = "tenant.id";

/// The tier of the tenants that no tier lists, if the settings have none.
const REST: &str = "rest";

/// Who the tenant of a trace is, and what its tier gets: [`TelemetryBuilder::tenants`](crate::TelemetryBuilder::tenants).
///
/// ```
/// use biztrace::Telemetry;
/// use biztrace::settings::{Sampler, Tenants, Tier};
///
/// let telemetry = Telemetry::builder()
///     .sampler(Sampler::probability(0.1))
///     .tenants(
///         Tenants::from_header("x-tenant-id")
///             .tier("vip", Tier::of(["acme", "globex-*"]).rate(1.0).queue(8192))
///             .tier("default", Tier::rest().rate(0.1).queue(2048).spans_per_second_per_tenant(500)),
///     )
///     .build()?;
/// # drop(telemetry);
/// # Ok::<(), biztrace::Error>(())
/// ```
///
/// In any case the tag `tenant.id` says who the tenant is, on any span of the trace and at any time, for example after the
/// authentication: it takes precedence over what has named the tenant before, and the last one that is set counts. It is text or an
/// integer; names are cut to 64 bytes. A request that names nobody is of the rest.
///
/// The tier decides when a trace is over, so every trace is recorded, and waits for its last span as with
/// [`Keep`](super::Keep). Each span of a kept trace has the tag `tenant.id` then, and its first span here `sampling.tier`.
///
/// A tenant belongs to the first tier that lists it. There are 8 tiers at most. If none of them is [`Tier::rest`], a tier named `rest` is
/// added, to whose traces the sampler alone applies.
///
/// Its text, `Display` and `Debug`, names the tiers and no tenant.
#[derive(Clone)]
#[must_use = "`TelemetryBuilder::tenants` takes it"]
pub struct Tenants {
    source: TenantSource,
    pub(super) tiers: Vec<NamedTier>,
}

/// What of a request names its tenant, before the tag does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TenantSource {
    /// That header, in lower case.
    Header(String),
    PathSegment(usize),
    Tag,
}

impl Tenants {
    /// The tenant is what that header says, of callers that are trusted as the trust policy of the integration has it: for actix-web,
    /// [`RequestTracing::trust`][trust]. Requests of others, and those with several such headers, are of the rest, until the tag `tenant.id`
    /// says something.
    ///
    /// [trust]: https://docs.rs/biztrace/latest/biztrace/actix/struct.RequestTracing.html#method.trust
    pub fn from_header(name: impl Into<String>) -> Self {
        let mut name = name.into();
        name.make_ascii_lowercase();
        Self::from(TenantSource::Header(name))
    }

    /// The tenant is that segment of the path, counted from 0: `from_path_segment(1)` is `acme` of `/tenants/acme/orders`. It is taken as
    /// it was sent, without decoding.
    ///
    /// It counts from every caller, trusted or not, since it says whose data is asked for. So requests that are refused count for the
    /// tenant whose path they name. Where callers must not choose a tier, set the tag `tenant.id` after the authentication.
    pub fn from_path_segment(position: usize) -> Self {
        Self::from(TenantSource::PathSegment(position))
    }

    /// The tenant is what the tag `tenant.id` says, and nothing else.
    ///
    /// ```
    /// use biztrace::settings::{Tenants, Tier};
    ///
    /// let tenants = Tenants::from_tag().tier("vip", Tier::of(["acme"]).rate(1.0));
    ///
    /// // In the application, where the caller is known:
    /// biztrace::tag!(tenant.id = "acme");
    /// # let _ = tenants;
    /// ```
    pub fn from_tag() -> Self {
        Self::from(TenantSource::Tag)
    }

    fn from(source: TenantSource) -> Self {
        Self {
            source,
            tiers: Vec::new(),
        }
    }

    /// Adds a tier of that name. A tenant belongs to the first tier that lists it.
    pub fn tier(mut self, name: impl Into<String>, tier: Tier) -> Self {
        let name = name.into();
        self.tiers.push(NamedTier { name, tier });
        self
    }

    #[cfg_attr(
        not(feature = "_inbound"),
        allow(dead_code, reason = "servers read requests")
    )]
    pub(crate) fn source(&self) -> &TenantSource {
        &self.source
    }

    /// The tiers, each at the position that its [`TierId`] has.
    pub(crate) fn tiers(&self) -> &[NamedTier] {
        &self.tiers
    }

    pub(crate) fn tier_name(&self, tier: TierId) -> &str {
        let tier = self.tiers.get(usize::from(tier.0));
        tier.map_or(REST, |tier| &tier.name)
    }

    pub(super) fn has_rates(&self) -> bool {
        self.tiers.iter().any(|it| it.tier.rate.is_some())
    }

    /// Whether a tier may drop what the sampler keeps.
    pub(crate) fn thins(&self) -> bool {
        self.has_rates()
            || self
                .tiers
                .iter()
                .any(|it| it.tier.budget.or(it.tier.errors).is_some())
    }

    /// Adds a tier for the rest if there is none, and refuses settings that cannot work. Tells `warn` of members that never match.
    pub(crate) fn settle(&mut self, warn: impl FnMut(String)) -> Result<(), Error> {
        if let TenantSource::Header(name) = &self.source
            && !is_token(name)
        {
            return Err(Error::TenantHeader { name: name.clone() });
        }
        let mut names = HashSet::new();
        for tier in &self.tiers {
            if !names.insert(&*tier.name) {
                return Err(tier.refused("another tier has this name. Give each a name of its own"));
            }
            tier.check()?;
        }
        let mut rest = self.tiers.iter().filter(|it| it.tier.members.is_none());
        match (rest.next(), rest.next()) {
            (_, Some(second)) => {
                let problem = "an earlier tier is `Tier::rest`, too. List the members of this one by `Tier::of`";
                return Err(second.refused(problem));
            }
            (None, _) => {
                if let Some(tier) = self.tiers.iter().find(|tier| tier.name == REST) {
                    let problem = "this is the name of the tier for tenants that no tier lists. Choose another name, or make it `Tier::rest`";
                    return Err(tier.refused(problem));
                }
                self.tiers.push(NamedTier {
                    name: REST.to_owned(),
                    tier: Tier::rest(),
                });
            }
            (Some(_), None) => {}
        }
        if let Some(tier) = self.tiers.get(MAX_TIERS) {
            let problem = format!(
                "there are more than {MAX_TIERS} tiers, that of the rest included. Join some of them"
            );
            return Err(tier.refused(problem));
        }
        self.warn_of_repeated(warn);
        Ok(())
    }

    /// Says which members never match, since an earlier one does.
    fn warn_of_repeated(&self, mut warn: impl FnMut(String)) {
        let (mut names, mut patterns) = (HashSet::new(), Vec::<(Glob, &str)>::new());
        for NamedTier { name, tier } in &self.tiers {
            for member in tier.members.iter().flatten() {
                let pattern = patterns.iter().find(|(glob, _)| glob.matches(member));
                let earlier = match pattern {
                    Some((_, text)) => Some(*text),
                    None => names.get(&**member).copied(),
                };
                if let Some(earlier) = earlier {
                    warn(format!(
                        ": the member {member:?} of the tier {name:?} never matches, since {earlier:?} stands before it. Delete it, or put its tier first"
                    ));
                }
                match member.contains('*') {
                    true => patterns.push((Glob::new(member), member)),
                    false => _ = names.insert(&**member),
                }
            }
        }
    }
}

/// Without the names of tenants, since customers' names are not for every log.
impl fmt::Display for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            TenantSource::Header(name) => write!(f, "header({name})")?,
            TenantSource::PathSegment(position) => write!(f, "path_segment({position})")?,
            TenantSource::Tag => f.write_str("tag")?,
        }
        self.tiers.iter().try_for_each(|tier| write!(f, ", {tier}"))
    }
}

impl fmt::Debug for Tenants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tenants({self})")
    }
}

#[cfg(test)]
mod tests;
