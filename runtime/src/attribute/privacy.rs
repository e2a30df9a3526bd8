//! Values that are protected before they are recorded.

use std::fmt;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::writer::Treatment;
use super::{Encoder, Value};
use crate::diag;

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
    pub(crate) pii: PiiPolicy,
}

/// A key of [`Hash`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HashKey(Vec<u8>);

/// A shorter key could be guessed.
pub(crate) const MIN_KEY_BYTES: usize = 16;

impl HashKey {
    /// `None` for a key that is too short.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        (key.len() >= MIN_KEY_BYTES).then(|| Self(key.to_vec()))
    }

    fn hash(&self, text: &str) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(text.as_bytes());
        let digits = mac.finalize().into_bytes().into_iter();
        Some(
            digits
                .flat_map(|byte| [hex(byte >> 4), hex(byte & 15)])
                .collect(),
        )
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(…)")
    }
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or_default()
}

/// `#[hash]`: the keyed HMAC-SHA-256 of a value's text, in lower-case hex; of a list, that of each element. Nothing without a
/// key.
#[derive(Debug)]
pub struct Hash<'a, V: ?Sized>(pub &'a V);

/// `#[mask(n)]`: a value's text with all but the last characters hidden; all of it, if it has no more than these. It is cut to
/// `#[max_len(n)]` or the configured length afterwards.
#[derive(Debug)]
pub struct Mask<'a, V: ?Sized>(pub usize, pub &'a V);

/// `#[pii]`: a value as the [`PiiPolicy`] says.
#[derive(Debug)]
pub struct Pii<'a, V: ?Sized>(pub &'a V);

impl<V: Value + ?Sized> Value for Hash<'_, V> {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.write_with(
            |writer| match writer.privacy().and_then(|it| it.hash_key.as_ref()) {
                // The whole value's hash, so that it is the same in every service, whatever its limits.
                Some(key) => writer.treat(
                    self.0,
                    &Treatment {
                        chars: None,
                        rewrite: Some(&|text| key.hash(text)),
                    },
                ),
                None => {
                    warn_without_key();
                    writer.withhold();
                }
            },
        );
    }
}

impl<V: Value + ?Sized> Value for Mask<'_, V> {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.write_with(|writer| {
            // Of the whole value: the last characters of a part would be others than those that may be shown.
            let limit = writer.treatment().chars.unwrap_or(usize::MAX);
            let treatment = Treatment {
                chars: None,
                rewrite: Some(&|text| Some(mask(text, self.0, limit))),
            };
            writer.treat(self.1, &treatment);
        });
    }
}

impl<V: Value + ?Sized> Value for Pii<'_, V> {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.write_with(
            |writer| match writer.privacy().map(|it| it.pii).unwrap_or_default() {
                PiiPolicy::Keep => self.0.encode(writer.into()),
                PiiPolicy::Hash => Hash(self.0).encode(writer.into()),
                PiiPolicy::Drop => writer.withhold(),
            },
        );
    }
}

fn mask(text: &str, shown: usize, limit: usize) -> String {
    let length = text.chars().count();
    let hidden = if length > shown {
        length - shown
    } else {
        length
    };
    let characters = text.chars().enumerate();
    characters
        .map(|(index, character)| if index < hidden { '*' } else { character })
        .take(limit)
        .collect()
}

fn warn_without_key() {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "a value is to be hashed, but there is no key: such values are left out. Set BIZTRACE_HASH_KEY, or call \
         `Builder::hash_key`, with a secret of {MIN_KEY_BYTES} bytes or more that is the same in all services"
    ));
}
