//! `uuid::Uuid`, in its hyphenated form.

use uuid::Uuid;

use super::{Encoder, Value};

impl Value for Uuid {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(self.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    }
}
