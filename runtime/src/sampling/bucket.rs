//! A number of traces a second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number of traces a second. What is not used is saved, of one second or one trace, whichever is more.
///
/// It is one number, the time by which all that has been taken is earned ("generic cell rate algorithm"), so that no thread waits
/// for another.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Nanoseconds that earn a trace; `None` if nothing ever does.
    price: Option<u64>,
    earned_by: AtomicU64,
}

const SECOND: u64 = 1_000_000_000;

impl Bucket {
    /// A full one.
    pub(crate) fn new(rate: f64) -> Self {
        Self {
            // A century is as good as longer: the sum of two may not overflow.
            price: (rate > 0.0).then_some(((SECOND as f64 / rate) as u64).min(1 << 62)),
            earned_by: AtomicU64::new(0),
        }
    }

    /// Takes a trace, if there is one at `now`, since some time before all others.
    pub(crate) fn take(&self, now: Duration) -> bool {
        let Some(price) = self.price else {
            return false;
        };
        let now = now.as_nanos() as u64;
        let full = now.saturating_add(price.max(SECOND));
        let take = |earned_by: u64| {
            let earned_by = earned_by.max(now).saturating_add(price);
            (earned_by <= full).then_some(earned_by)
        };
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.earned_by.fetch_update(set, fetch, take).is_ok()
    }
}
