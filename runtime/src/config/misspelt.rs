//! Variables that are set and that nobody reads, though their names resemble one that is read.

use super::environment::Environment;
use super::sourced::Origin;

/// Edits between a name and the name that is meant.
const MOST_EDITS: usize = 2;

/// OpenTelemetry's settings of log records, which resemble those of spans (`OTEL_BSP_`).
const OF_LOGS: &str = "OTEL_BLRP_";

/// Warns of variables whose names are almost one of `known`.
pub(crate) fn warn(environment: Environment<'_>, known: &[String], origin: &mut Origin) {
    for name in environment.names {
        let is_ours = ["OTEL_", "BIZTRACE_"].iter().any(|it| name.starts_with(it));
        if !is_ours || name.starts_with(OF_LOGS) || known.contains(name) {
            continue;
        }
        let nearest = known
            .iter()
            .map(|known| (strsim::osa_distance(known, name), known))
            .min();
        if let Some((0..=MOST_EDITS, known)) = nearest {
            origin.warn(
                name,
                format!(" is not read: no setting has this name. Did you mean {known}?"),
            );
        }
    }
}
