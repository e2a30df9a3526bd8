//! How values that are marked as private are protected.

use super::format::Format;
use super::pass::Pass;
use super::sourced::{Source, Sourced};
use crate::attribute::{HashKey, MIN_KEY_BYTES, PiiPolicy, Privacy};
use crate::error::Error;

/// The settings of [`Privacy`], with their sources.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct PrivacySettings {
    pub(crate) hash_key: Sourced<Option<HashKey>>,
    pub(crate) pii: Sourced<PiiPolicy>,
}

const KEY: &str = "BIZTRACE_HASH_KEY";
const PII: &str = "BIZTRACE_PII";

/// The key is never shown.
const HASH_KEY: Format<Option<HashKey>> = Format {
    parse: |value, refused| {
        let key = HashKey::new(value.as_bytes());
        if key.is_none() {
            refused.add_secret(&format!("a key of {MIN_KEY_BYTES} bytes or more"));
        }
        key.map(Some)
    },
    shown: |key| {
        Some(match key {
            Some(_) => "set".to_owned(),
            None => "none".to_owned(),
        })
    },
    written: |_| "none: values to be hashed are left out".to_owned(),
};

const POLICY: Format<PiiPolicy> = Format {
    parse: |value, refused| match value.to_ascii_lowercase().as_str() {
        "keep" => Some(PiiPolicy::Keep),
        "hash" => Some(PiiPolicy::Hash),
        "drop" => Some(PiiPolicy::Drop),
        _ => {
            // Who takes one variable for the other writes the key here.
            refused.add_secret("keep, hash or drop");
            None
        }
    },
    shown: |policy| Some(name(*policy).to_owned()),
    written: |policy| name(*policy).to_owned(),
};

fn name(policy: PiiPolicy) -> &'static str {
    match policy {
        PiiPolicy::Keep => "keep",
        PiiPolicy::Hash => "hash",
        PiiPolicy::Drop => "drop",
    }
}

impl PrivacySettings {
    pub(crate) fn privacy(&self) -> Privacy {
        Privacy {
            hash_key: self.hash_key.value.clone(),
            pii: (self.pii.origin.source != Source::Default).then_some(self.pii.value),
        }
    }

    pub(super) fn visit(&mut self, pass: &mut Pass<'_>) {
        pass.setting("hash_key", &[KEY], &HASH_KEY, &mut self.hash_key);
        pass.setting("pii", &[PII], &POLICY, &mut self.pii);
    }

    /// To hash, a key is needed.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        if self.pii.value != PiiPolicy::Hash || self.hash_key.value.is_some() {
            return Ok(());
        }
        if self.pii.origin.is_code() {
            return Err(Error::NoHashKey);
        }
        self.pii.origin.warn(
            PII,
            "=hash needs a key: set BIZTRACE_HASH_KEY; until then such values are left out",
        );
        Ok(())
    }
}
