//! Sampling decisions. Knows nothing of how spans are recorded.
//!
//! A sampler is a file: a type that implements [`Sample`], and its constructor on [`Sampler`]. `provider/samplers.rs` has a line for each
//! that the environment can name.

mod always;
mod parent_based;
pub(crate) mod ratio;
mod sample;
mod sampler;
mod sdk;
#[cfg(test)]
mod tests;

pub use self::parent_based::ParentBased;
pub(crate) use self::sample::{Decision, NewTrace, Refuse, Sample};
pub use self::sampler::Sampler;
