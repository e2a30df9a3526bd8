//! What set-up knows of an exporter.

use std::path::Path;
use std::time::Duration;

use opentelemetry_sdk::Resource;

use crate::config::{Pass, Source};
use crate::error::Error;
use crate::pipeline::{Pipeline, Setup};

/// The delay of exporters that a person may watch.
pub(crate) const WATCHED_DELAY: Duration = Duration::from_millis(500);

/// The settings of an exporter, and its start. `provider/exporters.rs` has a line for each that the environment can name.
pub(crate) trait ExporterSpec: Send {
    /// Its name in `OTEL_TRACES_EXPORTER`, reports and logs.
    fn name(&self) -> &'static str;

    /// Called before its settings are read, if the code names several exporters of this name.
    fn set_one_of_several(&mut self) {}

    /// Lists its settings.
    fn visit(&mut self, _pass: &mut Pass<'_>) {}

    /// The source of an address that is enough to name the exporter.
    fn named_by(&self) -> Option<&Source> {
        None
    }

    /// How long a finished span waits for its batch to fill, unless a setting says so.
    fn schedule_delay(&self) -> Option<Duration> {
        None
    }

    /// The file that its start creates, unless it is there.
    fn file(&self) -> Option<&Path> {
        None
    }

    /// Checks the settings, and starts the exporter's pipeline.
    fn start(self: Box<Self>, setup: Setup, resource: &Resource) -> Result<Pipeline, Error>;
}
