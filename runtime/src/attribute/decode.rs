//! Encoded attributes as the OpenTelemetry API has them.

use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::common::v1::{self as proto, AnyValue, any_value};
use prost::Message;

use super::{Tags, wire};

impl Tags {
    /// The attributes, as far as the API has a form for their values.
    pub(crate) fn decode(&self) -> impl Iterator<Item = KeyValue> {
        self.entries.iter().filter_map(|entry| {
            let (attribute, _) = wire::split_field(entry.field(&self.bytes));
            let attribute = proto::KeyValue::decode(attribute).ok()?;
            let value = api_value(attribute.value.as_ref()?)?;
            Some(KeyValue::new(attribute.key, value))
        })
    }
}

/// The API's form of an OTLP value; it has none for maps, bytes and mixed arrays.
pub(crate) fn api_value(value: &AnyValue) -> Option<Value> {
    Some(match value.value.as_ref()? {
        any_value::Value::StringValue(value) => Value::from(value.clone()),
        any_value::Value::BoolValue(value) => Value::from(*value),
        any_value::Value::IntValue(value) => Value::from(*value),
        any_value::Value::DoubleValue(value) => Value::from(*value),
        any_value::Value::ArrayValue(array) => {
            let values: Vec<_> = array.values.iter().map(api_value).collect::<Option<_>>()?;
            Value::Array(homogeneous(values)?)
        }
        _ => return None,
    })
}

fn homogeneous(values: Vec<Value>) -> Option<Array> {
    fn all<T>(values: &[Value], pick: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
        values.iter().map(pick).collect()
    }
    let bools = |value: &Value| {
        if let Value::Bool(value) = value {
            Some(*value)
        } else {
            None
        }
    };
    let ints = |value: &Value| {
        if let Value::I64(value) = value {
            Some(*value)
        } else {
            None
        }
    };
    let doubles = |value: &Value| {
        if let Value::F64(value) = value {
            Some(*value)
        } else {
            None
        }
    };
    let strings = |value: &Value| {
        if let Value::String(value) = value {
            Some(value.clone())
        } else {
            None
        }
    };
    None.or_else(|| all(&values, strings).map(|all: Vec<StringValue>| Array::String(all)))
        .or_else(|| all(&values, ints).map(Array::I64))
        .or_else(|| all(&values, doubles).map(Array::F64))
        .or_else(|| all(&values, bools).map(Array::Bool))
}
