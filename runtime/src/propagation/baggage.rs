//! [W3C Baggage][w3c]: names and values that travel with a trace.
//!
//! [w3c]: https://www.w3.org/TR/baggage/

use opentelemetry::baggage::Baggage;
use opentelemetry::propagation::Injector;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use super::carrier::{Carrier, trim};
use crate::token::is_token;

pub(super) const HEADER: &str = "baggage";

/// What is read and written at the most, as the specification asks for at the least: members past it are left out.
const MAX_MEMBERS: usize = 64;
const MAX_BYTES: usize = 8192;

/// What is not a `baggage-octet`, and the sign that encodes it.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b',')
    .add(b';')
    .add(b'\\');

/// The members that are well-formed, if there are any. The lines are one list.
pub(super) fn extract(carrier: &impl Carrier) -> Option<Baggage> {
    let mut lines = carrier.lines(HEADER).peekable();
    // Most requests have none.
    lines.peek()?;
    let mut baggage = Baggage::new();
    let mut bytes = 0;
    let members = lines.flat_map(|line| line.split(|byte| *byte == b','));
    let members = members.filter(|member| !trim(member).is_empty());
    for member in members.take(MAX_MEMBERS) {
        bytes += member.len() + 1;
        if bytes > MAX_BYTES + 1 {
            break;
        }
        insert(&mut baggage, member);
    }
    (!baggage.is_empty()).then_some(baggage)
}

/// Adds `key=value;properties`, in which the value may have further `=`.
fn insert(baggage: &mut Baggage, member: &[u8]) {
    let (member, metadata) = split_once(member, b';').unwrap_or((member, &[]));
    let Some((key, value)) = split_once(member, b'=') else {
        return;
    };
    let (Ok(key), Ok(metadata)) = (str::from_utf8(trim(key)), str::from_utf8(trim(metadata)))
    else {
        return;
    };
    if !is_token(key) {
        return;
    }
    let value = percent_decode(trim(value)).decode_utf8_lossy();
    baggage.insert_with_metadata(key.to_owned(), value.into_owned(), metadata);
}

fn split_once(text: &[u8], sign: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == sign)?;
    Some((&text[..at], &text[at + 1..]))
}

/// Members that have no name that a header may have are left out.
pub(super) fn inject(baggage: &Baggage, injector: &mut dyn Injector) {
    let mut header = String::new();
    let named = baggage.iter().filter(|(key, _)| is_token(key.as_str()));
    for (key, (value, metadata)) in named.take(MAX_MEMBERS) {
        let value = utf8_percent_encode(value.as_str(), ENCODED);
        let mut member = format!("{key}={value}");
        if !metadata.as_str().is_empty() {
            member.extend([";", metadata.as_str()]);
        }
        let comma = if header.is_empty() { "" } else { "," };
        if header.len() + comma.len() + member.len() <= MAX_BYTES {
            header.extend([comma, &member]);
        }
    }
    if !header.is_empty() {
        injector.set(HEADER, header);
    }
}
