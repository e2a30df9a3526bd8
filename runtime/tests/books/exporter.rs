//! Exporters that note what they are sent: some are slow, fail or panic.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::trace::SpanId;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::service::name_of;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Prompt,
    Slow,
    /// Every other time.
    Fails,
    /// After some time.
    Panics,
}

/// What has arrived at an exporter. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    manner: Manner,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    calls: usize,
    /// Of the spans that were taken.
    ids: HashSet<SpanId>,
    /// What is wrong with them.
    faults: Vec<String>,
}

/// The exporter itself. There is only one.
#[derive(Debug)]
pub(crate) struct Exporter(Received);

impl Received {
    pub(crate) fn new(manner: Manner) -> Self {
        Self {
            manner,
            seen: Arc::default(),
        }
    }

    pub(crate) fn exporter(&self) -> Exporter {
        Exporter(self.clone())
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.manner {
            Manner::Prompt => "prompt",
            Manner::Slow => "slow",
            Manner::Fails => "fails",
            Manner::Panics => "panics",
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many spans have arrived: each once, and as it was recorded.
    pub(crate) fn spans(&self) -> u64 {
        let seen = self.seen();
        assert!(seen.faults.is_empty(), "{}: {:?}", self.name(), seen.faults);
        seen.ids.len() as u64
    }

    /// Waits until the exporter is gone: the export thread of an instance that is dropped sends the rest for 5 s.
    pub(crate) fn wait_for_the_end(&self) {
        let start = Instant::now();
        while Arc::strong_count(&self.seen) > 1 {
            assert!(start.elapsed() < Duration::from_secs(60), "it never ends");
            thread::sleep(Duration::from_millis(1));
        }
        self.spans();
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let Received { manner, .. } = self.0;
        let mut seen = self.0.seen();
        seen.calls += 1;
        if manner == Manner::Panics {
            assert!(seen.calls < 20, "it panics");
        }
        if manner == Manner::Fails && seen.calls.is_multiple_of(2) {
            return Err(OTelSdkError::InternalFailure("as it does".into()));
        }
        for span in batch {
            let context = &span.span_context;
            let name = name_of(context.trace_id(), span.parent_span_id);
            if span.name != name {
                let fault = format!("{} is in the place of {name}", span.name);
                seen.faults.push(fault);
            }
            if !context.is_sampled() {
                seen.faults.push(format!("{} is not sampled", span.name));
            }
            if !seen.ids.insert(context.span_id()) {
                seen.faults.push(format!("{} came twice", span.name));
            }
        }
        drop(seen);
        if manner == Manner::Slow {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}
