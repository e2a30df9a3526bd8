//! Attribute keys with their hash, made at compile time where the key is known then.

/// The name of an attribute, with the hash by which a span finds an earlier value of it.
///
/// The macros make one per entry, in a `const`.
///
/// ```
/// const ORDER_ID: biztrace::Key = biztrace::Key::new("order.id");
/// assert_eq!(ORDER_ID.as_str(), "order.id");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Key {
    name: &'static str,
    hash: u32,
}

impl Key {
    /// A key of that name. See OpenTelemetry's naming rules: lower case, segments joined by dots.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            hash: hash(name.as_bytes()),
        }
    }

    /// The name as it is exported.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.name
    }

    pub(crate) const fn hash(&self) -> u32 {
        self.hash
    }
}

/// FNV-1a. Equal hashes are confirmed by comparing the keys, so it need only be cheap.
pub(crate) const fn hash(bytes: &[u8]) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    hash
}
