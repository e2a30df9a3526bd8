//! A set of attributes: those of a span, or some on their way to one.

use std::fmt;
use std::sync::Arc;

use super::key_filter::KeyFilter;
use super::privacy::Privacy;
use super::{Encoder, Key, Value, ValueLimits};

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
            privacy: None,
            prefix: String::new(),
        }
    }

    /// Sets `key` to `value`, replacing an earlier value.
    #[inline(always)]
    pub fn set<'k, V: Value + ?Sized>(&mut self, key: impl Into<Key<'k>>, value: &V) {
        value.encode(Encoder::of_set(self, &key.into()));
    }

    /// Sets `key` to `value`, on this span and on every span that starts below it in this process from then on, in whatever
    /// library and at whatever depth, and after this span has ended, too. A span's own value of the key, or that of a span
    /// between, goes before.
    ///
    /// What a span inherits counts towards its limits. What this span does not take is not inherited; nor is what all spans of the
    /// trace hand down beyond `bytes_per_trace`, which counts as dropped here. A span below one that has ended has what was set up
    /// to that end.
    ///
    /// ```
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default().tags(|request, tags| {
    ///     let tenant = request.headers().get("x-tenant-id");
    ///     tags.set_inherited("tenant.id", &tenant.and_then(|tenant| tenant.to_str().ok()));
    /// });
    /// # let _ = tracing;
    /// ```
    pub fn set_inherited<'k, V: Value + ?Sized>(&mut self, key: impl Into<Key<'k>>, value: &V) {
        let before = self.entries.len();
        self.set(key, value);
        self.inherited.extend_from_slice(&self.entries[before..]);
    }

    /// Has what `set` sets travel to the services that are called, too: it is in the OpenTelemetry context's baggage, which clients
    /// send that inject the context, with the propagator `baggage`.
    ///
    /// It is there for what runs below: with [`RequestTracing::tags`](crate::actix::RequestTracing::tags) the request from its
    /// routing on, with a type's attributes in `#[traced_handler]` or `#[traced]` the function's body. In `tag!`, and for a result,
    /// there is nothing below, and a warning says so once. The text of strings, numbers and bools travels, lists do not. What its
    /// protection withholds does not, and takes an earlier value of its key with it. At the most 64 members travel, of 8192
    /// bytes: what is set here goes before what came from the caller. In a trace that is not recorded nothing is added.
    ///
    /// ```
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default().tags(|request, tags| {
    ///     let tenant = request.headers().get("x-tenant-id");
    ///     let tenant = tenant.and_then(|tenant| tenant.to_str().ok());
    ///     tags.baggage(|tags| tags.set("tenant.id", &tenant));
    /// });
    /// # let _ = tracing;
    /// ```
    pub fn baggage(&mut self, set: impl FnOnce(&mut Self)) {
        let before = self.entries.len();
        set(self);
        self.baggage.extend_from_slice(&self.entries[before..]);
    }

    /// Has `prefix` and a dot stand before the keys that `set` sets.
    pub fn nested(&mut self, prefix: &'static str, set: impl FnOnce(&mut Self)) {
        let outer = self.prefix.len();
        self.prefix.push_str(prefix);
        self.prefix.push('.');
        let nested = Nested { tags: self, outer };
        set(nested.tags);
    }

    /// Like [`set`](Self::set), as OpenTelemetry's API has it: without a name, too.
    pub(crate) fn set_any<V: Value + ?Sized>(&mut self, key: &str, value: &V) {
        let key = &Key::new(key);
        if key.as_str().is_empty() {
            self.write(key, |writer| value.encode(writer.into()));
        } else {
            self.set(key, value);
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

/// Takes a prefix off again, after a panic too.
struct Nested<'a> {
    tags: &'a mut Tags,
    /// Bytes of the prefix that was there before.
    outer: usize,
}

impl Drop for Nested<'_> {
    fn drop(&mut self) {
        self.tags.prefix.truncate(self.outer);
    }
}
