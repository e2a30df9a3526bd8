//! What a builder does: its settings over those of the environment make an instance.

use opentelemetry_sdk::trace::RandomIdGenerator;

use super::TelemetryBuilder;
use crate::config::{Environment, Listing, Origin, Pass, Source, Warning, misspelt};
use crate::diag;
use crate::error::Error;
use crate::propagation::Propagators;
use crate::provider::Telemetry;
use crate::provider::description::Description;
use crate::provider::exporters::{self, Exporter, Exporters};
use crate::provider::resource::Attributes;
use crate::provider::samplers;
use crate::provider::start::Parts;
use crate::recorder::Mode;

const CONFIG_FILE: &str = "OTEL_CONFIG_FILE";

impl TelemetryBuilder {
    /// Over the process's environment. The caller has all said that comes of it, since a process may end by an error.
    pub(super) fn build_here(self) -> Result<Telemetry, Error> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        self.build_over(Environment {
            lookup: &|name| std::env::var_os(name),
            names: &names.collect::<Vec<_>>(),
        })
    }

    pub(in crate::provider) fn build_over(
        mut self,
        environment: Environment<'_>,
    ) -> Result<Telemetry, Error> {
        let read = self.read(environment, exporters::choose);
        let resource = Attributes::of(&self.settings);
        let listing = self.describe(&resource);
        say(&listing.warnings);
        read?;
        Telemetry::start(Parts {
            mode: self.mode(),
            propagators: self.take_propagators(),
            settings: self.settings,
            exporters: self.exporters,
            ids: self
                .ids
                .unwrap_or_else(|| Box::<RandomIdGenerator>::default()),
            resource,
            description: Description::new(listing),
        })
    }

    /// Reads from the environment what the code does not set. `choose` takes the exporter if nothing names one.
    pub(in crate::provider) fn read(
        &mut self,
        environment: Environment<'_>,
        choose: fn() -> Exporter,
    ) -> Result<(), Error> {
        let pass = &mut Pass::Read(environment);
        self.settings.visit_switch(pass);
        self.settings.visit_resource(pass);
        self.settings.visit(pass);
        let variables = self.variables();
        let origin = &mut self.settings.disabled.origin;
        misspelt::warn(environment, &variables, origin);
        if environment.text(CONFIG_FILE, origin).is_some() {
            let problem =
                " is ignored: this version reads no configuration files. The other variables apply";
            origin.warn(CONFIG_FILE, problem);
        }
        if self.settings.disabled.value {
            self.exporters = Exporters::default();
            return self.settle();
        }
        samplers::read(&mut self.settings.sampler, environment)?;
        self.settle()?;
        self.exporters.read(environment, choose)
    }

    /// The variables that set-up reads, whatever is active.
    fn variables(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        let pass = &mut Pass::Variables(&mut all);
        self.settings.visit_switch(pass);
        self.settings.visit_resource(pass);
        self.settings.visit(pass);
        exporters::list_variables(pass);
        pass.variables(&samplers::VARIABLES);
        pass.variables(&[CONFIG_FILE]);
        all
    }

    /// Settles the settings: for a capture, without an environment.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        for change in self.limits.drain(..) {
            self.settings.limits.change(change);
        }
        if let Some(mistake) = self.mistake.take() {
            return Err(mistake);
        }
        self.settings.settle()
    }

    fn mode(&self) -> Mode {
        if self.settings.disabled.value {
            Mode::Disabled
        } else if self.exporters.all.is_empty() {
            Mode::Propagate
        } else {
            Mode::Record
        }
    }

    /// What is active, and the warnings that still matter.
    pub(in crate::provider) fn describe(&mut self, resource: &Attributes) -> Listing {
        let mut listing = Listing::default();
        let pass = &mut Pass::Describe(&mut listing);
        let is_disabled = self.settings.disabled.value;
        self.settings.visit_switch(pass);
        self.settings.visit_resource(pass);
        resource.describe(pass);
        let none_by = match is_disabled {
            true => self.settings.disabled.origin.source.clone(),
            false => self.exporters.source().clone(),
        };
        let batch = &self.settings.batch;
        self.exporters.describe(pass, batch, &none_by);
        let sampler = &self.settings.sampler;
        pass.described("sampler", Some(sampler.value.to_string()), &sampler.origin);
        self.settings.visit(pass);
        let (names, source) = self.propagator_names();
        let origin = Origin::of(source);
        pass.described("propagators", Some(names), &origin);
        if is_disabled {
            const STILL: [&str; 4] = [
                "OTEL_SDK_DISABLED",
                CONFIG_FILE,
                "OTEL_PROPAGATORS",
                "BIZTRACE_BAGGAGE_TO",
            ];
            let counts = |warning: &Warning| STILL.contains(&&*warning.variable);
            listing.warnings.retain(counts);
        }
        listing
    }

    /// The formats of context with those of others, and their source.
    fn propagator_names(&self) -> (String, Source) {
        let own = &self.settings.propagators;
        let foreign = self.foreign_propagators.iter();
        let mut names: Vec<_> = own.value.iter().map(ToString::to_string).collect();
        names.extend(foreign.map(|it| format!("{it:?}")));
        if names.is_empty() {
            names.push("none".into());
        }
        let source = match self.foreign_propagators.is_empty() {
            true => own.origin.source.clone(),
            false => Source::Code,
        };
        (names.join(","), source)
    }

    /// The formats of context that the settings name, with those of others.
    pub(crate) fn take_propagators(&mut self) -> Propagators {
        let foreign = std::mem::take(&mut self.foreign_propagators);
        Propagators::new(self.settings.propagators.value.clone(), foreign)
    }
}

fn say(warnings: &[Warning]) {
    for warning in warnings {
        diag::warn(format_args!("{warning}"));
    }
}
