//! The samplers that `OTEL_TRACES_SAMPLER` can name: a line each.

use super::named::Named;
use crate::config::format::printable;
use crate::config::{Environment, Source, Sourced};
use crate::error::Error;
#[cfg(feature = "otlp-grpc")]
use crate::remote_sampling::JaegerRemote;
use crate::sampling::{Refuse, Sampler};

/// Makes a sampler of `OTEL_TRACES_SAMPLER_ARG`, which may be empty. What of it cannot be taken is noted.
type Make = fn(&str, &mut Refuse<'_>) -> Sampler;

const SAMPLERS: &[Named<Make>] = &[
    Named::new("always_on", |_, _| Sampler::always_on()),
    Named::new("always_off", |_, _| Sampler::always_off()),
    Named::new("traceidratio", Sampler::parse_ratio),
    Named::new("probability", Sampler::parse_probability),
    Named::new("rate_limiting", Sampler::parse_rate),
    #[cfg(feature = "otlp-grpc")]
    Named::new("jaeger_remote", JaegerRemote::parse),
    #[cfg(not(feature = "otlp-grpc"))]
    Named::missing("jaeger_remote", "otlp-grpc"),
];

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

pub(super) const VARIABLES: [&str; 2] = [SAMPLER, ARGUMENT];

/// Sets the sampler as the environment says, unless the code has set it.
///
/// # Errors
///
/// If the sampler is not part of this build.
pub(super) fn read(
    sampler: &mut Sourced<Sampler>,
    environment: Environment<'_>,
) -> Result<(), Error> {
    let Sourced { value, origin } = sampler;
    if origin.is_code() {
        return Ok(());
    }
    let name = environment.text(SAMPLER, origin);
    let argument = environment.text(ARGUMENT, origin);
    let Some(name) = name else {
        if argument.is_some() {
            let problem = " is set, but OTEL_TRACES_SAMPLER names no sampler that takes it, for example traceidratio";
            origin.warn(ARGUMENT, problem);
        }
        return Ok(());
    };
    let lower = name.to_ascii_lowercase();
    let (is_parent_based, root) = match lower.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, &*lower),
    };
    let Some(named) = SAMPLERS.iter().find(|named| named.name == root) else {
        let names = SAMPLERS.iter().map(|named| named.name);
        let names = names.collect::<Vec<_>>().join(", ");
        let name = printable(&name);
        let expected = format!("one of {names}, alone or after parentbased_");
        let problem = format!("={name:?} is not {expected}; using {value}");
        origin.warn(SAMPLER, problem);
        return Ok(());
    };
    let make = named.get(SAMPLER)?;
    let mut problems = Vec::new();
    let argument = argument.unwrap_or_default();
    let root = make(&argument, &mut |value, expected| {
        let shown = match value.split_once('=') {
            Some((name, value)) => {
                format!("{}={}", printable(name.trim()), printable(value.trim()))
            }
            None => printable(value).to_owned(),
        };
        problems.push(match value {
            "" => format!(" is not set, but should be {expected}"),
            _ => format!("={shown:?} is not {expected}"),
        });
    });
    *value = match is_parent_based {
        true => root.parent_based(),
        false => root,
    };
    origin.source = Source::Variable(SAMPLER.to_owned());
    for problem in problems {
        origin.warn(ARGUMENT, format!("{problem}; using {value}"));
    }
    Ok(())
}
