//! Sampling decisions. Knows nothing of how spans are recorded.
//!
//! A sampler is a file: a type that implements [`Sample`], and its constructor on [`Sampler`]. `provider/samplers.rs` has a line for each
//! that the environment can name.

mod always;
mod bucket;
mod budget;
mod budgeted;
mod budgets;
mod glob;
mod head;
mod keep;
mod keeping;
mod late;
mod members;
mod ot_entry;
mod parent_based;
mod path_glob;
mod plan;
mod policy;
mod probability;
mod rate;
mod rate_limiting;
pub(crate) mod ratio;
mod rule;
mod rule_checks;
mod ruled;
mod sample;
mod sampler;
mod sdk;
mod tenants;
#[cfg(test)]
mod tests;
mod threshold;
mod tier;
mod tiered;
mod vote;
mod watch;

pub(crate) use self::head::Head;
pub use self::keep::Keep;
pub(crate) use self::late::Late;
pub use self::parent_based::ParentBased;
pub(crate) use self::plan::Plan;
pub use self::policy::{Number, Policy};
pub use self::rule::{Parent, Rule, RuleCondition};
pub(crate) use self::rule_checks::{check_rules, unreachable_rules};
pub(crate) use self::sample::{Decision, NewTrace, RecordedTrace, Refuse, Sample};
pub use self::sampler::Sampler;
pub(crate) use self::tenants::TENANT;
#[cfg(feature = "_inbound")]
pub(crate) use self::tenants::TenantSource;
pub use self::tenants::Tenants;
pub(crate) use self::threshold::RANDOM;
pub use self::tier::Tier;
pub(crate) use self::tier::{MAX_TIERS, TierId, tenant_name};
pub(crate) use self::watch::{Tagged, Watch};
#[cfg(feature = "otlp-grpc")]
pub(crate) use self::{bucket::Bucket, sample::Added};
