//! The OpenTelemetry API's values as ours.

use opentelemetry::{Array, StringValue};

use super::{Encoder, Value};

impl Value for opentelemetry::Value {
    fn encode(&self, encoder: Encoder<'_>) {
        match self {
            Self::Bool(value) => value.encode(encoder),
            Self::I64(value) => value.encode(encoder),
            Self::F64(value) => value.encode(encoder),
            Self::String(value) => value.encode(encoder),
            Self::Array(Array::Bool(values)) => values.encode(encoder),
            Self::Array(Array::I64(values)) => values.encode(encoder),
            Self::Array(Array::F64(values)) => values.encode(encoder),
            Self::Array(Array::String(values)) => values.encode(encoder),
            // Both enums may grow; a kind of value that is not known here has no OTLP form here.
            _ => {}
        }
    }
}

impl Value for StringValue {
    fn encode(&self, encoder: Encoder<'_>) {
        self.as_str().encode(encoder);
    }
}
