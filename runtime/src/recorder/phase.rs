//! Whether a recorder takes spans: until its shutdown.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::diag;

#[derive(Debug, Default)]
pub(super) struct Phase(AtomicU8);

const OPEN: u8 = 0;
/// Nobody can shut it down any more, and it has recorded nothing so far.
const UNATTENDED: u8 = 1;
const CLOSED: u8 = 2;

impl Phase {
    pub(super) fn close(&self) {
        self.0.store(CLOSED, Ordering::Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.load(Ordering::Relaxed) == CLOSED
    }

    /// Has the next span that starts give a warning.
    pub(super) fn leave_unattended(&self) {
        self.replace(OPEN, UNATTENDED);
    }

    /// Whether a span may start now.
    #[inline]
    pub(super) fn admits(&self) -> bool {
        self.0.load(Ordering::Relaxed) == OPEN || self.admits_late()
    }

    #[cold]
    fn admits_late(&self) -> bool {
        if self.replace(UNATTENDED, OPEN) {
            diag::warn(format_args!(
                "telemetry was dropped without a shutdown, and spans are recorded now: those that wait when the process ends are lost. \
                 Keep `Telemetry`, and call `shutdown` at the end of `main`"
            ));
        }
        !self.is_closed()
    }

    /// Returns whether `from` was the phase, and `to` is it now.
    fn replace(&self, from: u8, to: u8) -> bool {
        let Self(phase) = self;
        phase
            .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}
