//! Sampling decisions. Knows nothing of how spans are recorded.
//!
//! A sampler is a file: a type that implements [`Sample`], and its constructor on [`Sampler`]. `provider/samplers.rs` has a line for each
//! that the environment can name.

mod always;
mod bucket;
mod keep;
mod ot_entry;
mod parent_based;
mod probability;
mod rate_limiting;
pub(crate) mod ratio;
mod sample;
mod sampler;
mod sdk;
#[cfg(test)]
mod tests;
mod threshold;

pub use self::keep::Keep;
pub use self::parent_based::ParentBased;
pub(crate) use self::sample::{Decision, NewTrace, RecordedTrace, Refuse, Sample};
pub use self::sampler::Sampler;
pub(crate) use self::threshold::RANDOM;
#[cfg(feature = "otlp-grpc")]
pub(crate) use self::{bucket::Bucket, sample::Added};
