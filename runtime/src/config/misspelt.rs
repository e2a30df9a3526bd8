//! Variables that are set and that nobody reads: those of biztrace, and those whose names resemble one that is read.

use super::environment::Environment;
use super::sourced::Origin;

/// The variables that only biztrace reads.
const OURS: &str = "BIZTRACE_";

/// Edits between a name and the name that is meant.
const MOST_EDITS: usize = 2;

/// OpenTelemetry's settings of log records, which resemble those of spans (`OTEL_BSP_`).
const OF_LOGS: &str = "OTEL_BLRP_";

/// Warns of variables that are not `known`, if they are biztrace's or almost one that is.
pub(crate) fn warn(environment: Environment<'_>, known: &[String], origin: &mut Origin) {
    for name in environment.names {
        let is_ours = name.starts_with(OURS);
        let may_be_meant = is_ours || name.starts_with("OTEL_") && !name.starts_with(OF_LOGS);
        if !may_be_meant || known.contains(name) {
            continue;
        }
        let nearest = known
            .iter()
            .map(|known| (strsim::osa_distance(known, name), known))
            .min();
        let hint = match nearest {
            Some((0..=MOST_EDITS, known)) => format!("Did you mean {known}?"),
            _ if is_ours => format!("There are {}", ours(known)),
            _ => continue,
        };
        let problem = format!(" is not read: no setting has this name. {hint}");
        origin.warn(name, problem);
    }
}

/// The names of biztrace's own, in a list.
fn ours(known: &[String]) -> String {
    let ours = known.iter().filter(|known| known.starts_with(OURS));
    let ours: Vec<_> = ours.map(String::as_str).collect();
    ours.join(", ")
}
