//! `rust_decimal::Decimal`, as a string: a double would not keep its digits.

use rust_decimal::Decimal;

use super::{Display, Encoder, Value};

impl Value for Decimal {
    fn encode(&self, encoder: Encoder<'_>) {
        Display(self).encode(encoder);
    }
}
