//! Instrumentation scopes as their OTLP bytes.

use std::sync::{Arc, LazyLock};

use opentelemetry::InstrumentationScope;

use crate::attribute::wire::{self, len_field};
use crate::attribute::{Encoded, Encoder, Value, ValueLimits};

/// The instrumentation scope of a span: the library that made it.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// This crate.
    Biztrace,
    /// A library that uses the OpenTelemetry API: its encoded fields.
    Library(Arc<[u8]>),
}

impl Scope {
    pub(crate) fn library(scope: &InstrumentationScope) -> Self {
        Self::Library(encode(scope).into())
    }

    /// The fields of a `ScopeSpans` beside its spans, encoded: the scope and the schema URL.
    pub(crate) fn fields(&self) -> &[u8] {
        static BIZTRACE: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let scope = InstrumentationScope::builder("biztrace");
            encode(&scope.with_version(env!("CARGO_PKG_VERSION")).build())
        });
        match self {
            Self::Biztrace => &BIZTRACE,
            Self::Library(fields) => fields,
        }
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Biztrace, Self::Biztrace) => true,
            (Self::Library(ours), Self::Library(theirs)) => {
                Arc::ptr_eq(ours, theirs) || ours == theirs
            }
            _ => false,
        }
    }
}

fn encode(scope: &InstrumentationScope) -> Vec<u8> {
    let mut buf = Vec::new();
    wire::message(&mut buf, len_field(1), |buf| {
        wire::bytes(buf, len_field(1), scope.name().as_bytes());
        if let Some(version) = scope.version() {
            wire::bytes(buf, len_field(2), version.as_bytes());
        }
        for attribute in scope.attributes() {
            let key = attribute.key.as_str();
            attribute.value.encode(Encoder::attribute(
                buf,
                len_field(3),
                key,
                &ValueLimits::NONE,
                &mut Encoded::Written,
            ));
        }
    });
    if let Some(url) = scope.schema_url() {
        wire::bytes(&mut buf, len_field(3), url.as_bytes());
    }
    buf
}
