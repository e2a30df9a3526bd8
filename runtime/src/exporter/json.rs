//! OTLP's JSON encoding: ids in hex, 64-bit integers as strings, enumerations as integers.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};

use super::decode;
use crate::pipeline::{DropReason, Failure, Request};

/// The request in JSON.
pub(crate) fn encode(request: &Request) -> Result<Vec<u8>, Failure> {
    let mut resource_spans = decode(request)?;
    resource_spans.iter_mut().for_each(spell_out);
    serde_json::to_vec(&ExportTraceServiceRequest { resource_spans }).map_err(|error| {
        Failure::permanent(
            DropReason::Refused,
            format!("a request is not to be had in JSON: {error}"),
        )
    })
}

/// JSON has no numbers for infinities and NaN.
fn spell_out(resource_spans: &mut ResourceSpans) {
    let spans = resource_spans
        .scope_spans
        .iter_mut()
        .flat_map(|scope| &mut scope.spans);
    for span in spans {
        let Span {
            attributes,
            events,
            links,
            ..
        } = span;
        attributes.iter_mut().for_each(attribute);
        let events = events.iter_mut().flat_map(|event| &mut event.attributes);
        events.for_each(attribute);
        let links = links.iter_mut().flat_map(|link| &mut link.attributes);
        links.for_each(attribute);
    }
}

fn attribute(attribute: &mut KeyValue) {
    attribute.value.iter_mut().for_each(value);
}

fn value(any: &mut AnyValue) {
    match &mut any.value {
        Some(Value::DoubleValue(double)) if !double.is_finite() => {
            let text = match *double {
                f64::INFINITY => "Infinity",
                f64::NEG_INFINITY => "-Infinity",
                _ => "NaN",
            };
            any.value = Some(Value::StringValue(text.into()));
        }
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(value),
        _ => {}
    }
}
