//! Sets attributes: what the macros call, and code that is given [`Tags`].

use super::{Encoder, Key, PrivateUrl, Tags, Value};

impl Tags {
    /// Sets `key` to `value`, replacing an earlier value.
    #[inline(always)]
    pub fn set<'k, V: Value + ?Sized>(&mut self, key: impl Into<Key<'k>>, value: &V) {
        value.encode(Encoder::of_set(self, &key.into()));
    }

    /// Sets `key` to `value`, on this span and on every span that starts below it in this process from then on, in whatever
    /// library and at whatever depth, and after this span has ended, too. A span's own value, or that of a nearer
    /// ancestor, takes precedence.
    ///
    /// What a span inherits counts towards its limits. What this span does not take is not inherited; nor is what all spans of the
    /// trace hand down beyond `bytes_per_trace`, which counts as dropped here. A span below an ended span has what was set before
    /// that end.
    ///
    /// ```
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default().on_request(|request, tags| {
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
    /// It is there for what runs below: with [`RequestTracing::on_request`](crate::actix::RequestTracing::on_request) the request from its
    /// routing on, with a type's attributes in `#[traced_handler]` or `#[traced]` the function's body. In `tag!`, and for a result,
    /// there is nothing below, and a warning says so once. The text of strings, numbers and bools travels, lists do not. What its
    /// protection withholds does not, and takes an earlier value of its key with it. At the most 64 members travel, of 8192
    /// bytes: what is set here takes precedence over what came from the caller. In a trace that is not recorded nothing is added.
    ///
    /// ```
    /// use biztrace::actix::RequestTracing;
    ///
    /// let tracing = RequestTracing::default().on_request(|request, tags| {
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

    /// Notes that the entries of this set are made of private parts of the URL.
    #[doc(hidden)]
    pub fn private_url(&mut self, url: &PrivateUrl) {
        self.private_url.path |= url.path;
        self.private_url.query |= url.query;
        if !url.parameters.is_empty() {
            // A set is that of one function.
            self.private_url.parameters = url.parameters;
        }
    }

    /// Notes that the type whose attributes are being set protects one of them.
    #[doc(hidden)]
    pub fn protects(&mut self) {
        self.protects = true;
    }

    /// Sets the attributes of a type that is read from `url`: private parts, if the type protects one of its attributes.
    #[doc(hidden)]
    pub fn spread(&mut self, url: &PrivateUrl, record: impl FnOnce(&mut Self)) {
        self.protects = false;
        let before = self.private_url;
        // A type that panics has protected what it may protect.
        self.private_url(url);
        record(self);
        if !self.protects {
            self.private_url = before;
        }
    }

    /// Like [`set`](Self::set), as OpenTelemetry's API has it: without a name, too, and within the limits that the API knows.
    pub(crate) fn set_any(&mut self, key: &str, value: &opentelemetry::Value) {
        let key = &Key::new(key);
        let limits = self.limits;
        self.limits = limits.of_api();
        if key.as_str().is_empty() {
            self.write(key, |writer| value.encode(writer.into()));
        } else {
            value.encode(Encoder::of_set(self, key));
        }
        self.limits = limits;
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
