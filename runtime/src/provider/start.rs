//! Starts what an instance is made of: a pipeline for each exporter, and the recorder that feeds them.

use std::sync::Arc;

use opentelemetry_sdk::trace::IdGenerator;

use super::Telemetry;
use super::created_files::CreatedFiles;
use super::description::Description;
use super::exporters::Exporters;
use super::instance::{Handle, Instance};
use super::resource::Attributes;
use crate::config::Settings;
use crate::error::Error;
use crate::pipeline::{FanOut, LEAST_BYTES, Pipeline, Setup, TierSetup, memory};
use crate::propagation::Propagators;
use crate::recorder::{Mode, Recorder, Sink};

/// What an instance is made of.
pub(super) struct Parts {
    pub(super) mode: Mode,
    pub(super) settings: Settings,
    pub(super) exporters: Exporters,
    pub(super) propagators: Propagators,
    pub(super) ids: Box<dyn IdGenerator>,
    pub(super) resource: Attributes,
    pub(super) description: Description,
}

impl Telemetry {
    pub(super) fn start(parts: Parts) -> Result<Self, Error> {
        let Parts {
            mode,
            settings,
            exporters,
            propagators,
            ids,
            resource,
            description,
        } = parts;
        let limit = settings.limits.limits.memory;
        let number = exporters.all.len();
        let least = number * LEAST_BYTES;
        if limit < least {
            return Err(Error::Memory { limit, least });
        }
        let tiers = tiers(&settings);
        let memory = memory(limit, number, &tiers);
        let encoded = resource.encode();
        let (of_sdk, service) = (resource.resource(), resource.service_name());
        let mut created = CreatedFiles::default();
        let mut pipelines = Vec::new();
        for (_, exporter) in exporters.all {
            if let Some(path) = exporter.file() {
                created.note(path);
            }
            let setup = Setup {
                batch: settings.batch.batch(exporter.schedule_delay()),
                resource: encoded.clone(),
                memory: Arc::clone(&memory),
                tiers: tiers.clone(),
            };
            pipelines.push(exporter.start(setup, &of_sdk)?);
        }
        let mut pollers = Vec::new();
        if mode != Mode::Disabled {
            settings.sampler.value.start(&service, &mut pollers)?;
        }
        created.keep();
        let shutdown_timeout = settings.shutdown_timeout.value;
        let sink = sink(&pipelines);
        let recorder = Recorder::new(mode, settings, propagators, memory, sink).with_ids(ids);
        let recorder = Arc::new(recorder);
        pipelines
            .iter()
            .for_each(|pipeline| pipeline.watch(&recorder));
        let instance = Arc::new(Instance {
            recorder,
            pipelines,
            pollers,
            shutdown_timeout,
            description,
        });
        Ok(Self(Arc::new(Handle(instance))))
    }
}

/// Where the recorder hands its traces to: a single pipeline directly.
fn sink(pipelines: &[Pipeline]) -> Arc<dyn Sink> {
    match pipelines {
        [only] => only.sink(),
        all => Arc::new(FanOut(all.iter().map(Pipeline::sink).collect())),
    }
}

/// What each tier of tenants gets of a pipeline: one tier has it all, if there are no tenants.
fn tiers(settings: &Settings) -> Vec<TierSetup> {
    let queue = settings.batch.max_queue_size.value;
    let Some(tenants) = &settings.tenants.value else {
        return TierSetup::only(queue);
    };
    let tiers = tenants.tiers().iter().map(|tier| TierSetup {
        name: Some(tier.name.as_str().into()),
        queue: tier.queue().unwrap_or(queue),
        weight: tier.weight(),
    });
    tiers.collect()
}
