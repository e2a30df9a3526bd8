//! An exporter of the SDK that is to be started.

use std::sync::mpsc;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter;

use super::thread::{SdkExporter, Unmade};
use crate::error::Error;
use crate::exporter::spec::ExporterSpec;
use crate::pipeline::{Pipeline, Setup};

/// Makes an exporter, under the name that reports and logs call it.
pub(crate) struct SdkSpec<M> {
    pub(crate) name: &'static str,
    pub(crate) make: M,
}

impl<E, M> ExporterSpec for SdkSpec<M>
where
    E: SpanExporter + 'static,
    M: FnOnce() -> Result<E, Unmade> + Send + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn start(self: Box<Self>, setup: Setup, resource: &Resource) -> Result<Pipeline, Error> {
        let Self { name, make } = *self;
        let (resource, (made, outcome)) = (resource.clone(), mpsc::sync_channel(1));
        let pipeline = Pipeline::start(name, setup, move || {
            SdkExporter::start(make, resource, made)
        })?;
        match outcome.recv() {
            Ok(Ok(())) => Ok(pipeline),
            Ok(Err(source)) => Err(Error::Exporter {
                exporter: name,
                source,
            }),
            Err(_) => Err(Error::Exporter {
                exporter: name,
                source: "its constructor panicked".into(),
            }),
        }
    }
}
