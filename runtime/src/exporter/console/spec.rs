//! The exporter `console`: its settings and its start.

use std::time::Duration;

use opentelemetry_sdk::Resource;

use super::Console;
use crate::config::format::PRESENCE;
use crate::config::{Pass, Sourced};
use crate::error::Error;
use crate::exporter::body::decode;
use crate::exporter::spec::{ExporterSpec, WATCHED_DELAY};
use crate::pipeline::{Delivery, DropReason, Export, Failure, Pipeline, Request, Setup};

#[derive(Debug, Default)]
pub(crate) struct ConsoleSpec {
    /// No colours (<https://no-color.org>).
    no_color: Sourced<bool>,
}

impl ExporterSpec for ConsoleSpec {
    fn name(&self) -> &'static str {
        "console"
    }

    fn visit(&mut self, pass: &mut Pass<'_>) {
        let variable = ["NO_COLOR"];
        pass.setting("console.no_color", &variable, &PRESENCE, &mut self.no_color);
    }

    fn schedule_delay(&self) -> Option<Duration> {
        Some(WATCHED_DELAY)
    }

    fn start(self: Box<Self>, setup: Setup, _: &Resource) -> Result<Pipeline, Error> {
        let no_color = self.no_color.value;
        Pipeline::start("console", setup, move || Console::stderr(no_color))
    }
}

impl Export for Console {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let spans = decode(&request)?;
        request.sent.set();
        let written = Console::export(self, &spans);
        written
            .map(|()| Delivery::default())
            .map_err(|error| Failure::permanent(DropReason::Refused, format!("stderr: {error}")))
    }
}
