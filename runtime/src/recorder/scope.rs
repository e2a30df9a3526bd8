//! Instrumentation scopes as their OTLP bytes.

use std::sync::Arc;

use opentelemetry::InstrumentationScope;

use crate::attribute::wire::{self, len_field};
use crate::attribute::{Encoder, Value, ValueLimits};

/// The instrumentation scope of a span: the library that made it.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// This crate.
    Biztrace,
    /// A library that uses the OpenTelemetry API: its encoded fields.
    Library(Arc<ScopeFields>),
}

/// The fields of a `ScopeSpans` beside its spans, encoded: the scope and the schema URL.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ScopeFields(Vec<u8>);

impl Scope {
    pub(crate) fn library(scope: &InstrumentationScope) -> Self {
        Self::Library(Arc::new(ScopeFields::new(scope)))
    }

    /// The encoded fields.
    pub(crate) fn fields(&self) -> &[u8] {
        static BIZTRACE: std::sync::LazyLock<ScopeFields> = std::sync::LazyLock::new(|| {
            let version = env!("CARGO_PKG_VERSION");
            ScopeFields::new(
                &InstrumentationScope::builder("biztrace")
                    .with_version(version)
                    .build(),
            )
        });
        match self {
            Self::Biztrace => &BIZTRACE.0,
            Self::Library(fields) => &fields.0,
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

impl ScopeFields {
    fn new(scope: &InstrumentationScope) -> Self {
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
                    ValueLimits::NONE,
                    &mut false,
                ));
            }
        });
        if let Some(url) = scope.schema_url() {
            wire::bytes(&mut buf, len_field(3), url.as_bytes());
        }
        Self(buf)
    }
}
