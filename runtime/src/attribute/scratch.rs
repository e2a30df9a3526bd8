//! The buffer of a thread on which a set of attributes is encoded before it is appended to a span.
//!
//! Values come from user code, which must not run under a lock of ours: they are encoded here first, and appended to the span in one
//! short step.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::policy::Privacy;
use super::{Tags, ValueLimits};

/// An empty set, on the thread's scratch buffer; a nested one gets a buffer of its own.
#[derive(Debug)]
pub(crate) struct Scratch(Option<Box<Tags>>);

thread_local! {
    static SCRATCH: RefCell<Option<Box<Tags>>> = const { RefCell::new(None) };
}

/// A scratch buffer that has grown past this is not kept.
const SCRATCH_BYTES: usize = 64 * 1024;

impl Scratch {
    pub(crate) fn new(limits: ValueLimits, privacy: &Arc<Privacy>) -> Self {
        let scratch = SCRATCH.try_with(|scratch| scratch.take());
        let mut tags = scratch
            .ok()
            .flatten()
            .unwrap_or_else(|| Box::new(Tags::new()));
        (tags.limits, tags.full_at) = (limits, limits.bytes);
        // Most tags of a thread go to one recorder: comparing spares the shared counter.
        if !tags
            .privacy
            .as_ref()
            .is_some_and(|kept| Arc::ptr_eq(kept, privacy))
        {
            tags.privacy = Some(Arc::clone(privacy));
        }
        Self(Some(tags))
    }
}

const TAKEN: &str = "the set is taken out on drop only";

impl Deref for Scratch {
    type Target = Tags;

    fn deref(&self) -> &Tags {
        self.0.as_deref().expect(TAKEN)
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut Tags {
        self.0.as_deref_mut().expect(TAKEN)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(mut tags) = self.0.take() else {
            return;
        };
        if tags.bytes.capacity() > SCRATCH_BYTES {
            return;
        }
        tags.clear();
        // A thread that is ending has no scratch buffer any more; then there is nothing to give back to.
        let _ = SCRATCH.try_with(|scratch| scratch.replace(Some(tags)));
    }
}
