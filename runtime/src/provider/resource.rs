//! The resource: what the spans of this process have in common.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use opentelemetry::{KeyValue, Value as ApiValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use crate::attribute::wire::{self, len_field};
use crate::attribute::{Encoded, Encoder, Value, ValueLimits};
use crate::config::{Origin, Pass, Settings, Source, Sourced};
use crate::hex;

/// What begins the names of our own attributes, which nobody else sets.
const SDK: &str = "telemetry.sdk.";

/// An empty value of a variable is as if it were not set.
pub(super) const SERVICE_NAME: &str = "service.name";

/// The attributes of a resource, each with its source.
pub(super) struct Attributes(BTreeMap<String, Sourced<ApiValue>>);

impl Attributes {
    /// Merges those of the environment with those of the code, which take precedence.
    pub(super) fn of(settings: &Settings) -> Self {
        let mut all = Self(BTreeMap::new());
        all.set(SERVICE_NAME, unknown_service(), Source::Default);
        all.set("service.instance.id", instance_id(), Source::Default);
        let listed = &settings.resource;
        let is_set = |key: &str, value: &str| key != SERVICE_NAME || !value.trim().is_empty();
        for (key, value) in listed
            .value
            .iter()
            .filter(|(key, value)| is_set(key, value))
        {
            all.set(key, value.clone(), listed.origin.source.clone());
        }
        if let Some(name) = &settings.service_name.value
            && is_set(SERVICE_NAME, name)
        {
            let source = settings.service_name.origin.source.clone();
            all.set(SERVICE_NAME, name.clone(), source);
        }
        for KeyValue { key, value, .. } in &settings.own_resource {
            all.set(key.as_str(), value.clone(), Source::Code);
        }
        for (key, value) in [
            ("name", "biztrace"),
            ("language", "rust"),
            ("version", env!("CARGO_PKG_VERSION")),
        ] {
            all.set(&format!("{SDK}{key}"), value, Source::Default);
        }
        all
    }

    fn set(&mut self, key: &str, value: impl Into<ApiValue>, source: Source) {
        let value = Sourced {
            value: value.into(),
            origin: Origin::of(source),
        };
        self.0.insert(key.to_owned(), value);
    }

    pub(super) fn describe(&self, pass: &mut Pass<'_>) {
        for (key, attribute) in &self.0 {
            let value = attribute.value.to_string();
            pass.described(key, Some(value), &attribute.origin);
        }
    }

    pub(super) fn service_name(&self) -> String {
        let name = self.0.get(SERVICE_NAME);
        name.map(|name| name.value.to_string()).unwrap_or_default()
    }

    /// For exporters of the SDK.
    pub(super) fn resource(&self) -> Resource {
        let attributes = self.0.iter();
        let attributes = attributes.map(|(key, it)| KeyValue::new(key.clone(), it.value.clone()));
        Resource::builder_empty()
            .with_attributes(attributes)
            .build()
    }

    /// The fields of a `ResourceSpans` beside its spans.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut buf = Vec::new();
        wire::message(&mut buf, len_field(1), |buf| {
            for (key, attribute) in &self.0 {
                attribute.value.encode(Encoder::attribute(
                    buf,
                    len_field(1),
                    key,
                    &ValueLimits::NONE,
                    &mut Encoded::Written,
                ));
            }
        });
        buf
    }
}

fn unknown_service() -> String {
    let exe = std::env::current_exe().ok();
    match exe.as_deref().and_then(|path| path.file_name()?.to_str()) {
        Some(exe) => format!("unknown_service:{exe}"),
        None => "unknown_service".into(),
    }
}

/// One for all instances in the process.
fn instance_id() -> String {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(random_uuid).clone()
}

/// A UUID of version 4 (RFC 9562), which the conventions recommend for `service.instance.id`.
fn random_uuid() -> String {
    let mut bytes = RandomIdGenerator::default().new_trace_id().to_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex::encode(&bytes);
    let [a, b, c, d, e] = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    format!("{a}-{b}-{c}-{d}-{e}")
}
