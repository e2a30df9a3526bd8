//! OTLP's JSON encoding: ids in hex, 64-bit integers as strings, enumerations as integers.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use serde::Deserialize;

use crate::exporter::decode;
use crate::pipeline::{Delivery, DropReason, Failure, Request};

/// The request in JSON.
pub(super) fn encode(request: &Request) -> Result<Vec<u8>, Failure> {
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

/// What a receiver says in JSON; nothing that can be read is a plain success, as its status is.
pub(super) fn delivery(body: &[u8]) -> Delivery {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Answer {
        partial_success: Partial,
    }

    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Partial {
        rejected_spans: Count,
        error_message: String,
    }

    /// 64-bit integers are strings, and numbers with those who know no better.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Count {
        Number(i64),
        Text(String),
    }

    impl Default for Count {
        fn default() -> Self {
            Self::Number(0)
        }
    }

    let Answer { partial_success } = serde_json::from_slice(body).unwrap_or_default();
    let rejected = match partial_success.rejected_spans {
        Count::Number(count) => count,
        Count::Text(count) => count.parse().unwrap_or(0),
    };
    Delivery {
        rejected: u64::try_from(rejected).unwrap_or(0),
        message: partial_success.error_message,
    }
}
