//! Times of `chrono`, as RFC 3339 writes them.

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeZone};

use super::{Display, Encoder, Value};

impl<Z: TimeZone> Value for DateTime<Z> {
    fn encode(&self, encoder: Encoder<'_>) {
        let text = self
            .fixed_offset()
            .to_rfc3339_opts(SecondsFormat::AutoSi, true);
        encoder.string(&text);
    }
}

impl Value for NaiveDate {
    fn encode(&self, encoder: Encoder<'_>) {
        Display(self).encode(encoder);
    }
}
