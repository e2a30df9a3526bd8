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

/// A value of an attribute that is one, read where it is encoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'a> {
    Text(&'a str),
    Bool(bool),
    Int(i64),
    Double(f64),
}

impl<'a> Scalar<'a> {
    /// The value of an encoded attribute, unless it is a list, or was withheld.
    pub(crate) fn of(attribute: &'a [u8]) -> Option<Self> {
        const TEXT: u8 = wire::len_field(1);
        const BOOL: u8 = wire::varint_field(2);
        const INT: u8 = wire::varint_field(3);
        const DOUBLE: u8 = wire::fixed64_field(4);
        let (key_value, _) = wire::split_field(attribute);
        let (_, value) = wire::split_field(key_value);
        let (value, _) = (!value.is_empty()).then(|| wire::split_field(value))?;
        let (tag, content) = value.split_first()?;
        Some(match *tag {
            TEXT => Self::Text(std::str::from_utf8(wire::split_field(value).0).ok()?),
            BOOL => Self::Bool(wire::read_varint(content)? != 0),
            INT => Self::Int(wire::read_varint(content)? as i64),
            DOUBLE => Self::Double(f64::from_le_bytes(content.try_into().ok()?)),
            _ => return None,
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
