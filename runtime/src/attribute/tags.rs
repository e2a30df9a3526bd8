//! A set of attributes: those of a span, or some on their way to one.

use std::fmt;
use std::sync::Arc;

use super::key_filter::KeyFilter;
use super::policy::Privacy;
use super::private_url::PrivateUrl;
use super::writer::ValueLimits;

/// Takes attributes: what a macro's entries name, or code of yours that is given this.
///
/// Keys are as they are written: only the macros check them against OpenTelemetry's naming rules. Of an attribute that is set
/// more than once the last value counts. One without a name is left out, and counted in the span's `dropped_attributes_count`.
///
/// ```
/// use biztrace::{BizAttrs, Tags};
///
/// struct Parcel {
///     weight: f64,
///     labels: Vec<(String, String)>,
/// }
///
/// impl BizAttrs for Parcel {
///     fn record(&self, tags: &mut Tags) {
///         tags.set("parcel.weight", &self.weight);
///         for (name, value) in &self.labels {
///             tags.set(&format!("parcel.label.{name}"), value);
///         }
///     }
/// }
/// ```
pub struct Tags {
    /// The attributes as they are exported, and in a span what else it has.
    pub(crate) bytes: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
    /// The keys of the entries, and those that a span had and has no more.
    filter: KeyFilter,
    /// The first entry whose key an earlier entry seems to have, by its hash.
    repeated: Option<u32>,
    /// Those of the entries that the spans below have too.
    pub(crate) inherited: Vec<Entry>,
    /// Those of the entries that travel.
    pub(crate) baggage: Vec<Entry>,
    pub(crate) limits: ValueLimits,
    /// Past this many bytes nothing more is set: code that sets without end must not fill the memory. At most `limits.bytes` more
    /// than the set has when it is handed out.
    pub(crate) full_at: usize,
    /// Whether some of the entries are of values that were withheld.
    pub(crate) withheld: bool,
    /// Attributes that were not taken.
    pub(crate) dropped: u32,
    /// What protected entries are made of.
    pub(crate) private_url: PrivateUrl,
    /// Whether a type has protected one of its attributes.
    pub(super) protects: bool,
    /// How values that say so are protected.
    pub(super) privacy: Option<Arc<Privacy>>,
    /// What keys are to begin with, its dot included.
    pub(super) prefix: String,
}

/// Where one attribute lies in a buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// Of its key.
    pub(crate) hash: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// Sets of more entries are not searched while they grow: that would take as long as the square of their number.
const FEW: usize = 256;

impl Entry {
    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub(crate) fn field(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }

    /// The same attribute where its field starts at `start`.
    pub(crate) fn moved_to(self, start: usize) -> Self {
        let end = start + self.len();
        Self {
            start: start as u32,
            end: end as u32,
            ..self
        }
    }
}

/// Not the values, which are not for whatever log this ends in.
impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tags").finish_non_exhaustive()
    }
}

impl Tags {
    /// An empty set, without limits.
    pub(crate) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            entries: Vec::new(),
            filter: KeyFilter::default(),
            repeated: None,
            inherited: Vec::new(),
            baggage: Vec::new(),
            limits: ValueLimits::NONE,
            full_at: usize::MAX,
            withheld: false,
            dropped: 0,
            private_url: PrivateUrl::NOTHING,
            protects: false,
            privacy: None,
            prefix: String::new(),
        }
    }

    /// Adds an attribute that is encoded already.
    pub(crate) fn push_encoded(&mut self, hash: u32, field: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(field);
        self.enter(hash, start);
    }

    /// Adds all attributes of a set that [is apart](Self::is_apart).
    #[inline]
    pub(crate) fn extend(&mut self, other: &Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        let moved = |entry: &Entry| entry.moved_to(start + entry.start as usize);
        self.entries.extend(other.entries.iter().map(moved));
        self.filter.merge(&other.filter);
        self.dropped += other.dropped;
    }

    /// Whether `other` has none of these keys, and none of its own twice. `false` says that it may.
    #[inline]
    pub(crate) fn is_apart(&self, other: &Self) -> bool {
        let has = |entry: &Entry| self.has_hash(entry.hash);
        let are_few = self.entries.len().max(other.entries.len()) <= FEW;
        other.repeated.is_none()
            && (self.filter.is_disjoint(&other.filter)
                || (are_few && !other.entries.iter().any(has)))
    }

    /// Whether a key may be in this set.
    pub(crate) fn may_have(&self, hash: u32) -> bool {
        self.filter.may_have(hash)
    }

    /// Whether one of the entries has that hash.
    fn has_hash(&self, hash: u32) -> bool {
        self.may_have(hash) && self.entries.iter().any(|entry| entry.hash == hash)
    }

    /// The first entry that seems to repeat a key since this was asked last.
    pub(crate) fn take_repeated(&mut self) -> Option<usize> {
        self.repeated.take().map(|at| at as usize)
    }

    /// Whether nothing was set, nor anything refused.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.dropped == 0
    }

    /// Empties the set. Limits and protection stay.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        self.filter = KeyFilter::default();
        self.repeated = None;
        self.inherited.clear();
        self.baggage.clear();
        (self.withheld, self.dropped) = (false, 0);
        self.private_url = PrivateUrl::NOTHING;
    }

    /// Notes the attribute that begins at `start`.
    #[inline]
    pub(super) fn enter(&mut self, hash: u32, start: usize) {
        if !self.filter.insert(hash) {
            self.suspect(hash);
        }
        self.entries.push(Entry {
            hash,
            start: start as u32,
            end: self.bytes.len() as u32,
        });
    }

    /// Notes that the next entry repeats a key, if an earlier entry has its hash. A bit of the filter does not say enough: in a fifth of
    /// all sets of fifteen keys, two keys share one.
    #[cold]
    fn suspect(&mut self, hash: u32) {
        let number = self.entries.len();
        if self.repeated.is_none() && (number > FEW || self.has_hash(hash)) {
            self.repeated = Some(number as u32);
        }
    }
}
