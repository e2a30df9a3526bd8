//! The resource: what the spans of this process have in common.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use crate::attribute::wire::{self, len_field};
use crate::attribute::{Encoder, Outcome, Value, ValueLimits};
use crate::config::Settings;

/// What begins the names of our own attributes, which nobody else sets.
pub(super) const SDK: &str = "telemetry.sdk.";

/// Merges the resource of the environment with that of the code, which wins.
pub(super) fn resource(settings: &Settings, code: &[KeyValue]) -> Resource {
    let sdk = [
        ("name", "biztrace"),
        ("language", "rust"),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    let sdk = sdk.map(|(key, value)| KeyValue::new(format!("{SDK}{key}"), value));
    let environment = settings
        .resource
        .iter()
        .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    Resource::builder_empty()
        .with_service_name(unknown_service())
        .with_attributes(environment)
        .with_attributes(
            settings
                .service_name
                .clone()
                .map(|name| KeyValue::new("service.name", name)),
        )
        .with_attributes(code.iter().cloned())
        .with_attributes(sdk)
        .build()
}

fn unknown_service() -> String {
    let exe = std::env::current_exe().ok();
    match exe.as_deref().and_then(|path| path.file_name()?.to_str()) {
        Some(exe) => format!("unknown_service:{exe}"),
        None => "unknown_service".into(),
    }
}

/// The fields of a `ResourceSpans` beside its spans.
pub(super) fn encode(resource: &Resource) -> Vec<u8> {
    let mut attributes: Vec<_> = resource.iter().collect();
    attributes.sort_unstable_by_key(|(key, _)| key.as_str());
    let mut buf = Vec::new();
    wire::message(&mut buf, len_field(1), |buf| {
        for (key, value) in attributes {
            value.encode(Encoder::attribute(
                buf,
                len_field(1),
                key.as_str(),
                &ValueLimits::NONE,
                &mut Outcome::Written,
            ));
        }
    });
    if let Some(url) = resource.schema_url() {
        wire::bytes(&mut buf, len_field(3), url.as_bytes());
    }
    buf
}
