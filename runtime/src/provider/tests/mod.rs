//! What an environment and a builder make of settings, as they are described.

mod description;
mod exporters;
mod misspelt;
mod rules;
mod samplers;
mod settings;

use std::ffi::OsString;

use super::exporters::OTLP;
use super::resource::Attributes;
use super::{Telemetry, TelemetryBuilder};
use crate::config::{Environment, Listing, Source};

/// What is active, with the warnings that still matter.
fn listing_in(environment: Environment<'_>, mut builder: TelemetryBuilder) -> Listing {
    builder.read(environment, || OTLP).unwrap();
    let resource = Attributes::of(&builder.settings);
    builder.describe(&resource)
}

/// An environment that lists no names.
fn environment(lookup: &dyn Fn(&str) -> Option<OsString>) -> Environment<'_> {
    Environment { lookup, names: &[] }
}

fn lookup(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    move |name| {
        let set = variables.iter().find(|(variable, _)| variable == name);
        set.map(|(_, value)| OsString::from(value))
    }
}

fn listing(
    variables: &[(&str, &str)],
    build: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder,
) -> Listing {
    let names: Vec<_> = variables.iter().map(|(name, _)| name.to_string()).collect();
    let environment = Environment {
        lookup: &lookup(variables),
        names: &names,
    };
    listing_in(environment, build(Telemetry::builder()))
}

fn warnings(
    variables: &[(&str, &str)],
    build: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder,
) -> Vec<String> {
    let warnings = listing(variables, build).warnings;
    warnings.iter().map(ToString::to_string).collect()
}

/// What the variables set, as `name=value`, and the warnings.
fn read(variables: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let Listing { settings, warnings } = listing(variables, |builder| builder);
    let settings = settings.into_iter();
    let set = settings.filter(|(_, _, source)| *source != Source::Default);
    (
        set.map(|(name, value, _)| format!("{name}={value}"))
            .collect(),
        warnings.iter().map(ToString::to_string).collect(),
    )
}

/// Checks what the variables set, with no warning given.
#[track_caller]
fn accepts(variables: &[(&str, &str)], expected: &[&str]) {
    let expected = expected.iter().map(ToString::to_string).collect();
    assert_eq!(read(variables), (expected, Vec::new()), "{variables:?}");
}

/// Checks that the variable sets nothing, and the warning.
#[track_caller]
fn refuses(variable: &str, value: &str, problem: &str) {
    let (set, warnings) = read(&[(variable, value)]);
    assert_eq!(set, [""; 0], "{variable}={value}");
    assert_eq!(
        warnings,
        [format!("{variable}{problem}")],
        "{variable}={value}"
    );
}
