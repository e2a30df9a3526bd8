//! Attribute keys with their hash, made at compile time where the key is known then.

/// The name of an attribute, with the hash by which a span finds an earlier value of it.
///
/// The macros make one per entry, in a `const`. What takes a key takes its text, too: it is hashed then.
///
/// ```
/// const ORDER_ID: biztrace::Key<'_> = biztrace::Key::new("order.id");
/// assert_eq!(ORDER_ID.as_str(), "order.id");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    name: &'a str,
    hash: u32,
}

impl<'a> Key<'a> {
    /// A key of that name. See OpenTelemetry's naming rules: lower case, segments joined by dots.
    #[must_use]
    pub const fn new(name: &'a str) -> Self {
        Self {
            name,
            hash: hash(name.as_bytes()),
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
