//! Fields that both spans and links have.

use crate::attribute::wire;

/// Tag of field 6 of a `Link`, four fixed bytes.
pub(super) const LINK_FLAGS: u8 = 6 << 3 | 5;

/// A count, left out where it is zero.
pub(super) fn nonzero(buf: &mut Vec<u8>, tag: u8, value: u32) {
    if value > 0 {
        wire::uint(buf, tag, value.into());
    }
}

/// The `flags` of a span or a link: the W3C flags, and whether the parent or the linked span is of another process.
pub(super) fn flags_of(flags: u8, is_remote: bool) -> u32 {
    const HAS_IS_REMOTE: u32 = 0x100;
    const IS_REMOTE: u32 = 0x200;
    u32::from(flags) | HAS_IS_REMOTE | if is_remote { IS_REMOTE } else { 0 }
}
