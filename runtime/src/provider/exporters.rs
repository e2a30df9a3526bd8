//! The exporters that `OTEL_TRACES_EXPORTER` can name: a line each.

use std::io::{self, IsTerminal};

use super::named::Named;
use crate::config::format::{Format, list};
use crate::config::{BatchSettings, Environment, Origin, Pass, Source, Sourced};
use crate::diag;
use crate::error::Error;
use crate::exporter::console::spec::ConsoleSpec;
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
use crate::exporter::otlp::Otlp;
use crate::exporter::spec::ExporterSpec;
#[cfg(feature = "zipkin")]
use crate::exporter::zipkin::Zipkin;

type Spec = Box<dyn ExporterSpec>;

/// An exporter that the environment can name.
pub(super) type Exporter = Named<fn() -> Spec>;

const CONSOLE: Exporter = Named::new("console", || Box::<ConsoleSpec>::default());
#[cfg(any(feature = "otlp-grpc", feature = "otlp-http"))]
pub(super) const OTLP: Exporter = Named::new("otlp", || Box::<Otlp>::default());
#[cfg(not(any(feature = "otlp-grpc", feature = "otlp-http")))]
pub(super) const OTLP: Exporter = Named::missing("otlp", "otlp-http");

const EXPORTERS: &[Exporter] = &[
    OTLP,
    CONSOLE,
    #[cfg(feature = "zipkin")]
    Named::new(ZIPKIN, || Box::<Zipkin>::default()),
    #[cfg(not(feature = "zipkin"))]
    Named::missing(ZIPKIN, "zipkin"),
];

const VARIABLE: &str = "OTEL_TRACES_EXPORTER";
const ZIPKIN: &str = "zipkin";
const ZIPKIN_ENDPOINT: &str = "OTEL_EXPORTER_ZIPKIN_ENDPOINT";

/// Addresses, each with the exporter that it is for.
const ENDPOINTS: [(&str, &str); 3] = [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", OTLP.name),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", OTLP.name),
    (ZIPKIN_ENDPOINT, ZIPKIN),
];

/// Exporters, each with the source that names it, and what was wrong with the list of them.
pub(super) struct Exporters {
    pub(super) all: Vec<(Source, Spec)>,
    /// Of the list in the environment.
    origin: Origin,
}

/// Exporters that the environment names, as places in the table.
const NAMES: Format<Option<Vec<usize>>> = Format {
    parse: |value, refused| {
        let names: Vec<_> = EXPORTERS.iter().map(|named| named.name).collect();
        let expected = format!(
            "a comma-separated list of {}, or `none` alone",
            names.join(", ")
        );
        let named = |name: &str| names.iter().position(|known| *known == name);
        list(value, &expected, refused, named).map(Some)
    },
    shown: |_| None,
    written: |_| "the default".to_owned(),
};

impl Default for Exporters {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            origin: Origin::DEFAULT,
        }
    }
}

impl Exporters {
    /// Adds an exporter in code: those of the environment are not asked for then.
    pub(super) fn push(&mut self, spec: impl ExporterSpec + 'static) {
        self.all.push((Source::Code, Box::new(spec)));
    }

    /// Reads the settings of the exporters, after those that the environment names unless the code has named some. `choose` takes the
    /// default if nothing names any.
    ///
    /// # Errors
    ///
    /// If an exporter is not part of this build.
    pub(super) fn read(
        &mut self,
        environment: Environment<'_>,
        choose: fn() -> Exporter,
    ) -> Result<(), Error> {
        if self.all.is_empty() {
            self.name(environment, choose)?;
        } else {
            self.warn_of_unused(environment);
        }
        let names: Vec<_> = self.all.iter().map(|(_, spec)| spec.name()).collect();
        for (_, spec) in &mut self.all {
            if names.iter().filter(|name| **name == spec.name()).count() > 1 {
                spec.set_one_of_several();
            }
            spec.visit(&mut Pass::Read(environment));
        }
        Ok(())
    }

    /// Warns of variables that ask for exporters, if the code names others.
    fn warn_of_unused(&mut self, environment: Environment<'_>) {
        let mut named: Vec<_> = self.all.iter().map(|(_, spec)| spec.name()).collect();
        named.dedup();
        // What else is wrong with the list does not matter.
        let list = environment.text(VARIABLE, &mut Origin::of(Source::Code));
        let list = list.unwrap_or_default().to_ascii_lowercase();
        let is_known = |name: &&str| EXPORTERS.iter().any(|it| it.name == *name) || *name == "none";
        let asked = list.split(',').map(str::trim).filter(is_known);
        let addresses = ENDPOINTS
            .into_iter()
            .filter(|(variable, _)| environment.is_set(variable));
        let mut unused: Vec<_> = asked
            .map(|name| (VARIABLE, name))
            .chain(addresses)
            .filter(|(_, name)| !named.contains(name))
            .map(|(variable, _)| variable)
            .collect();
        unused.dedup();
        let named = named.join(", ");
        for variable in unused {
            let problem = format!(" is not used: the code names the exporters ({named})");
            self.origin.warn(variable, problem);
        }
    }

    fn name(
        &mut self,
        environment: Environment<'_>,
        choose: fn() -> Exporter,
    ) -> Result<(), Error> {
        let mut names = Sourced::new(None);
        Pass::Read(environment).setting("exporters", &[VARIABLE], &NAMES, &mut names);
        let Sourced { value, origin } = names;
        self.origin = origin;
        let named = value
            .as_ref()
            .map(|all| all.iter().map(|at| EXPORTERS[*at]));
        for exporter in named.into_iter().flatten() {
            let source = self.origin.source.clone();
            self.all.push((source, exporter.get(VARIABLE)?()));
        }
        let is_none = value.as_ref().is_some_and(Vec::is_empty);
        let has_zipkin = self.all.iter().any(|(_, spec)| spec.name() == ZIPKIN);
        if !is_none && !has_zipkin && environment.is_set(ZIPKIN_ENDPOINT) {
            let problem = " is set, but not used: OTEL_TRACES_EXPORTER does not name zipkin";
            self.origin.warn(ZIPKIN_ENDPOINT, problem);
        }
        if value.is_some() {
            return Ok(());
        }
        // An address may be enough.
        for row in EXPORTERS {
            let make = match row.get(VARIABLE) {
                Ok(make) => make,
                Err(error) if row.name == OTLP.name && has_otlp_endpoint(environment) => {
                    return Err(error);
                }
                Err(_) => continue,
            };
            let mut spec = make();
            spec.visit(&mut Pass::Read(environment));
            if let Some(source) = spec.named_by().cloned() {
                // Its settings are read with those of the others.
                self.all.push((source, make()));
                return Ok(());
            }
        }
        self.all.push((Source::Default, choose().get(VARIABLE)?()));
        Ok(())
    }

    /// Describes each exporter with its settings. `none_by` is why there is none.
    pub(super) fn describe(
        &mut self,
        pass: &mut Pass<'_>,
        batch: &BatchSettings,
        none_by: &Source,
    ) {
        pass.described("", None, &self.origin);
        for (source, spec) in &mut self.all {
            let origin = Origin::of(source.clone());
            pass.described("exporter", Some(spec.name().to_owned()), &origin);
            spec.visit(pass);
            batch.describe_own(pass, spec.name(), spec.schedule_delay());
        }
        if self.all.is_empty() {
            let origin = Origin::of(none_by.clone());
            pass.described("exporter", Some("none".to_owned()), &origin);
        }
    }

    /// The source of the list in the environment.
    pub(super) fn source(&self) -> &Source {
        &self.origin.source
    }
}

/// Lists the variables of all exporters, also of those that are not active.
pub(super) fn list_variables(pass: &mut Pass<'_>) {
    pass.variables(&[VARIABLE]);
    for exporter in EXPORTERS {
        if let Ok(make) = exporter.get(VARIABLE) {
            make().visit(pass);
        }
    }
}

/// Whether there is an address for an exporter that this build may lack.
fn has_otlp_endpoint(environment: Environment<'_>) -> bool {
    ENDPOINTS
        .iter()
        .any(|(variable, name)| *name == OTLP.name && environment.is_set(variable))
}

/// Where nobody says where traces should go: to the person in front of a terminal, else where the specification says.
pub(super) fn choose() -> Exporter {
    if !io::stderr().is_terminal() {
        return OTLP;
    }
    diag::to_stderr(format_args!(
        "traces are shown here; set OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 to send them to a receiver instead \
         (OTEL_TRACES_EXPORTER=none for neither)"
    ));
    CONSOLE
}
