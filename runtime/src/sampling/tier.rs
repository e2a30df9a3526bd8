//! A tier, as settings have it: plain data, with its checks.

use std::fmt;

use crate::error::Error;

/// Longer names of tenants are cut to so many bytes.
pub(super) const MAX_NAME: usize = 64;

/// Tiers of an instance at most, that of the rest included.
pub(crate) const MAX_TIERS: usize = 8;

/// What the traces of some tenants get.
///
/// ```
/// use biztrace::settings::Tier;
///
/// let free = Tier::rest().rate(0.05).queue(1024).spans_per_second_per_tenant(200);
/// # let _ = free;
/// ```
///
/// Its `Debug` text names no tenant.
#[derive(Clone)]
#[must_use = "`Tenants::tier` takes it"]
pub struct Tier {
    /// `None` for the tenants that no other tier lists.
    pub(super) members: Option<Vec<String>>,
    pub(super) rate: Option<f64>,
    pub(super) budget: Option<u32>,
    /// Failed traces a second of each tenant.
    pub(super) errors: Option<u32>,
    queue: Option<usize>,
    weight: u32,
}

/// The position of a tier among those of an instance. Without tenants there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TierId(pub(crate) u8);

/// A tier as the pipelines need it.
#[derive(Debug, Clone)]
pub(crate) struct NamedTier {
    pub(crate) name: String,
    pub(super) tier: Tier,
}

/// With more, a tier of weight 1 would get a span into hardly any request.
const MAX_WEIGHT: u32 = 100;

/// A tenant's name as it counts: `None` if there is nothing in it.
pub(crate) fn tenant_name(text: &str) -> Option<&str> {
    let text = text.trim();
    let name = &text[..text.floor_char_boundary(MAX_NAME)];
    (!name.is_empty()).then_some(name)
}

impl Tier {
    /// The tier of these tenants. In a name a `*` stands for any characters: `globex-*`.
    pub fn of<M: Into<String>>(members: impl IntoIterator<Item = M>) -> Self {
        Self {
            members: Some(members.into_iter().map(Into::into).collect()),
            ..Self::rest()
        }
    }

    /// The tier of the tenants that no other tier lists, and of traces whose tenant nobody knows.
    pub fn rest() -> Self {
        Self {
            members: None,
            rate: None,
            budget: None,
            errors: None,
            queue: None,
            weight: 1,
        }
    }

    /// Keeps this share of the traces, from 0 (none) to 1 (all), in place of the sampler's: as
    /// [`Sampler::probability`](super::Sampler::probability) does, with the threshold in `tracestate`. Traces that the caller samples are kept
    /// in any case. Without a rate the sampler decides.
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = Some(rate);
        self
    }

    /// Keeps about so many spans a second of each tenant. If a tenant has had more within a second, a smaller share of its traces is kept in the
    /// next one, and they stand for more: sums stay true. Traces that the caller samples are kept in any case, and so is what
    /// [`Keep`](super::Keep) keeps. The first second of a flood is bounded by the queue alone.
    ///
    /// Of each tier 1,024 tenants have a budget of their own at a time. Others share one, until one of those has been idle for a minute. So
    /// made-up names take nothing from a tenant that is there.
    pub fn spans_per_second_per_tenant(mut self, spans: u32) -> Self {
        self.budget = Some(spans);
        self
    }

    /// Keeps about so many traces a second of each tenant for their errors. If a tenant has had more within a second, a smaller share of them
    /// is kept for that in the next one, and they stand for more. Without it, [`Keep::errors`](super::Keep::errors) keeps each one: a storm
    /// of errors fills the tier's queue then, and what does not fit is dropped and counted.
    pub fn errors_per_second_per_tenant(mut self, traces: u32) -> Self {
        self.errors = Some(traces);
        self
    }

    /// Spans of the tier that may wait for the receiver; more are dropped and counted. Default: that of
    /// [`TelemetryBuilder::max_queue_size`](crate::TelemetryBuilder::max_queue_size).
    pub fn queue(mut self, spans: usize) -> Self {
        self.queue = Some(spans);
        self
    }

    /// The tier's share of what is sent while several tiers wait: a tier of weight 3 sends three spans for each one of a tier of weight 1.
    /// From 1 to 100, default 1.
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }
}

impl NamedTier {
    /// Spans that may wait, if it is set.
    pub(crate) fn queue(&self) -> Option<usize> {
        self.tier.queue
    }

    pub(crate) fn weight(&self) -> u32 {
        self.tier.weight
    }

    pub(super) fn refused(&self, problem: impl Into<String>) -> Error {
        Error::Tier {
            tier: self.name.clone(),
            problem: problem.into(),
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let Tier {
            members,
            rate,
            budget,
            errors,
            queue,
            weight,
        } = &self.tier;
        if self.name.trim().is_empty() || self.name.contains(char::is_control) {
            return Err(self.refused("it has no name. Give it one, for example \"vip\""));
        }
        if members.as_ref().is_some_and(Vec::is_empty) {
            return Err(self.refused("it has no members. Name some, or make it `Tier::rest`"));
        }
        for member in members.iter().flatten() {
            if tenant_name(member) != Some(&**member) {
                return Err(self.refused(format!(
                    "the member {member:?} never matches: names have 1 to {MAX_NAME} bytes and no spaces around them. Correct it"
                )));
            }
        }
        if let Some(rate) = rate
            && !(0.0..=1.0).contains(rate)
        {
            return Err(self.refused(format!(
                "its rate {rate} is not a number from 0 to 1. Write 0.25 for 25 %"
            )));
        }
        if *budget == Some(0) {
            return Err(self.refused(
                "`spans_per_second_per_tenant` is 0. Set more, or `rate(0.0)` to keep nothing",
            ));
        }
        if *errors == Some(0) {
            return Err(self.refused(
                "`errors_per_second_per_tenant` is 0. Set more, or `Keep::none` to keep no errors",
            ));
        }
        if *queue == Some(0) {
            let problem = "its queue is 0. Set more, or leave it out for the default";
            return Err(self.refused(problem));
        }
        if *weight == 0 {
            return Err(self.refused("its weight is 0. Set 1 or more"));
        }
        if *weight > MAX_WEIGHT {
            let problem = format!(
                "its weight {weight} is above {MAX_WEIGHT}. Weights count in relation to those of other tiers"
            );
            return Err(self.refused(problem));
        }
        Ok(())
    }
}

impl Tier {
    fn describe(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        write!(f, "{name}(")?;
        match &self.members {
            Some(members) => write!(f, "members={}", members.len())?,
            None => f.write_str("rest")?,
        }
        if let Some(rate) = self.rate {
            write!(f, " rate={rate}")?;
        }
        if let Some(budget) = self.budget {
            write!(f, " spans_per_second_per_tenant={budget}")?;
        }
        if let Some(errors) = self.errors {
            write!(f, " errors_per_second_per_tenant={errors}")?;
        }
        if let Some(queue) = self.queue {
            write!(f, " queue={queue}")?;
        }
        if self.weight != 1 {
            write!(f, " weight={}", self.weight)?;
        }
        f.write_str(")")
    }
}

/// Without the names of its members, as a tier is described.
impl fmt::Debug for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe(f, "Tier")
    }
}

/// Without the names of its members, since customers' names are not for every log.
impl fmt::Display for NamedTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tier.describe(f, &self.name)
    }
}
