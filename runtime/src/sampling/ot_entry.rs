//! OpenTelemetry's entry in `tracestate`, `ot=th:e666;rv:0123456789abcd` (specification, "TraceState Handling").

use opentelemetry::trace::{TraceId, TraceState};

use super::threshold::{Threshold, parse_randomness, randomness_of};

const ENTRY: &str = "ot";
const THRESHOLD: &str = "th";
const RANDOMNESS: &str = "rv";

/// The threshold that a caller has decided by.
pub(crate) fn threshold(state: &TraceState) -> Option<Threshold> {
    value(state, THRESHOLD).and_then(Threshold::parse)
}

/// The randomness of a trace: its own, or else that of its id.
pub(crate) fn randomness(state: &TraceState, id: TraceId) -> u64 {
    let own = value(state, RANDOMNESS).and_then(parse_randomness);
    own.unwrap_or_else(|| randomness_of(id))
}

/// Whether the trace has a randomness of its own.
pub(crate) fn has_randomness(state: &TraceState) -> bool {
    value(state, RANDOMNESS).is_some_and(|value| parse_randomness(value).is_some())
}

/// The state with that threshold, or without one. What else is in the entry stays. `None` if nothing changes, or if the entry would be
/// longer than `tracestate` allows.
pub(crate) fn with_threshold(
    state: &TraceState,
    threshold: Option<Threshold>,
) -> Option<TraceState> {
    let before = state.get(ENTRY).unwrap_or_default();
    if before.is_empty() && threshold.is_none() {
        return None;
    }
    let others = before.split(';').filter(|member| {
        let name = member.split(':').next();
        !member.is_empty() && name != Some(THRESHOLD)
    });
    let threshold = threshold.map(|threshold| format!("{THRESHOLD}:{threshold}"));
    let members = threshold.as_deref().into_iter().chain(others);
    let entry = members.collect::<Vec<_>>().join(";");
    if entry == before {
        return None;
    }
    // A caller may have sent several.
    let vendors = state.into_iter().filter(|(key, _)| *key != ENTRY);
    let own = (!entry.is_empty()).then_some((ENTRY, &*entry));
    TraceState::from_key_value(own.into_iter().chain(vendors)).ok()
}

fn value<'s>(state: &'s TraceState, name: &str) -> Option<&'s str> {
    let members = state.get(ENTRY)?.split(';');
    let mut members = members.filter_map(|member| member.split_once(':'));
    members.find_map(|(it, value)| (it == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(header: &str) -> TraceState {
        header.parse().unwrap()
    }

    #[test]
    fn entry_is_read_as_the_specification_has_it() {
        let full = state("a=1,ot=k:1;rv:0123456789abcd;th:e666,b=2");
        assert_eq!(threshold(&full), Threshold::parse("e666"));
        assert_eq!(randomness(&full, TraceId::INVALID), 0x01_2345_6789_abcd);
        assert!(has_randomness(&full));
        for header in ["a=1", "ot=", "ot=th", "ot=th:;rv:12", "ot=xth:8"] {
            let state = state(header);
            assert_eq!(threshold(&state), None, "{header}");
            assert_eq!(randomness(&state, TraceId::from(7)), 7, "{header}");
            assert!(!has_randomness(&state), "{header}");
        }
    }

    #[test]
    fn threshold_is_set_and_all_else_stays() {
        let half = Threshold::parse("8");
        for (before, threshold, after) in [
            ("", half, Some("ot=th:8")),
            ("a=1", half, Some("ot=th:8,a=1")),
            ("ot=th:c;k:1,a=1", half, Some("ot=th:8;k:1,a=1")),
            ("ot=k:1;th:c", None, Some("ot=k:1")),
            ("ot=th:c,a=1", None, Some("a=1")),
            ("ot=th:8", half, None),
            ("a=1", None, None),
            ("", None, None),
            ("ot=th:c,a=1,ot=th:e", half, Some("ot=th:8,a=1")),
            ("ot=th:c,ot=th:e", None, Some("")),
        ] {
            let state = with_threshold(&state(before), threshold);
            let header = state.map(|state| state.header());
            assert_eq!(header.as_deref(), after, "{before}");
        }
    }

    #[test]
    fn state_has_32_members_at_most() {
        let members: Vec<_> = (0..32).map(|n| format!("v{n}=1")).collect();
        let full = with_threshold(&state(&members.join(",")), Threshold::parse("8"));
        let header = full.map(|state| state.header()).unwrap_or_default();
        assert_eq!(header.split(',').count(), 32);
        assert!(
            header.starts_with("ot=th:8,v0=1") && header.ends_with("v30=1"),
            "{header}"
        );
    }

    #[test]
    fn entry_that_would_be_too_long_stays() {
        let long = format!("ot=k:{}", "1".repeat(252));
        assert_eq!(with_threshold(&state(&long), Threshold::parse("8")), None);
    }
}
