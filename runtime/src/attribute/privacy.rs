//! Values that are protected before they are recorded.

use std::fmt;

use super::policy::{MIN_KEY_BYTES, PiiPolicy};
use super::writer::Treatment;
use super::{Encoder, Value};
use crate::diag;

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
                Some(key) => {
                    let treatment = Treatment {
                        chars: usize::MAX,
                        rewrite: Some(&|text| key.hash(text)),
                    };
                    self.0.encode(writer.with_treatment(&treatment).into());
                }
                None => {
                    warn_without_key(writer.key());
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
            let limit = writer.treatment().chars;
            let treatment = Treatment {
                chars: usize::MAX,
                rewrite: Some(&|text| Some(mask(text, self.0, limit))),
            };
            self.1.encode(writer.with_treatment(&treatment).into());
        });
    }
}

impl<V: Value + ?Sized> Value for Pii<'_, V> {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.write_with(|writer| {
            let policy = match writer.privacy() {
                Some(privacy) => (privacy.pii).unwrap_or_else(|| default_policy(writer.key())),
                None => PiiPolicy::default(),
            };
            match policy {
                PiiPolicy::Keep => self.0.encode(writer.into()),
                PiiPolicy::Hash => Hash(self.0).encode(writer.into()),
                PiiPolicy::Drop => writer.withhold(),
            }
        });
    }
}

#[cold]
fn default_policy(key: Option<&str>) -> PiiPolicy {
    static ONCE: diag::Once = diag::Once::new();
    let value = ValueOf(key);
    ONCE.warn(format_args!(
        "{value} is marked `#[pii]`, but no policy is set: such values are left out. Set BIZTRACE_PII, or call \
         `TelemetryBuilder::pii`, to keep, hash or drop them"
    ));
    PiiPolicy::default()
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

/// Names a value in a warning, by the key of its tag unless it is part of a list.
struct ValueOf<'a>(Option<&'a str>);

impl fmt::Display for ValueOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(key) => write!(f, "the value of {key:?}"),
            None => f.write_str("a value"),
        }
    }
}

#[cold]
fn warn_without_key(key: Option<&str>) {
    static ONCE: diag::Once = diag::Once::new();
    let value = ValueOf(key);
    ONCE.warn(format_args!(
        "{value} is to be hashed, but there is no usable key: such values are left out. Set BIZTRACE_HASH_KEY, or call \
         `TelemetryBuilder::hash_key`, with a secret of {MIN_KEY_BYTES} bytes or more that is the same in all services"
    ));
}
