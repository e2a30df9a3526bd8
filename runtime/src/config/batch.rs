//! When and how much is exported at once.

use std::time::Duration;

use super::format::{MILLISECONDS, POSITIVE};
use super::pass::Pass;
use super::sourced::{Origin, Source, Sourced};
use crate::error::Error;

/// When and how much is exported at once, counted in spans (the specification's batch processor).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The longest that a finished span waits for its batch to fill.
    pub(crate) schedule_delay: Duration,
    /// The longest that one export may take.
    pub(crate) export_timeout: Duration,
    /// Spans that may wait; more are dropped.
    pub(crate) max_queue_size: usize,
    /// Spans in one export, no more than the queue holds.
    pub(crate) max_export_batch_size: usize,
}

impl Default for Batch {
    fn default() -> Self {
        BatchSettings::default().batch(None)
    }
}

/// [`Batch`], each setting with its source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BatchSettings {
    pub(crate) schedule_delay: Sourced<Duration>,
    pub(crate) export_timeout: Sourced<Duration>,
    pub(crate) max_queue_size: Sourced<usize>,
    pub(crate) max_export_batch_size: Sourced<usize>,
}

impl Default for BatchSettings {
    fn default() -> Self {
        Self {
            schedule_delay: Sourced::new(Duration::from_secs(5)),
            export_timeout: Sourced::new(Duration::from_secs(30)),
            max_queue_size: Sourced::new(2048),
            max_export_batch_size: Sourced::new(512),
        }
    }
}

const BATCH_SIZE: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";

impl BatchSettings {
    /// The batches of an exporter, which may have a default delay of its own.
    pub(crate) fn batch(&self, own_delay: Option<Duration>) -> Batch {
        let own_delay = self.own_delay(own_delay);
        Batch {
            schedule_delay: own_delay.unwrap_or(self.schedule_delay.value),
            export_timeout: self.export_timeout.value,
            max_queue_size: self.max_queue_size.value,
            max_export_batch_size: self.max_export_batch_size.value,
        }
    }

    /// That default, unless a delay is set.
    fn own_delay(&self, own_delay: Option<Duration>) -> Option<Duration> {
        own_delay.filter(|_| self.schedule_delay.origin.source == Source::Default)
    }

    /// Describes the delay of an exporter of that name, if its default counts.
    pub(crate) fn describe_own(
        &self,
        pass: &mut Pass<'_>,
        exporter: &str,
        own_delay: Option<Duration>,
    ) {
        let delay = self.own_delay(own_delay);
        let shown = delay.and_then(|delay| (MILLISECONDS.shown)(&delay));
        pass.described(
            &format!("{exporter}.schedule_delay"),
            shown,
            &Origin::DEFAULT,
        );
    }

    pub(super) fn visit(&mut self, pass: &mut Pass<'_>) {
        let Self {
            schedule_delay,
            export_timeout,
            max_queue_size,
            max_export_batch_size,
        } = self;
        for (name, variable, setting) in [
            ("schedule_delay", "OTEL_BSP_SCHEDULE_DELAY", schedule_delay),
            ("export_timeout", "OTEL_BSP_EXPORT_TIMEOUT", export_timeout),
        ] {
            pass.setting(name, &[variable], &MILLISECONDS, setting);
        }
        for (name, variable, setting) in [
            ("max_queue_size", "OTEL_BSP_MAX_QUEUE_SIZE", max_queue_size),
            ("max_export_batch_size", BATCH_SIZE, max_export_batch_size),
        ] {
            pass.setting(name, &[variable], &POSITIVE, setting);
        }
    }

    /// Refuses what cannot work, and lets no batch have more spans than the queue holds.
    pub(super) fn settle(&mut self) -> Result<(), Error> {
        for (is_zero, name) in [
            (
                self.schedule_delay.value.is_zero(),
                "TelemetryBuilder::schedule_delay",
            ),
            (
                self.export_timeout.value.is_zero(),
                "TelemetryBuilder::export_timeout",
            ),
            (
                self.max_queue_size.value == 0,
                "TelemetryBuilder::max_queue_size",
            ),
            (
                self.max_export_batch_size.value == 0,
                "TelemetryBuilder::max_export_batch_size",
            ),
        ] {
            if is_zero {
                return Err(Error::Zero(name));
            }
        }
        let (queue, size) = (&self.max_queue_size, &mut self.max_export_batch_size);
        if size.value > queue.value {
            let problem = format!(
                "={} is more than the queue holds; using {}",
                size.value, queue.value
            );
            if matches!(&size.origin.source, Source::Variable(_)) {
                size.origin.warn(BATCH_SIZE, problem);
            }
            size.value = queue.value;
            // The source of the queue's size is the source of the smaller batch, too.
            if queue.origin.source != Source::Default {
                size.origin.source = queue.origin.source.clone();
            }
        }
        Ok(())
    }
}
