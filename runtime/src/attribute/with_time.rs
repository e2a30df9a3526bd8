//! Times of `time`, as RFC 3339 writes them. A year past 9999, which that has no form for, sets nothing.

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use super::{Display, Encoder, Value};

impl Value for OffsetDateTime {
    fn encode(&self, encoder: Encoder<'_>) {
        if let Ok(text) = self.format(&Rfc3339) {
            encoder.string(&text);
        }
    }
}

impl Value for Date {
    fn encode(&self, encoder: Encoder<'_>) {
        Display(self).encode(encoder);
    }
}
