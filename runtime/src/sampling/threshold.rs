//! Thresholds: how a probability is decided by, alike in all services (specification, "TraceState: Probability Sampling").
//!
//! A trace has a random number of 56 bits, and is kept if that is not below the threshold. So what one service keeps, each service with
//! a higher probability keeps, too.

use std::fmt;

use opentelemetry::trace::{TraceFlags, TraceId};

/// How many of 2^56 traces are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Threshold(u64);

/// W3C Trace Context Level 2: the trace id's right half is random.
pub(crate) const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// One more than the largest randomness.
const ALL: u64 = 1 << 56;

/// Hexadecimal digits of all 56 bits.
const DIGITS: u32 = 14;

/// Digits that are kept, behind those that every small probability has.
const PRECISION: u32 = 4;

impl Threshold {
    /// Of what is kept in any case.
    pub(crate) const ALL: Self = Self(0);

    /// Of what is kept in no case. It is never told.
    pub(super) const NOTHING: Self = Self(ALL);

    /// Of a probability above 0, up to 1. It is rounded as it travels, so that what is decided is what is said.
    pub(crate) fn of(probability: f64) -> Self {
        let kept = (probability * ALL as f64).round() as u64;
        let kept = kept.clamp(1, ALL);
        let rejected = ALL - kept;
        if rejected == 0 {
            return Self(0);
        }
        // Each digit `f` at the start has no precision in it.
        let small = kept.leading_zeros().saturating_sub(ALL.leading_zeros() + 1) / 4;
        let digits = (PRECISION + small).min(DIGITS);
        let step = 1_u64 << (4 * (DIGITS - digits));
        let rounded = (rejected + step / 2) / step * step;
        Self(rounded.min(ALL - step))
    }

    /// Of 1 to 14 hexadecimal digits, which stand for the first of 14.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let missing = DIGITS.checked_sub(text.len() as u32)?;
        Some(Self(hex(text)? << (4 * missing)))
    }

    /// Whether a trace of that randomness is kept.
    pub(crate) fn keeps(self, randomness: u64) -> bool {
        randomness >= self.0
    }

    /// How many traces a kept one stands for.
    pub(crate) fn adjusted_count(self) -> f64 {
        ALL as f64 / (ALL - self.0) as f64
    }
}

/// As it travels: without zeros at the end.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:014x}", self.0);
        let digits = text.trim_end_matches('0');
        f.write_str(if digits.is_empty() { "0" } else { digits })
    }
}

/// The trace id's rightmost 56 bits, random by Trace Context Level 2.
pub(crate) fn randomness_of(id: TraceId) -> u64 {
    u128::from_be_bytes(id.to_bytes()) as u64 & (ALL - 1)
}

/// A randomness of its own, as `rv` has it: 14 hexadecimal digits.
pub(crate) fn parse_randomness(text: &str) -> Option<u64> {
    (text.len() == DIGITS as usize).then(|| hex(text))?
}

fn hex(text: &str) -> Option<u64> {
    // `from_str_radix` takes a sign, too.
    let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u64::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_those_of_the_specifications_table() {
        for (n, text, count) in [
            (1.0, "0", 1.0),
            (2.0, "8", 2.0),
            (3.0, "aaab", 3.000_045_777_065_69),
            (4.0, "c", 4.0),
            (5.0, "cccd", 5.000_076_295_109_483_5),
            (8.0, "e", 8.0),
            (10.0, "e666", 9.999_389_685_688_13),
            (16.0, "f", 16.0),
            (100.0, "fd70a", 99.997_711_234_026_33),
            (1_000.0, "ffbe77", 1_000.012_874_769_029),
            (10_000.0, "fff9724", 9_999.830_725_674_266),
            (100_000.0, "ffff583a", 99_999.238_556_461),
            (1_000_000.0, "ffffef39", 999_992.385_564_61),
        ] {
            let threshold = Threshold::of(1.0 / n);
            assert_eq!(threshold.to_string(), text, "1/{n}");
            let off = threshold.adjusted_count() / count - 1.0;
            assert!(off.abs() < 1e-13, "1/{n}: {}", threshold.adjusted_count());
            assert_eq!(Threshold::parse(text), Some(threshold), "1/{n}");
        }
    }

    #[test]
    fn smallest_probabilities_have_a_threshold_of_all_digits() {
        for probability in [2.0_f64.powi(-56), 2.0_f64.powi(-57), f64::MIN_POSITIVE] {
            assert_eq!(Threshold::of(probability).to_string(), "ffffffffffffff");
        }
        assert_eq!(Threshold::of(1.0 - 1e-9).to_string(), "0");
    }

    #[test]
    fn rounding_is_off_by_less_than_a_part_in_ten_thousand() {
        let mut probability = 1.0;
        while probability > 1e-12 {
            let off = probability * Threshold::of(probability).adjusted_count() - 1.0;
            assert!(off.abs() < 1.3e-4, "{probability}: {off}");
            probability *= 0.93;
        }
    }

    #[test]
    fn what_is_no_threshold_and_no_randomness_is_refused() {
        for text in ["", "+1", "-1", "g", "123456789abcdef", "0x1", " 1", "é"] {
            assert_eq!(Threshold::parse(text), None, "{text}");
            assert_eq!(parse_randomness(text), None, "{text}");
        }
        assert_eq!(Threshold::parse("C"), Threshold::parse("c0000000000000"));
        assert_eq!(parse_randomness("0123456789abc"), None);
        assert_eq!(
            parse_randomness("0123456789ABcd"),
            Some(0x01_2345_6789_abcd)
        );
    }
}
