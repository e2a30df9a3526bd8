//! How values that are marked as personal or secret are protected: the settings.

use std::fmt;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::hex;

/// What becomes of a value that is marked `#[pii]`, as personally identifiable information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PiiPolicy {
    /// It is recorded as it is.
    Keep,
    /// Its keyed hash is recorded, as with `#[hash]`.
    Hash,
    /// It is not recorded.
    #[default]
    Drop,
}

/// How values that say so are protected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Privacy {
    pub(crate) hash_key: Option<HashKey>,
    /// `None` if nobody has chosen.
    pub(crate) pii: Option<PiiPolicy>,
}

/// A key of [`Hash`](super::Hash).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HashKey(Vec<u8>);

/// A shorter key could be guessed.
pub(crate) const MIN_KEY_BYTES: usize = 16;

impl HashKey {
    /// `None` for a key that is too short.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        (key.len() >= MIN_KEY_BYTES).then(|| Self(key.to_vec()))
    }

    /// The keyed HMAC-SHA-256 of a text.
    pub(super) fn hash(&self, text: &str) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(text.as_bytes());
        Some(hex::encode(&mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(…)")
    }
}
