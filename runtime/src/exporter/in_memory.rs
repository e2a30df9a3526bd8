//! Keeps spans in memory, for tests.

use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_sdk::trace::SpanData;

use super::body::decode;
use super::span_data;
use crate::pipeline::{Delivery, Export, Failure, Request};

/// Keeps all spans that it is given; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct InMemoryExporter(Arc<Mutex<Vec<SpanData>>>);

impl InMemoryExporter {
    pub(crate) fn spans(&self) -> Vec<SpanData> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Export for InMemoryExporter {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let spans = span_data::of(decode(&request)?);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(spans);
        Ok(Delivery::default())
    }
}
