//! Ids as text: lower-case hex digits.

use opentelemetry::trace::{SpanId, TraceId};

/// An id that may be written short, without its leading zeros or with half of its digits; `None` if it is malformed or zero.
pub(super) fn trace_id(digits: &[u8]) -> Option<TraceId> {
    let id = TraceId::from_bytes(padded(digits)?);
    (id != TraceId::INVALID).then_some(id)
}

/// The same of a span.
pub(super) fn span_id(digits: &[u8]) -> Option<SpanId> {
    let id = SpanId::from_bytes(padded(digits)?);
    (id != SpanId::INVALID).then_some(id)
}

fn padded<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    // The longest id has 32 digits.
    let mut all = [b'0'; 32];
    let all = &mut all[..2 * N];
    if digits.is_empty() {
        return None;
    }
    let start = all.len().checked_sub(digits.len())?;
    all[start..].copy_from_slice(digits);
    hex(all)
}

/// Decodes exactly `2 * N` hex digits. The standard library's parsers also take upper case and
/// signs, which the header must not have.
pub(super) fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let pairs: &[[u8; 2]; N] = digits.as_chunks().0.try_into().ok()?;
    let mut bytes = [0; N];
    let mut seen = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, low) = (DIGITS[*high as usize], DIGITS[*low as usize]);
        seen |= high | low;
        *byte = high << 4 | low;
    }
    (seen < 16).then_some(bytes)
}

/// Encodes `bytes` as twice as many digits. By table: the ids' own formatting takes several times as long.
pub(super) fn write_hex(bytes: &[u8], to: &mut [u8]) {
    for (byte, digits) in bytes.iter().zip(to.as_chunks_mut().0) {
        *digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// What each byte stands for as a digit.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[HEX[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};

/// All bits: one among many digits shows when they are joined.
const NO_DIGIT: u8 = 0xff;
