//! What biztrace says about itself: to `tracing`, to `log` where no subscriber is set, and to stderr where there is no logger
//! either, so that a warning reaches somebody.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says what is wrong, and what to do about it.
pub(crate) fn warn(message: fmt::Arguments<'_>) {
    if has_listener() {
        tracing::warn!(target: "biztrace", "{message}");
    } else {
        eprintln!("biztrace: {message}");
    }
}

/// Says what is going on, to those who listen.
pub(crate) fn info(message: fmt::Arguments<'_>) {
    tracing::info!(target: "biztrace", "{message}");
}

fn has_listener() -> bool {
    tracing::dispatcher::has_been_set() || log::max_level() != log::LevelFilter::Off
}

/// Something to be said once.
///
/// Not a [`std::sync::Once`], which nobody may come back to while it runs: what takes the warning may be traced itself.
#[derive(Debug)]
pub(crate) struct Once(AtomicBool);

impl Once {
    pub(crate) const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    pub(crate) fn warn(&self, message: fmt::Arguments<'_>) {
        if !self.0.load(Ordering::Relaxed) && !self.0.swap(true, Ordering::Relaxed) {
            warn(message);
        }
    }
}
