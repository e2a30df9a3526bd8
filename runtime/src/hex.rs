//! Bytes as hex digits in lower case: ids, hashes and UUIDs.

/// The digits of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut digits = vec![0; 2 * bytes.len()];
    encode_to(bytes, &mut digits);
    String::from_utf8_lossy(&digits).into_owned()
}

/// Encodes `bytes` as twice as many digits, into `to`. By table: the formatting of OpenTelemetry's ids takes several times as long.
pub(crate) fn encode_to(bytes: &[u8], to: &mut [u8]) {
    for (byte, digits) in bytes.iter().zip(to.as_chunks_mut().0) {
        *digits = [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ];
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Decodes exactly `2 * N` digits, eight at a time. `None` if there are more or fewer, or a byte is not a digit. The standard
/// library's parsers also take upper case and signs, which the headers of a trace must not have.
pub(crate) fn decode<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    const { assert!(N.is_multiple_of(4)) };
    let mut bytes = [0; N];
    let (words, rest) = digits.as_chunks();
    let places = bytes.as_chunks_mut().0;
    if words.len() != places.len() || !rest.is_empty() {
        return None;
    }
    let mut wrong = 0;
    for (place, word) in places.iter_mut().zip(words) {
        let (four, wrong_bits) = eight_digits(*word);
        *place = four;
        wrong |= wrong_bits;
    }
    (wrong == 0).then_some(bytes)
}

/// Decodes two digits.
pub(crate) fn decode_byte([high, low]: [u8; 2]) -> Option<u8> {
    Some(digit(high)? << 4 | digit(low)?)
}

/// The value of a digit; `None` if the byte is not one, or in upper case.
fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Decodes eight digits at once, each in its byte of a word. The second number is zero if all of them are digits.
fn eight_digits(digits: [u8; 8]) -> ([u8; 4], u64) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let text = u64::from_le_bytes(digits);
    // Of the digits only letters have the bit of 0x40. Their last four bits count from 1 for `a`.
    let letters = text >> 6 & EACH;
    let values = (text & (0x0f * EACH)) + 9 * letters;
    // Each value is written in one way only: a byte that is not written so is not a digit. Values end at 15, and letters begin
    // at 10, which is where 6 more carry into the upper half.
    let written = values + 0x30 * EACH + 0x27 * letters;
    let carries = values + 6 * EACH;
    let wrong = (text ^ written) | (values & (0xf0 * EACH)) | ((carries >> 4 & EACH) ^ letters);
    // Two values make a byte, two bytes a half, two halves a word.
    let bytes = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
    let halves = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    let word = (halves | halves >> 16) as u32;
    (word.to_le_bytes(), wrong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Digit by digit.
    fn decoded(text: &[u8; 8]) -> Option<Vec<u8>> {
        let digits: Vec<u8> = text
            .iter()
            .map(|byte| digit(*byte))
            .collect::<Option<_>>()?;
        Some(digits.chunks(2).map(|two| two[0] << 4 | two[1]).collect())
    }

    #[test]
    fn each_byte_is_told_at_each_place() {
        for place in 0..8 {
            for byte in 0..=u8::MAX {
                let mut text = *b"09afa90f";
                text[place] = byte;
                let words = decode::<4>(&text).map(Vec::from);
                assert_eq!(words, decoded(&text), "{byte:#x} at {place}");
            }
        }
    }

    proptest! {
        #[test]
        fn ids_are_read_as_they_are_written(id: [u8; 16]) {
            let mut text = [0; 32];
            encode_to(&id, &mut text);
            prop_assert_eq!(decode::<16>(&text), Some(id));
            prop_assert_eq!(decode::<16>(&text[1..]), None);
            prop_assert_eq!(decode::<8>(&text), None);
        }

        #[test]
        fn any_bytes_are_read_as_digit_by_digit(text: [u8; 8]) {
            prop_assert_eq!(decode::<4>(&text).map(Vec::from), decoded(&text));
        }
    }
}
