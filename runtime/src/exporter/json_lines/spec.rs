//! The exporters `json_file` and `json_stdout`: their settings, and their start.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use opentelemetry_sdk::Resource;

use super::escape::escape;
use super::rotating::Rotating;
use super::settings::JsonFile;
use crate::config::{Origin, Pass};
use crate::error::Error;
use crate::exporter::json;
use crate::exporter::spec::{ExporterSpec, WATCHED_DELAY};
use crate::pipeline::{Delivery, DropReason, Export, Failure, Pipeline, Request, Setup};

impl ExporterSpec for JsonFile {
    fn name(&self) -> &'static str {
        "json_file"
    }

    fn visit(&mut self, pass: &mut Pass<'_>) {
        for (name, value) in [
            ("path", self.path.display().to_string()),
            ("max_bytes", self.max_bytes.to_string()),
            ("keep", self.keep.to_string()),
        ] {
            pass.described(&format!("json_file.{name}"), Some(value), &Origin::CODE);
        }
    }

    fn file(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn start(self: Box<Self>, setup: Setup, _: &Resource) -> Result<Pipeline, Error> {
        let path = self.path.display().to_string();
        let file = Rotating::open(*self).map_err(|source| Error::File { path, source })?;
        Pipeline::start("json_file", setup, move || LineOutput::File(file))
    }
}

/// The same lines on stdout.
#[derive(Debug)]
pub(crate) struct JsonStdout;

impl ExporterSpec for JsonStdout {
    fn name(&self) -> &'static str {
        "json_stdout"
    }

    fn schedule_delay(&self) -> Option<Duration> {
        Some(WATCHED_DELAY)
    }

    fn start(self: Box<Self>, setup: Setup, _: &Resource) -> Result<Pipeline, Error> {
        Pipeline::start("json_stdout", setup, || LineOutput::Stdout)
    }
}

/// Where lines go.
#[derive(Debug)]
enum LineOutput {
    Stdout,
    File(Rotating),
}

impl Export for LineOutput {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let mut line = escape(json::encode(&request)?);
        line.push(b'\n');
        request.sent.set();
        let written = match self {
            Self::Stdout => {
                let written = io::stdout().lock().write_all(&line);
                written.map_err(|error| format!("stdout: {error}"))
            }
            Self::File(file) => file.write(&line),
        };
        written
            .map(|()| Delivery::default())
            .map_err(|problem| Failure::permanent(DropReason::Refused, problem))
    }
}
