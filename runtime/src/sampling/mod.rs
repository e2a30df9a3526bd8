//! Sampling decisions. Reads settings, knows nothing of how spans are recorded.

pub(crate) mod head;
