//! The few pieces of protobuf's wire format that OTLP needs.

/// Tag of a field whose value is a varint. Field numbers up to 15 fit in one byte.
pub(crate) const fn varint_field(number: u8) -> u8 {
    number << 3
}

/// Tag of a length-delimited field (a string, bytes or a message).
pub(crate) const fn len_field(number: u8) -> u8 {
    number << 3 | 2
}

/// Tag of a field of eight fixed bytes.
pub(crate) const fn fixed64_field(number: u8) -> u8 {
    number << 3 | 1
}

/// Number of bytes that [`varint`] writes.
pub(crate) const fn varint_len(value: u64) -> usize {
    // Seven bits a byte, and zero takes one byte: ceil(bits / 7) without a division by 7.
    let bits = 64 - (value | 1).leading_zeros() as usize;
    (bits * 9 + 64) / 64
}

pub(crate) fn varint(buf: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        buf.push(value as u8 | 0x80);
        value >>= 7;
    }
    buf.push(value as u8);
}

/// The varint that `bytes` starts with.
pub(crate) fn read_varint(bytes: &[u8]) -> Option<u64> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Writes a varint to a slice that has room for it, and returns how many bytes it takes.
#[inline]
pub(crate) fn varint_to(to: &mut [u8], mut value: u64) -> usize {
    let mut at = 0;
    while value >= 0x80 {
        to[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    to[at] = value as u8;
    at + 1
}

/// The varint of a length from 0x80 up to 0x3fff.
pub(crate) const fn two_bytes(len: usize) -> [u8; 2] {
    debug_assert!(len >= 0x80 && len < 0x4000);
    [len as u8 | 0x80, (len >> 7) as u8]
}

/// Length of a length-delimited field with a one-byte tag and `len` bytes of content.
pub(crate) const fn field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// Tag and length of a length-delimited field; its `len` bytes of content follow.
#[inline]
pub(crate) fn prefix(buf: &mut Vec<u8>, tag: u8, len: usize) {
    if len < 0x80 {
        buf.extend_from_slice(&[tag, len as u8]);
    } else if len < 0x4000 {
        let [low, high] = two_bytes(len);
        buf.extend_from_slice(&[tag, low, high]);
    } else {
        buf.push(tag);
        varint(buf, len as u64);
    }
}

/// A field of `N` bytes, fewer than 128.
pub(crate) fn array<const N: usize>(buf: &mut Vec<u8>, tag: u8, content: [u8; N]) {
    const { assert!(N < 0x80) };
    buf.extend_from_slice(&[tag, N as u8]);
    buf.extend_from_slice(&content);
}

pub(crate) fn bytes(buf: &mut Vec<u8>, tag: u8, content: &[u8]) {
    prefix(buf, tag, content.len());
    buf.extend_from_slice(content);
}

/// The content of the length-delimited field, of a one-byte tag, that `bytes` starts with, and what comes after the field.
pub(crate) fn split_field(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (mut len, mut at) = (0, 1);
    loop {
        let byte = bytes[at];
        len |= usize::from(byte & 0x7f) << (7 * (at - 1));
        at += 1;
        if byte < 0x80 {
            return bytes[at..].split_at(len);
        }
    }
}

/// A message whose length is known only once it is written.
pub(crate) fn message(buf: &mut Vec<u8>, tag: u8, content: impl FnOnce(&mut Vec<u8>)) {
    buf.extend_from_slice(&[tag, 0]);
    let start = buf.len();
    content(buf);
    let len = buf.len() - start;
    if len < 0x80 {
        buf[start - 1] = len as u8;
        return;
    }
    // The length needs more than the byte left for it: move the content up.
    let extra = varint_len(len as u64) - 1;
    buf.resize(buf.len() + extra, 0);
    buf.copy_within(start..start + len, start + extra);
    let mut rest = len;
    for byte in &mut buf[start - 1..start + extra] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    buf[start + extra - 1] &= 0x7f;
}

pub(crate) fn uint(buf: &mut Vec<u8>, tag: u8, value: u64) {
    buf.push(tag);
    varint(buf, value);
}

pub(crate) fn fixed64(buf: &mut Vec<u8>, tag: u8, value: u64) {
    buf.push(tag);
    buf.extend_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_are_as_prost_writes_them(value: u64) {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            varint(&mut ours, value);
            prost::encoding::encode_varint(value, &mut theirs);
            prop_assert_eq!(&ours, &theirs);
            prop_assert_eq!(varint_len(value), ours.len());
            prop_assert_eq!(read_varint(&ours), Some(value));
            prop_assert_eq!(read_varint(&ours[..ours.len() - 1]), None);
            let mut bytes = [0; 10];
            let len = varint_to(&mut bytes, value);
            prop_assert_eq!(&bytes[..len], &ours);
        }
    }

    #[test]
    fn a_message_is_prefixed_with_its_length() {
        for len in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_152] {
            let content = vec![7; len];
            let (mut ours, mut expected) = (vec![1, 2, 3], vec![1, 2, 3]);
            message(&mut ours, len_field(9), |buf| {
                buf.extend_from_slice(&content)
            });
            bytes(&mut expected, len_field(9), &content);
            assert!(ours == expected, "a message of {len} bytes");
            ours.push(9);
            assert_eq!(split_field(&ours[3..]), (&*content, &[9][..]));
        }
    }
}
