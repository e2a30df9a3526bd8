//! The `tracestate` header: what tracing systems add to a trace
//! ([Trace Context Level 2, §3.3][w3c]).
//!
//! [w3c]: https://www.w3.org/TR/trace-context-2/#tracestate-header

use opentelemetry::trace::TraceState;

const MAX_MEMBERS: usize = 32;
const MAX_LENGTH: usize = 256;

/// What is kept of a list: as much as §3.3.1.5 asks for at the least. Each span of the trace has it, and each request to others.
const MAX_BYTES: usize = 512;
/// Of a list that is longer, the members that are longer than this go first.
const LARGE: usize = 128;

/// Reads the lines as one list. `None` if any member is malformed or a key comes twice: what is
/// left of such a list could mean something else. Empty members are allowed and skipped.
///
/// Checks everything itself because opentelemetry's parser lets duplicates and surplus members
/// pass. Its type in turn refuses some keys that Level 2 allows (`a@b@c`): `None` as well.
pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<TraceState> {
    let mut members: Vec<(&str, &str)> = Vec::new();
    for line in lines {
        for member in str::from_utf8(line).ok()?.split(',') {
            // This also takes the trailing spaces of a value, which may have none.
            let member = member.trim_matches([' ', '\t']);
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            let full = members.len() == MAX_MEMBERS;
            if full || !is_key(key) || !is_value(value) || members.iter().any(|m| m.0 == key) {
                return None;
            }
            members.push((key, value));
        }
    }
    cut(&mut members);
    // Most requests have none.
    if members.is_empty() {
        return Some(TraceState::NONE);
    }
    TraceState::from_key_value(members).ok()
}

/// Leaves out members until the list has at most [`MAX_BYTES`], or a single member: large ones first, then from the end.
fn cut(members: &mut Vec<(&str, &str)>) {
    let size = |(key, value): &(&str, &str)| key.len() + 1 + value.len();
    // With the commas between the members: one fewer than members.
    let is_long =
        |all: &[(&str, &str)]| all.iter().map(|it| size(it) + 1).sum::<usize>() > MAX_BYTES + 1;
    while members.len() > 1 && is_long(members) {
        let large = members.iter().rposition(|member| size(member) > LARGE);
        members.remove(large.unwrap_or(members.len() - 1));
    }
}

fn is_key(key: &str) -> bool {
    key.len() <= MAX_LENGTH
        && key.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && key.bytes().all(
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@'),
        )
}

/// The comma, which no value may have either, separates members.
fn is_value(value: &str) -> bool {
    (1..=MAX_LENGTH).contains(&value.len())
        && value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}
