//! Attribute keys, hashed and encoded at compile time where the key is known then.

use std::fmt;

use super::wire::{self, field_len, len_field};

/// The name of an attribute, with the hash by which a span finds an earlier value of it.
///
/// The macros make one for each entry, in a `const`. A method that takes a key takes text, too, and hashes it then.
///
/// ```
/// const ORDER_ID: biztrace::value::Key<'_> = biztrace::value::Key::new("order.id");
/// assert_eq!(ORDER_ID.as_str(), "order.id");
/// ```
#[derive(Clone, Copy)]
pub struct Key<'a> {
    name: &'a str,
    hash: u32,
    head: Head,
}

/// All bytes of a span's encoded attribute before the length of its value:
///
/// ```text
/// │ ATTRIBUTE │ length │ KEY │ key's length │ key … │ VALUE │
/// ```
/// The attribute's length is zero here, since it depends on the value.
#[derive(Clone, Copy)]
struct Head {
    bytes: [u8; HEAD_BYTES],
    /// Zero for a key that is empty or does not fit: such an attribute is encoded in the general way.
    len: u8,
}

const HEAD_BYTES: usize = 32;
/// The bytes of a head beside the key.
const AROUND_KEY: usize = 5;
/// The longest value that is not a string, with its length.
const VALUE_BYTES: usize = 15;
/// A head with a length of two bytes, and a value. No attribute of a short key takes more beside its string.
pub(super) const BLOCK_BYTES: usize = HEAD_BYTES + 1 + VALUE_BYTES;

/// The field of a `Span` that holds its attributes.
pub(super) const ATTRIBUTE: u8 = len_field(9);
pub(super) const KEY: u8 = len_field(1);
pub(super) const VALUE: u8 = len_field(2);

impl Head {
    const fn new(key: &[u8]) -> Self {
        let mut bytes = [0; HEAD_BYTES];
        if key.is_empty() || key.len() > HEAD_BYTES - AROUND_KEY {
            return Self { bytes, len: 0 };
        }
        bytes[0] = ATTRIBUTE;
        bytes[2] = KEY;
        bytes[3] = key.len() as u8;
        let (_, rest) = bytes.split_at_mut(4);
        let (place, rest) = rest.split_at_mut(key.len());
        place.copy_from_slice(key);
        rest[0] = VALUE;
        let len = (key.len() + AROUND_KEY) as u8;
        Self { bytes, len }
    }

    #[inline(always)]
    fn len(&self) -> usize {
        // The bound is kept already, but the compiler does not know.
        usize::from(self.len).min(HEAD_BYTES)
    }
}

impl<'a> Key<'a> {
    /// A key of that name. See OpenTelemetry's naming rules: lower case, segments joined by dots.
    #[must_use]
    pub const fn new(name: &'a str) -> Self {
        Self {
            name,
            hash: hash(name.as_bytes()),
            head: Head::new(name.as_bytes()),
        }
    }

    /// The name as it is exported.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.name
    }

    pub(crate) const fn hash(&self) -> u32 {
        self.hash
    }

    /// Whether the key has a name, of at most 27 bytes: most have.
    #[inline]
    pub(super) fn is_short(&self) -> bool {
        self.head.len > 0
    }

    /// Writes an attribute of a key that [is short](Self::is_short), whose value is not a string. `value` writes the `AnyValue`
    /// behind its length, and returns how many bytes it has written.
    #[inline(always)]
    pub(super) fn write(&self, buf: &mut Vec<u8>, value: impl FnOnce(&mut [u8]) -> usize) {
        self.write_block::<1>(buf, 0, value);
    }

    /// Writes an attribute of a key that [is short](Self::is_short), whose value is a string in the field `tag`.
    #[inline(always)]
    pub(super) fn write_text(&self, buf: &mut Vec<u8>, tag: u8, text: &[u8]) {
        let len = text.len();
        if len >= 0x7e {
            return self.write_long_text(buf, tag, text);
        }
        let value = |to: &mut [u8]| {
            to[..3].copy_from_slice(&[len as u8 + 2, tag, len as u8]);
            3
        };
        if self.head.len() + len < 0x7f {
            self.write_block::<1>(buf, len, value);
        } else {
            self.write_block::<2>(buf, len, value);
        }
        buf.extend_from_slice(text);
    }

    /// The same of a string whose own length takes more than one byte, or that of its value does.
    #[inline(never)]
    fn write_long_text(&self, buf: &mut Vec<u8>, tag: u8, text: &[u8]) {
        begin(buf, ATTRIBUTE, self.name, field_len(text.len()));
        wire::bytes(buf, tag, text);
    }

    /// Writes the head, in which the attribute's length takes `LENGTH` bytes, and behind it as much of the value as `value` writes.
    /// `more` bytes of the attribute are still to follow.
    ///
    /// A block of a fixed size is copied and then cut. That takes a few instructions. To copy a length that is not known at
    /// compile time takes a call.
    #[inline(always)]
    fn write_block<const LENGTH: usize>(
        &self,
        buf: &mut Vec<u8>,
        more: usize,
        value: impl FnOnce(&mut [u8]) -> usize,
    ) {
        let mut block = [0; BLOCK_BYTES];
        block[LENGTH - 1..][..HEAD_BYTES].copy_from_slice(&self.head.bytes);
        let head = LENGTH - 1 + self.head.len();
        let len = head + value(&mut block[head..head + VALUE_BYTES]);
        let content = len - 1 - LENGTH + more;
        if LENGTH == 1 {
            block[1] = content as u8;
        } else {
            let [low, high] = wire::two_bytes(content);
            block[..3].copy_from_slice(&[ATTRIBUTE, low, high]);
        }
        let start = buf.len();
        buf.extend_from_slice(&block);
        buf.truncate(start + len);
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.name).finish()
    }
}

/// Writes all of an attribute that precedes its `AnyValue` of `len` bytes, in a field of that tag, whatever its length.
pub(super) fn begin(buf: &mut Vec<u8>, tag: u8, key: &str, len: usize) {
    wire::prefix(buf, tag, field_len(key.len()) + field_len(len));
    wire::bytes(buf, KEY, key.as_bytes());
    wire::prefix(buf, VALUE, len);
}

/// Writes an attribute without a value, in place of a value that was withheld.
pub(super) fn alone(buf: &mut Vec<u8>, key: &str) {
    wire::message(buf, ATTRIBUTE, |buf| wire::bytes(buf, KEY, key.as_bytes()));
}

/// Whether an encoded attribute has no value.
pub(crate) fn is_withheld(attribute: &[u8]) -> bool {
    let (key_value, _) = wire::split_field(attribute);
    wire::split_field(key_value).1.is_empty()
}

/// The key of an encoded attribute.
pub(crate) fn key_of(attribute: &[u8]) -> &[u8] {
    let (key_value, _) = wire::split_field(attribute);
    wire::split_field(key_value).0
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(name: &'a str) -> Self {
        Self::new(name)
    }
}

impl<'a> From<&'a String> for Key<'a> {
    fn from(name: &'a String) -> Self {
        Self::new(name)
    }
}

impl<'a> From<&Key<'a>> for Key<'a> {
    fn from(key: &Key<'a>) -> Self {
        *key
    }
}

/// FNV-1a. Equal hashes are confirmed by comparing the keys, so it need only be cheap.
const fn hash(bytes: &[u8]) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    hash
}
